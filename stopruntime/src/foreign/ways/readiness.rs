//! The rules of poll(2), select(2) and epoll(7): what is ready is reported, and if nothing
//! is, the sockets and pipes are, so that the call that follows fails.
//!
//! An error of these calls would be worse: event loops abort, or panic.
//!
//! # Safety
//!
//! The invariant of this module: where something is written for the foreign code, the
//! kernel has just accepted the same place, or has written there.

#![allow(unsafe_code)]

use super::kernel::{CANCELED, copy_in, given, plain};
use super::look::{Kind, kind};
use super::rules::nap;
use super::verdict::{Call, Verdict};
use Verdict::{Give, Run};

const NONE: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 0 };

fn is_reported(descriptor: usize) -> bool {
    matches!(kind(descriptor), Kind::Socket | Kind::Pipe)
}

/// Whether a time that is pointed to is one of no length; `None` if there is none.
fn time(address: usize) -> Option<bool> {
    given::<[i64; 2]>(address).map(|time| time == [0, 0])
}

pub(super) fn poll(call: &Call<'_>) -> Verdict {
    let [entries, count, timeout, ..] = call.args;
    let (at_once, timed) = if call.number == libc::SYS_ppoll {
        let time = time(timeout);
        (time == Some(true), time.is_some())
    } else {
        (timeout as i32 == 0, timeout as i32 > 0)
    };
    // Without the mask, which may block SIGSYS.
    let none = NONE;
    let args = [entries, count, &raw const none as usize, 0, 0];
    // SAFETY: the same call, which does not wait.
    let raw = unsafe { plain(libc::SYS_ppoll, args) };
    if at_once || raw != 0 {
        return Give(raw);
    }
    let mut any = false;
    let mut reported = 0;
    for index in 0..count {
        let entry = entries as *mut libc::pollfd;
        // SAFETY: the kernel has read and written each of them.
        let entry = unsafe { &mut *entry.add(index) };
        any |= entry.fd >= 0;
        if call.sees_all && entry.fd >= 0 && is_reported(entry.fd as usize) {
            let asked = libc::POLLIN | libc::POLLOUT | libc::POLLRDNORM | libc::POLLWRNORM;
            entry.revents = entry.events & asked | libc::POLLERR | libc::POLLHUP;
            reported += 1;
        }
    }
    Give(match reported {
        0 if !any && timed => nap(call),
        0 => CANCELED,
        _ => reported,
    })
}

/// The descriptors of the sets that a select can have here; with more it fails.
const MOST: usize = 4096;
type Set = [u64; MOST / 64];

pub(super) fn select(call: &Call<'_>) -> Verdict {
    let [count, places @ .., timeout, _] = call.args;
    let places: [usize; 3] = places;
    // A timeval or a timespec: both are two words.
    let time = time(timeout);
    let words = count.div_ceil(64);
    if count > MOST {
        return Give(CANCELED);
    }
    let mut asked: [Set; 3] = [[0; MOST / 64]; 3];
    for (set, place) in asked.iter_mut().zip(places) {
        // SAFETY: a set has room for so many words.
        if place != 0 && !unsafe { copy_in(place, set.as_mut_ptr().cast(), words * 8) } {
            return Give(-(libc::EFAULT as isize));
        }
    }
    let none = NONE;
    let args = [count, places[0], places[1], places[2], &raw const none as usize, 0];
    // SAFETY: the same call, which does not wait, without the mask.
    let raw = unsafe { plain(libc::SYS_pselect6, args) };
    if raw != 0 || time == Some(true) {
        return Give(raw);
    }
    if count == 0 && time.is_some() {
        return Give(nap(call));
    }
    let mut reported = 0;
    let reporting = if call.sees_all { 2 } else { 0 };
    for (set, place) in asked.iter().zip(places).take(reporting).filter(|(_, place)| *place != 0) {
        for descriptor in 0..count {
            let bit = set[descriptor / 64] & 1 << (descriptor % 64);
            if bit != 0 && is_reported(descriptor) {
                // SAFETY: the kernel has just written this set.
                unsafe { *(place as *mut u64).add(descriptor / 64) |= bit };
                reported += 1;
            }
        }
    }
    if reported > 0 {
        return Give(reported);
    }
    for (set, place) in asked.iter().zip(places).filter(|(_, place)| *place != 0) {
        // An error leaves the sets as they were.
        // SAFETY: as above.
        unsafe { core::ptr::copy_nonoverlapping(set.as_ptr(), place as *mut u64, words) };
    }
    Give(CANCELED)
}

