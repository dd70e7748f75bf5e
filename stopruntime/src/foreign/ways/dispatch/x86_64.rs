//! Arming by Syscall User Dispatch (`PR_SET_SYSCALL_USER_DISPATCH`, Linux 5.11): from the
//! stop until the region is left, the kernel hands each system call of the thread to our
//! handler of `SIGSYS`, before it has any effect.
//!
//! A `SIGSYS` that is blocked as the kernel raises it ends the process. So while a thread
//! is armed it is never blocked in the thread's own code, and a signal whose handler blocks
//! it waits:
//!
//! - the mask is changed when the thread is armed, and so is the mask in the frame of each
//!   handler as it returns;
//! - sigprocmask(2) is made on the mask that the thread is to have, and tells it what it
//!   believes to have;
//! - handlers of faults that block it cannot wait: with one of those there is the timer
//!   instead.
//!
//! While one of our handlers runs, the kernel hands nothing over (`selector`).
//!
//! # Safety
//!
//! The invariant of this module: a record is the calling thread's own; `selector` is 1 only
//! while the thread's own code can run with `SIGSYS` unblocked and our action installed.

#![allow(unsafe_code)]

use super::super::kernel::plain;
use super::super::tick;
use super::gadgets::gadgets;
use crate::runtime::earlier;
use crate::runtime::record::Record;
use crate::runtime::region::{DISPATCH, UNARMED};
use crate::window::Context;
use core::ffi::{c_int, c_void};
use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use core::sync::atomic::{AtomicUsize, compiler_fence};

/// The kernel's `struct sigaction`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Action {
    pub(super) handler: usize,
    pub(super) flags: u64,
    pub(super) restorer: usize,
    pub(super) mask: u64,
}

const RESTORER: u64 = 0x0400_0000;
const ON: usize = 1;
const OFF: usize = 0;

/// Handlers of faults: they cannot wait.
pub(super) const FAULTS: u64 = bit(libc::SIGSEGV)
    | bit(libc::SIGBUS)
    | bit(libc::SIGFPE)
    | bit(libc::SIGILL)
    | bit(libc::SIGTRAP);
pub(super) const SIGSYS: u64 = bit(libc::SIGSYS);

/// The address of our handler of `SIGSYS`; 0: there is none, and calls are not handed over.
static HANDLER: AtomicUsize = AtomicUsize::new(0);

pub(super) const fn bit(signal: c_int) -> u64 {
    1 << (signal - 1)
}

/// Whether the kernel hands calls over.
pub(crate) fn is_available() -> bool {
    HANDLER.load(Relaxed) != 0
}

type Handler = unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

/// Asks the kernel whether it can hand calls over here.
pub(crate) fn is_known() -> bool {
    // A place that cannot be: EFAULT where the call is known, and nothing is changed.
    let known = set_dispatch(ON, 0, 0, usize::MAX) == -(libc::EFAULT as isize);
    known && !is_on_valgrind()
}

/// Asks the kernel, and installs the handler. Before the first region.
pub(crate) fn prepare(handler: Handler) {
    if !is_known() {
        return;
    }
    let handler = handler as *const () as usize;
    let Some(before) = action_of(libc::SIGSYS) else { return };
    if before.handler != handler && !install(handler) {
        return;
    }
    // The stop handler's own return is not handed over: on a small alternate stack there is
    // no room for a second frame.
    let signal = crate::runtime::installed::signal();
    if let Some(action) = action_of(signal) {
        let flags = action.flags | RESTORER;
        // mutant: stop-takes-one-frame-of-alternate-stack
        set_action(signal, &Action { flags, restorer: gadgets().restorer, ..action });
    }
    HANDLER.store(handler, Relaxed);
}

/// Puts our handler on top of what is there, which it then calls for what is not ours.
fn install(handler: usize) -> bool {
    // SAFETY: zeroed is an action, and a null pointer changes nothing.
    let before = unsafe {
        let mut before: libc::sigaction = core::mem::zeroed();
        if libc::sigaction(libc::SIGSYS, core::ptr::null(), &raw mut before) != 0 {
            return false;
        }
        before
    };
    earlier::keep(libc::SIGSYS, before);
    let flags = (libc::SA_SIGINFO | libc::SA_ONSTACK) as u64 | RESTORER;
    let action = Action { handler, flags, restorer: gadgets().restorer, mask: !0 };
    set_action(libc::SIGSYS, &action)
}

/// Another handler was put on top of ours: ours goes on top again. Not from a handler.
pub(crate) fn renew() {
    let handler = HANDLER.load(Relaxed);
    if handler != 0 && !is_ours() {
        install(handler);
    }
}

