//! Which call has been interrupted, where the number was in a register that it has not
//! kept: on x86-64 by the wrappers of musl and of glibc from 2.41 on, which all of their
//! calls go through. They pass zeros where a call has fewer than six arguments.
//!
//! Only calls that the kernel never restarts are found behind themselves, and of those only
//! the ones that take another result than the rest have to be told: an error of a futex
//! ends libc, and an error of a sleep ends std.

use super::kernel::{given, time};
use core::ffi::c_long;

/// The number, if it is one of those that matter.
pub(super) fn number(args: &[usize; 6]) -> Option<c_long> {
    let none = |from: usize| args[from..].iter().all(|arg| *arg == 0);
    let place = |at: usize| is_address(args[at]);
    let none_or_place = |at: usize| args[at] == 0 || place(at);
    let is_count = is_few(args[1]);
    if none(0) {
        // pause(2), or a select(2) that is the same.
        Some(libc::SYS_rt_sigsuspend)
    } else if place(0) && args[1] == 8 && none(2) {
        Some(libc::SYS_rt_sigsuspend)
    } else if is_futex(args) {
        Some(libc::SYS_futex)
    } else if args[0] <= libc::CLOCK_MONOTONIC as usize
        && args[1] <= libc::TIMER_ABSTIME as usize
        && place(2)
        && none_or_place(3)
    {
        Some(libc::SYS_clock_nanosleep)
    } else if place(0) && none_or_place(1) && none(2) {
        Some(libc::SYS_nanosleep)
    } else if place(1) && !place(2) && none_or_place(4) && args[5] == 8 {
        Some(libc::SYS_epoll_pwait)
    } else if place(0) && is_count && args[4] == 8 && none_or_place(2) {
        Some(libc::SYS_ppoll)
    } else if (place(0) && is_count || args[..2] == [0, 0]) && none(3) {
        Some(libc::SYS_poll)
    } else if args[..4] == [0; 4] && place(4) || is_select_at_once(args) {
        Some(libc::SYS_select)
    } else if place(0) && args[1] <= args[2] && is_few(args[2]) && place(3) && is_no_time(args[4]) {
        Some(libc::SYS_io_getevents)
    } else if place(1) && is_few(args[2]) && is_no_time(args[3]) {
        Some(libc::SYS_semtimedop)
    } else {
        None
    }
}

/// Sets, and no time; with another time it looks like other calls.
fn is_select_at_once(args: &[usize; 6]) -> bool {
    let is_set = |set: &usize| *set == 0 || is_address(*set);
    let is_mask = args[5] == 0 || given::<[usize; 2]>(args[5]).is_some_and(|[_, size]| size == 8);
    is_few(args[0]) && args[1..4].iter().all(is_set) && is_mask && is_no_time(args[4])
}

fn is_few(count: usize) -> bool {
    (1..1 << 16).contains(&count)
}

fn is_no_time(address: usize) -> bool {
    is_address(address) && time(address) == Some(true)
}

/// Whether these may be the arguments of a wait in a futex. Without a time it would have
/// been restarted.
fn is_futex(args: &[usize; 6]) -> bool {
    const FLAGS: usize = (libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME) as usize;
    const WAITS: [i32; 5] = [
        libc::FUTEX_WAIT,
        libc::FUTEX_LOCK_PI,
        libc::FUTEX_WAIT_BITSET,
        libc::FUTEX_WAIT_REQUEUE_PI,
        libc::FUTEX_LOCK_PI2,
    ];
    let waits = WAITS.iter().any(|wait| args[1] & !FLAGS == *wait as usize);
    let is_word = is_address(args[0]) && args[0].is_multiple_of(4);
    // Where a `ppoll` has its time, a value of 32 bits, with its sign or without.
    let is_value = i32::try_from(args[2].cast_signed()).is_ok() || u32::try_from(args[2]).is_ok();
    is_word && waits && is_value && is_address(args[3])
}

/// Above what the kernel maps nothing below (`vm.mmap_min_addr`). Of a program that is not
/// moved, and on valgrind, addresses may have 32 bits.
fn is_address(value: usize) -> bool {
    (1 << 16..1 << 56).contains(&value)
}
