//! The one signal: sending, draining, the barrier.
//!
//! # Safety
//!
//! The invariant of this module: what is handed to the kernel is a number, or a
//! structure of its own that is filled in first.

#![allow(unsafe_code)]

use crate::runtime::backend::Backend;
use crate::runtime::installed;
use crate::runtime::siginfo;
use core::ffi::c_int;
use core::sync::atomic::{AtomicBool, Ordering, compiler_fence, fence};

static HAS_MEMBARRIER: AtomicBool = AtomicBool::new(false);
static ORDERED_BY_OTHERS: AtomicBool = AtomicBool::new(false);

const MEMBARRIER_GLOBAL: c_int = 1;
const MEMBARRIER_PRIVATE_EXPEDITED: c_int = 1 << 3;
const MEMBARRIER_REGISTER_PRIVATE_EXPEDITED: c_int = 1 << 4;

pub(crate) fn process_id() -> c_int {
    // SAFETY: takes no argument, cannot fail.
    unsafe { libc::getpid() }
}

pub(crate) fn thread_id() -> c_int {
    // SAFETY: takes no argument, cannot fail.
    unsafe { libc::syscall(libc::SYS_gettid) as c_int }
}

/// Sends the stop signal to a thread of this process, with the number of the
/// claim under which it is sent. In a forked child, where `process` is the
/// parent's id, the thread does not exist: nothing is sent.
/// `rt_tgsigqueueinfo(2)`; tgkill(2) where that is refused, and then the number
/// is missing.
pub(crate) fn send<T>(process: c_int, thread: c_int, record: *const T, sequence: u32) -> bool {
    // mutant: forked-child-spares-parents-threads
    if process != process_id() {
        return false;
    }
    let errno = saved_errno();
    let info = siginfo::info(installed::signal(), process, record, sequence);
    // SAFETY: integers, and a siginfo that outlives the call.
    let sent = unsafe {
        let call = libc::SYS_rt_tgsigqueueinfo;
        libc::syscall(call, process, thread, installed::signal(), &raw const info) == 0
            || libc::syscall(libc::SYS_tgkill, process, thread, installed::signal()) == 0
    };
    // mutant: request-leaves-errno-alone-signal
    restore_errno(errno);
    sent
}

/// Sends a signal to the calling thread, for no record.
pub(super) fn send_self(signal: c_int) {
    // SAFETY: three integers.
    unsafe { libc::syscall(libc::SYS_tgkill, process_id(), thread_id(), signal) };
}

/// Makes every running thread of the process pass a full memory barrier; false
/// if the kernel cannot, and then the caller signals without looking at the
/// marker. membarrier(2).
pub(crate) fn barrier() -> bool {
    let is_ppoll = installed::backend() == Some(Backend::Ppoll);
    if is_ppoll || !has_membarrier() {
        // Threads order their own accesses then, and the caller its own: between what it
        // has stored and a look that is not SeqCst.
        fence(Ordering::SeqCst);
        return is_ppoll;
    }
    // mutant: all-threads-pass-barrier-before
    let passed = all_pass().is_ok();
    if !passed {
        // Forbidden since it was asked for (seccomp(2)).
        ORDERED_BY_OTHERS.store(false, Ordering::Relaxed);
        HAS_MEMBARRIER.store(false, Ordering::Relaxed);
    }
    passed
}

/// Whether the barrier of others makes one of a thread's own as well, between a store
/// that they look for and a look at what they store.
#[inline]
pub(crate) fn is_ordered_by_others() -> bool {
    ORDERED_BY_OTHERS.load(Ordering::Relaxed)
}

/// Between a store that others look for and a look at what they store.
#[inline]
pub(crate) fn order() {
    if is_ordered_by_others() {
        compiler_fence(Ordering::SeqCst);
    } else {
        // mutant: own-fence-where-others-have-none
        fence(Ordering::SeqCst);
    }
}