pub(super) fn epoll(call: &Call<'_>) -> Verdict {
    let [instance, events, count, timeout, ..] = call.args;
    if !call.sees_all {
        return Run;
    }
    let at_once = if call.number == libc::SYS_epoll_pwait2 {
        time(timeout) == Some(true)
    } else {
        timeout as i32 == 0
    };
    // SAFETY: the same call, which does not wait, without the mask.
    let raw = unsafe { plain(libc::SYS_epoll_pwait, [instance, events, count, 0, 0, 8]) };
    if at_once || raw != 0 {
        return Give(raw);
    }
    match members(instance, events as *mut libc::epoll_event, count) {
        // Timers alone, or no /proc: an error here ends event loops.
        0 => Run,
        reported => Give(reported),
    }
}

/// Reports the sockets and pipes of an instance, as `/proc/self/fdinfo` says.
#[inline(never)]
fn members(instance: usize, events: *mut libc::epoll_event, count: usize) -> isize {
    let mut text = [0_u8; 2048];
    let length = information(instance, &mut text);
    let mut reported = 0;
    let mut rest = &text[..length];
    while reported < count
        && let Some((descriptor, asked, data, after)) = next_member(rest)
    {
        rest = after;
        if !is_reported(descriptor) {
            continue;
        }
        let asked =
            asked as u32 & (libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP).cast_unsigned();
        let event = libc::epoll_event {
            events: asked | (libc::EPOLLERR | libc::EPOLLHUP).cast_unsigned(),
            u64: data,
        };
        // SAFETY: the caller has given room for `count` of them; the kernel has checked.
        unsafe { events.add(reported).write_unaligned(event) };
        reported += 1;
    }
    reported.cast_signed()
}

fn information(instance: usize, text: &mut [u8]) -> usize {
    let mut path = *b"/proc/self/fdinfo/\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let mut digits = 1;
    while instance / 10_usize.pow(digits) != 0 && digits < 9 {
        digits += 1;
    }
    for digit in 0..digits {
        path[18 + digit as usize] = b'0' + (instance / 10_usize.pow(digits - 1 - digit) % 10) as u8;
    }
    let flags = (libc::O_RDONLY | libc::O_CLOEXEC) as usize;
    let at = libc::AT_FDCWD as usize;
    // SAFETY: a path that ends with 0.
    let file = unsafe { plain(libc::SYS_openat, [at, path.as_ptr() as usize, flags, 0]) };
    if file < 0 {
        return 0;
    }
    let file = file.cast_unsigned();
    let mut length = 0;
    while length < text.len() {
        let rest = &mut text[length..];
        // SAFETY: room for so many bytes.
        let read = unsafe { plain(libc::SYS_read, [file, rest.as_mut_ptr() as usize, rest.len()]) };
        if read <= 0 {
            break;
        }
        length += read.cast_unsigned();
    }
    // SAFETY: opened above.
    unsafe { plain(libc::SYS_close, [file]) };
    length
}

/// `tfd: 5 events: 19 data: 5 …`: descriptor, events, data, and what follows.
fn next_member(text: &[u8]) -> Option<(usize, u64, u64, &[u8])> {
    let (descriptor, text) = number(after(text, b"tfd:")?, 10)?;
    let (events, text) = number(after(text, b"events:")?, 16)?;
    let (data, text) = number(after(text, b"data:")?, 16)?;
    Some((descriptor as usize, events, data, text))
}

fn after<'text>(text: &'text [u8], word: &[u8]) -> Option<&'text [u8]> {
    let at = text.windows(word.len()).position(|window| window == word)?;
    Some(&text[at + word.len()..])
}

fn number(text: &[u8], radix: u64) -> Option<(u64, &[u8])> {
    let start = text.iter().position(|byte| *byte != b' ')?;
    let text = &text[start..];
    let digit = |byte: &u8| (*byte as char).to_digit(radix as u32).map(u64::from);
    let end = text.iter().position(|byte| digit(byte).is_none()).unwrap_or(text.len());
    let value = text[..end].iter().filter_map(digit);
    Some((
        value.fold(0, |value, digit| value.wrapping_mul(radix).wrapping_add(digit)),
        &text[end..],
    ))
}
