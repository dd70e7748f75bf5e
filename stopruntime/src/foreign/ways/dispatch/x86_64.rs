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
use super::actions::{Action, FAULTS, RESTORER, SIGSYS, action_of, blocking, set_action};
use super::gadgets::gadgets;
use super::masks::{armed_mask, believed_mask, change_mask, give_back_mask, mask_of};
use super::stack;
use crate::runtime::earlier;
use crate::runtime::record::Record;
use crate::runtime::region::{DISPATCH, UNARMED};
use crate::window::Context;
use core::ffi::{c_int, c_void};
use core::sync::atomic::Ordering::{Relaxed, SeqCst};
use core::sync::atomic::{AtomicUsize, compiler_fence};

const ON: usize = 1;
const OFF: usize = 0;

/// The address of our handler of `SIGSYS`; 0: there is none, and calls are not handed over.
static HANDLER: AtomicUsize = AtomicUsize::new(0);

/// Whether the kernel hands calls over.
pub(crate) fn is_available() -> bool {
    HANDLER.load(Relaxed) != 0
}

/// Whether they are handed over at the next stop: no handler is on top of ours, and none of
/// those that keep us from it has been installed since.
pub(crate) fn is_in_force() -> bool {
    is_available() && is_ours() && !has_handler_in_the_way()
}

/// Whether a handler of faults blocks `SIGSYS`, and so cannot meet calls that are handed over.
pub(crate) fn has_handler_in_the_way() -> bool {
    blocking() & FAULTS != 0
}

type Handler = unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);

/// Asks the kernel whether it can hand calls over here.
pub(crate) fn is_known() -> bool {
    // A place that cannot be: EFAULT where the call is known, and nothing is changed.
    let known = set_dispatch(ON, 0, 0, usize::MAX) == -(libc::EFAULT as isize);
    // mutant: valgrind-takes-timer
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

/// Not under a handler that was put on top of it, another copy's among them: of those that
/// could overwrite what the other has asked of the kernel only the one on top does. And it
/// does not go back on top, or each would call the other.
fn is_ours() -> bool {
    action_of(libc::SIGSYS).is_some_and(|action| action.handler == HANDLER.load(Relaxed))
}

fn set_dispatch(mode: usize, start: usize, length: usize, selector: usize) -> isize {
    const SET: usize = 59;
    // SAFETY: our own code, and a byte of a record, which is never freed.
    unsafe { plain(libc::SYS_prctl, [SET, mode, start, length, selector]) }
}

/// Has calls handed over from the handler's return to this context on; false if that cannot
/// be.
pub(crate) fn arm(record: &Record, context: &mut Context) -> bool {
    can_be(record) && stack::lend(&record.region, context) && {
        arm_with(record, mask_of(&mut context.uc_sigmask))
    }
}

fn can_be(record: &Record) -> bool {
    !record.region.no_dispatch.load(Relaxed) && is_available()
}

/// With this mask from then on, and now with the signals blocked that matter.
fn arm_with(record: &Record, mask: &mut u64) -> bool {
    let region = &record.region;
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
    if !can_be(record) || !stack::lend_here(region) {
        return;
    }
    let (all, mut before) = (!0_u64, 0_u64);
    let places = [&raw const all as usize, &raw mut before as usize];
    // SAFETY: two sets, which outlive the call.
    unsafe {
        plain(libc::SYS_rt_sigprocmask, [libc::SIG_SETMASK as usize, places[0], places[1], 8])
    };
    let armed = arm_with(record, &mut before);
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
    // mutant: standing-aside-gives-stack-back
    stack::give_back_on_return(region, context);
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
    // mutant: standing-aside-is-not-for-ever
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

/// Has nothing handed over any more.
pub(crate) fn end(record: &Record) {
    let region = &record.region;
    region.selector.store(0, Relaxed);
    compiler_fence(SeqCst);
    if region.dispatching.swap(false, Relaxed) {
        set_dispatch(OFF, 0, 0, 0);
    }
}

/// After [`end`], and when no tick can come: puts back the mask and the stack.
pub(crate) fn give_back(record: &Record) {
    give_back_mask(record);
    stack::give_back(&record.region);
}

/// In a forked child, whose calls are not handed over.
pub(crate) fn forget(record: &Record) {
    record.region.selector.store(0, Relaxed);
    record.region.dispatching.store(false, Relaxed);
    // What hid it is fork(3) itself, which blocks every signal and gives the mask back in
    // the child by a call that is not handed over: on musl it has done so already.
    record.region.hidden.fetch_and(!SIGSYS, Relaxed);
    give_back_mask(record);
    stack::give_back(&record.region);
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