/// Part of the installation.
pub(super) fn set_order(backend: Backend) {
    let by_others = backend != Backend::Ppoll && has_membarrier();
    ORDERED_BY_OTHERS.store(by_others, Ordering::Relaxed);
}

/// Makes every running thread of the process pass a full memory barrier, on any
/// backend and before there is one; false if the kernel cannot. membarrier(2).
pub(crate) fn barrier_for_all() -> bool {
    // Miri has no such call.
    !cfg!(miri)
        && (all_pass().is_ok()
            || membarrier(MEMBARRIER_REGISTER_PRIVATE_EXPEDITED).is_ok() && all_pass().is_ok())
}

/// Asks for the quick barrier. Part of the installation.
pub(super) fn register_membarrier() {
    let has = membarrier(MEMBARRIER_REGISTER_PRIVATE_EXPEDITED).is_ok();
    // mutant: barrier-registered
    HAS_MEMBARRIER.store(has, Ordering::Relaxed);
}

/// Whether [`barrier`] is one.
pub(crate) fn has_membarrier() -> bool {
    HAS_MEMBARRIER.load(Ordering::Relaxed)
}

/// The quick barrier, which takes memory in the kernel; without that the one
/// that waits for every processor, some milliseconds.
fn all_pass() -> Result<(), c_int> {
    match membarrier(MEMBARRIER_PRIVATE_EXPEDITED) {
        // mutant: barrier-without-memory
        Err(libc::ENOMEM) => membarrier(MEMBARRIER_GLOBAL),
        done => done,
    }
}

fn membarrier(command: c_int) -> Result<(), c_int> {
    let errno = saved_errno();
    // SAFETY: three integers.
    let done = match unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) } {
        0 => Ok(()),
        _ => Err(saved_errno()),
    };
    // mutant: request-leaves-errno-alone-barrier
    restore_errno(errno);
    done
}

/// Takes a signal that is pending or blocked for the calling thread now. The
/// system call delivers what is pending on its way out.
pub(crate) fn drain(blocked_again: bool) {
    set_mask(libc::SIG_UNBLOCK);
    // mutant: without-windows-blocked-again
    if blocked_again {
        set_mask(libc::SIG_BLOCK);
    }
}

/// Blocks or unblocks the stop signal in the calling thread; the mask before.
pub(crate) fn set_mask(how: c_int) -> libc::sigset_t {
    // SAFETY: local sets, initialised before they are used.
    unsafe {
        let mut set: libc::sigset_t = core::mem::zeroed();
        let mut before: libc::sigset_t = core::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, installed::signal());
        libc::pthread_sigmask(how, &raw const set, &raw mut before);
        before
    }
}

/// Whether the stop signal is one of them.
pub(crate) fn is_stop_in(mask: &libc::sigset_t) -> bool {
    // SAFETY: a mask that pthread_sigmask has filled in.
    unsafe { libc::sigismember(mask, installed::signal()) == 1 }
}

/// Gives the calling thread this mask.
pub(crate) fn restore_mask(mask: &libc::sigset_t) {
    // SAFETY: a mask that pthread_sigmask has filled in.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, mask, core::ptr::null_mut()) };
}

/// Starts a thread, which inherits the mask of the one that starts it: no handler
/// runs on it.
pub(crate) fn with_all_blocked<R>(start: impl FnOnce() -> R) -> R {
    // SAFETY: local sets, the one filled in before it is used, the other by
    // the call.
    let before = unsafe {
        let mut all: libc::sigset_t = core::mem::zeroed();
        let mut before: libc::sigset_t = core::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        before
    };
    let result = start();
    restore_mask(&before);
    result
}

/// `sizeof(sigset_t)` as the kernel counts it.
pub(crate) const KERNEL_MASK_SIZE: usize = 8;

fn saved_errno() -> c_int {
    // SAFETY: the calling thread's errno.
    unsafe { *libc::__errno_location() }
}

fn restore_errno(errno: c_int) {
    // SAFETY: the calling thread's errno.
    unsafe { *libc::__errno_location() = errno }
}