fn is_ours() -> bool {
    action_of(libc::SIGSYS).is_some_and(|action| action.handler == HANDLER.load(Relaxed))
}

fn action_of(signal: c_int) -> Option<Action> {
    let mut action = Action { handler: 0, flags: 0, restorer: 0, mask: 0 };
    let place = &raw mut action as usize;
    // SAFETY: a place for the answer.
    let raw = unsafe { plain(libc::SYS_rt_sigaction, [signal as usize, 0, place, 8]) };
    (raw == 0).then_some(action)
}

fn set_action(signal: c_int, action: &Action) -> bool {
    let place = core::ptr::from_ref(action) as usize;
    // SAFETY: an action whose handler keeps its module's invariant.
    unsafe { plain(libc::SYS_rt_sigaction, [signal as usize, place, 0, 8]) == 0 }
}

fn set_dispatch(mode: usize, start: usize, length: usize, selector: usize) -> isize {
    const SET: usize = 59;
    // SAFETY: our own code, and a byte of a record, which is never freed.
    unsafe { plain(libc::SYS_prctl, [SET, mode, start, length, selector]) }
}

/// Whether this action blocks `SIGSYS` while its handler runs.
pub(super) fn blocks(action: &Action) -> bool {
    ![libc::SIG_DFL, libc::SIG_IGN].contains(&action.handler) && action.mask & SIGSYS != 0
}

/// The signals whose handlers block `SIGSYS`.
fn blocking() -> u64 {
    let others =
        (1..=64).filter(|signal| ![libc::SIGSYS, libc::SIGKILL, libc::SIGSTOP].contains(signal));
    let blocks = others.filter(|signal| action_of(*signal).is_some_and(|action| blocks(&action)));
    blocks.fold(0, |all, signal| all | bit(signal))
}

/// The mask of a frame or a context, in the kernel's size.
pub(crate) fn mask_of(set: &mut libc::sigset_t) -> &mut u64 {
    // SAFETY: at least 64 bits, aligned as such.
    unsafe { &mut *core::ptr::from_mut(set).cast::<u64>() }
}

/// The mask that an armed thread has for the one that it believes to have.
pub(super) fn armed_mask(record: &Record, believed: u64) -> u64 {
    believed & !SIGSYS | record.region.added.load(Relaxed)
}

/// The mask that the thread believes to have.
pub(super) fn believed_mask(record: &Record, mask: u64) -> u64 {
    let region = &record.region;
    mask & !region.added.load(Relaxed) | region.hidden.load(Relaxed)
}

/// Has calls handed over from the handler's return on, with this mask; false if that
/// cannot be, and then nothing is changed. With the signals that matter blocked.
pub(crate) fn arm(record: &Record, mask: &mut u64) -> bool {
    let region = &record.region;
    if region.no_dispatch.load(Relaxed) || !is_available() {
        return false;
    }
    // mutant: signals-whose-handlers-block-sigsys-wait
    let added = blocking();
    // mutant: handler-of-faults-or-others-takes-timer
    if added & FAULTS != 0 || !is_ours() {
        return refuse(record);
    }
    if !region.dispatching.load(Relaxed) {
        let gadgets = gadgets();
        let selector = region.selector.as_ptr() as usize;
        // mutant: refused-dispatch-takes-timer
        if set_dispatch(ON, gadgets.start, gadgets.length, selector) != 0 {
            return refuse(record);
        }
        region.touched.store(true, Relaxed);
        region.dispatching.store(true, Relaxed);
        region.naps.store(0, Relaxed);
        region.sent.store(0, Relaxed);
    }
    // mutant: mask-before-arming-is-remembered
    region.hidden.store(*mask & (added | SIGSYS), Relaxed);
    region.added.store(added, Relaxed);
    // mutant: armed-thread-has-sigsys-open
    *mask = armed_mask(record, *mask);
    region.way.store(DISPATCH, Relaxed);
    compiler_fence(SeqCst);
    region.selector.store(1, Relaxed);
    true
}

fn refuse(record: &Record) -> bool {
    record.region.no_dispatch.store(true, Relaxed);
    false
}

/// The same from the thread's own code, if it can be.
pub(crate) fn arm_here(record: &Record) {
    let region = &record.region;
    let (all, mut before) = (!0_u64, 0_u64);
    let places = [&raw const all as usize, &raw mut before as usize];
    // SAFETY: two sets, which outlive the call.
    unsafe {
        plain(libc::SYS_rt_sigprocmask, [libc::SIG_SETMASK as usize, places[0], places[1], 8])
    };
    let armed = arm(record, &mut before);
    // Nothing of ours is handed over.
    region.selector.store(0, Relaxed);
    compiler_fence(SeqCst);
    change_mask(libc::SIG_SETMASK, before);
    compiler_fence(SeqCst);
    if armed && region.way.load(Relaxed) == DISPATCH {
        region.selector.store(1, Relaxed);
    }
}

/// Has nothing handed over any more after the return to this context.
pub(super) fn stand_aside(record: &Record, context: &mut Context) {
    let region = &record.region;
    region.selector.store(0, Relaxed);
    let mask = mask_of(&mut context.uc_sigmask);
    // mutant: standing-aside-gives-mask-back
    *mask = believed_mask(record, *mask);
    region.added.store(0, Relaxed);
    region.hidden.store(0, Relaxed);
    region.way.store(UNARMED, Relaxed);
}

/// The same, and the timer looks soon whether it is to be armed anew.
pub(super) fn stand_aside_for_now(record: &Record, context: &mut Context) {
    stand_aside(record, context);
    tick::begin(&record.region);
}

/// A tick has come while calls are handed over: one that was let run may be waiting.
pub(crate) fn tick(record: &Record, context: &mut Context) {
    use super::super::kernel::CANCELED;
    use super::super::registers::{register, set_register};

    let region = &record.region;
    if region.interval.load(Relaxed) == 0 {
        return;
    }
    let inside = gadgets().inside_call;
    let pc = register(context, libc::REG_RIP);
    let waits = pc == inside && register(context, libc::REG_RAX) as i64 == libc::SYS_ioctl;
    let waited = pc == inside + 2
        && register(context, libc::REG_RAX).cast_signed() == -(libc::EINTR as isize);
    // mutant: waiting-ioctl-is-ended
    if waits || waited {
        set_register(context, libc::REG_RIP, inside + 2);
        set_register(context, libc::REG_RAX, CANCELED.cast_unsigned());
        region.interval.store(0, Relaxed);
    } else {
        tick::next(region);
    }
}

/// Puts back all that arming has changed.
pub(crate) fn disarm(record: &Record) {
    let region = &record.region;
    region.selector.store(0, Relaxed);
    compiler_fence(SeqCst);
    if region.dispatching.swap(false, Relaxed) {
        set_dispatch(OFF, 0, 0, 0);
    }
    give_back_mask(record);
    if region.no_dispatch.load(Relaxed) {
        renew();
    }
}

fn give_back_mask(record: &Record) {
    let region = &record.region;
    let (added, hidden) = (region.added.swap(0, Relaxed), region.hidden.swap(0, Relaxed));
    if hidden & SIGSYS != 0 {
        // mutant: left-region-blocks-sigsys-again
        change_mask(libc::SIG_BLOCK, SIGSYS);
    }
    if added & !hidden != 0 {
        // What has waited is delivered here.
        // mutant: left-region-delivers-what-waited
        change_mask(libc::SIG_UNBLOCK, added & !hidden);
    }
}

fn change_mask(how: c_int, signals: u64) {
    let place = &raw const signals as usize;
    // SAFETY: a set, which outlives the call.
    unsafe { plain(libc::SYS_rt_sigprocmask, [how as usize, place, 0, 8]) };
}

/// In a forked child, whose calls are not handed over.
pub(crate) fn forget(record: &Record) {
    record.region.selector.store(0, Relaxed);
    record.region.dispatching.store(false, Relaxed);
    // What hid it is fork(3) itself, which blocks every signal and gives the mask back in
    // the child by a call that is not handed over: on musl it has done so already.
    record.region.hidden.fetch_and(!SIGSYS, Relaxed);
    give_back_mask(record);
}

/// Valgrind hands the prctl(2) on to the kernel, and its own calls would be handed over:
/// asked by its client request `RUNNING_ON_VALGRIND` (valgrind.h).
fn is_on_valgrind() -> bool {
    const RUNNING_ON_VALGRIND: u64 = 0x1001;
    let request = [RUNNING_ON_VALGRIND, 0, 0, 0, 0, 0];
    let answer: u64;
    // SAFETY: changes nothing elsewhere: the rotations add up to 128 bits, and `rbx` is
    // exchanged with itself.
    unsafe {
        core::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            in("rax") request.as_ptr(),
            inlateout("rdx") 0_u64 => answer,
            out("rdi") _,
            options(nostack),
        );
    }
    answer != 0
}
