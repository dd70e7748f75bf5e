//! The one signal: installing the handler, sending, draining, the barrier.
//!
//! # Safety
//!
//! The invariant of this module: the handler is installed only with what the
//! signal did before [kept](earlier), and reads nothing that a later attempt to
//! install writes.

#![allow(unsafe_code)]

mod copies;
mod earlier;
mod handler;
mod image;
mod queued;

use crate::runtime::record::Record;
use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::io;

static SIGNAL: AtomicI32 = AtomicI32::new(0);
static HAS_MEMBARRIER: AtomicBool = AtomicBool::new(false);

const MEMBARRIER_GLOBAL: c_int = 1;
const MEMBARRIER_PRIVATE_EXPEDITED: c_int = 1 << 3;
const MEMBARRIER_REGISTER_PRIVATE_EXPEDITED: c_int = 1 << 4;

/// Whether it can be caught, no fault raises it, its default action is not to
/// stop the process (which nothing but the kernel can do for a stray one), and
/// sending it cannot fail: that of a real-time signal does when too many are
/// pending (sigqueue(3)).
pub(crate) fn is_usable(signal: c_int) -> bool {
    const REFUSED: [c_int; 11] = [
        libc::SIGKILL,
        libc::SIGSTOP,
        libc::SIGTSTP,
        libc::SIGTTIN,
        libc::SIGTTOU,
        libc::SIGSEGV,
        libc::SIGBUS,
        libc::SIGILL,
        libc::SIGFPE,
        libc::SIGTRAP,
        libc::SIGSYS,
    ];
    (1..32).contains(&signal) && !REFUSED.contains(&signal)
}

/// Why the handler was not installed.
pub(crate) enum Refusal {
    /// sigaction(2) failed.
    Io(io::Error),
    /// Another copy of the runtime has the signal, and its threads keep it
    /// blocked where ours would not, or the other way round.
    OtherCopy,
}

/// Installs the handler, for threads that keep the signal blocked (`masked`) or
/// not, or as another copy of the runtime has it. Whether they do.
pub(crate) fn install(signal: c_int, masked: Option<bool>) -> Result<bool, Refusal> {
    image::stay(handler::on_signal as *const c_void);
    loop {
        let mut before = exchange(signal, None).map_err(Refusal::Io)?;
        if is_ours(&before)
            && let Some(kept) = earlier::action(signal)
        {
            // Of an installation in whose midst the process was forked.
            before = *kept;
        }
        let theirs = copies::masked_by(&before);
        let masked = masked.or(theirs).unwrap_or(false);
        if theirs.is_some_and(|theirs| theirs != masked) {
            return Err(Refusal::OtherCopy);
        }
        earlier::keep(signal, before);
        SIGNAL.store(signal, Ordering::Relaxed);
        // SAFETY: zeroed is an action; the handler keeps its module's invariant.
        let mut action: libc::sigaction = unsafe { core::mem::zeroed() };
        action.sa_sigaction = handler::on_signal as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | earlier::flags_after(signal, &before);
        action.sa_mask = copies::mask(masked);
        let replaced = exchange(signal, Some(&action)).map_err(Refusal::Io)?;
        let as_seen = replaced.sa_sigaction == before.sa_sigaction
            && replaced.sa_flags == before.sa_flags
            && copies::masked_by(&replaced) == theirs;
        if as_seen || is_ours(&replaced) {
            let has = membarrier(MEMBARRIER_REGISTER_PRIVATE_EXPEDITED).is_ok();
            HAS_MEMBARRIER.store(has, Ordering::Relaxed);
            return Ok(masked);
        }
        // Another installation, of whatever handler, came between: once more.
        exchange(signal, Some(&replaced)).map_err(Refusal::Io)?;
    }
}

/// Puts back what was there before, when no request can have been made yet;
/// unless another handler is on top of ours by now.
pub(crate) fn uninstall() {
    let signal = number();
    if exchange(signal, None).is_ok_and(|now| is_ours(&now)) {
        let _ = exchange(signal, earlier::action(signal));
    }
}

fn is_ours(action: &libc::sigaction) -> bool {
    action.sa_sigaction == handler::on_signal as *const () as usize
}

/// The action of a signal, which is replaced if another is given. sigaction(2).
fn exchange(signal: c_int, action: Option<&libc::sigaction>) -> io::Result<libc::sigaction> {
    let action = action.map_or(core::ptr::null(), core::ptr::from_ref);
    // SAFETY: zeroed is an action, in a place of its own; the new one is null or
    // an action whose handler keeps its module's invariant, or was there before.
    unsafe {
        let mut before: libc::sigaction = core::mem::zeroed();
        match libc::sigaction(signal, action, &raw mut before) {
            0 => Ok(before),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// What the install-time timer carries, so that its signal is told apart from
/// a user's timer with the same number.
pub(crate) fn probe_value() -> libc::sigval {
    libc::sigval { sival_ptr: SIGNAL.as_ptr().cast() }
}

fn is_probe(value: libc::sigval) -> bool {
    value.sival_ptr == probe_value().sival_ptr
}

/// The signal in use.
pub(crate) fn number() -> c_int {
    SIGNAL.load(Ordering::Relaxed)
}

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
pub(crate) fn send(process: c_int, thread: c_int, record: &Record, sequence: u32) -> bool {
    if process != process_id() {
        return false;
    }
    let errno = saved_errno();
    let info = queued::info(number(), process, record, sequence);
    // SAFETY: integers, and a siginfo that outlives the call.
    let sent = unsafe {
        let call = libc::SYS_rt_tgsigqueueinfo;
        libc::syscall(call, process, thread, number(), &raw const info) == 0
            || libc::syscall(libc::SYS_tgkill, process, thread, number()) == 0
    };
    restore_errno(errno);
    sent
}

/// Sends a signal to the calling thread, for no record.
fn send_self(signal: c_int) {
    // SAFETY: three integers.
    unsafe { libc::syscall(libc::SYS_tgkill, process_id(), thread_id(), signal) };
}

/// Makes every running thread of the process pass a full memory barrier; false
/// if the kernel cannot, and then the caller signals without looking at the
/// marker. membarrier(2).
pub(crate) fn barrier() -> bool {
    if crate::runtime::backend::in_force() == Some(crate::Backend::Ppoll) {
        // That backend's thread orders its own accesses.
        return true;
    }
    HAS_MEMBARRIER.load(Ordering::Relaxed) && all_pass().is_ok()
}

/// Makes every running thread of the process pass a full memory barrier, on any
/// backend and before there is one; false if the kernel cannot. membarrier(2).
pub(crate) fn barrier_for_all() -> bool {
    // Miri has no such call.
    !cfg!(miri)
        && (all_pass().is_ok()
            || membarrier(MEMBARRIER_REGISTER_PRIVATE_EXPEDITED).is_ok() && all_pass().is_ok())
}

/// Whether [`barrier`] is one.
pub(crate) fn has_membarrier() -> bool {
    HAS_MEMBARRIER.load(Ordering::Relaxed)
}

/// The quick barrier, which takes memory in the kernel; without that the one
/// that waits for every processor, some milliseconds.
fn all_pass() -> Result<(), c_int> {
    match membarrier(MEMBARRIER_PRIVATE_EXPEDITED) {
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
    restore_errno(errno);
    done
}

/// Takes a signal that is pending or blocked for the calling thread now. The
/// system call delivers what is pending on its way out.
pub(crate) fn drain(blocked_again: bool) {
    set_mask(libc::SIG_UNBLOCK);
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
        libc::sigaddset(&raw mut set, number());
        libc::pthread_sigmask(how, &raw const set, &raw mut before);
        before
    }
}

/// Gives the calling thread this mask.
pub(crate) fn restore_mask(mask: &libc::sigset_t) {
    // SAFETY: a mask that pthread_sigmask has filled in.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, mask, core::ptr::null_mut()) };
}

/// `sizeof(sigset_t)` as the kernel counts it.
pub(crate) const KERNEL_MASK_SIZE: usize = 8;

/// The calling thread's mask without the stop signal: what `ppoll` waits with.
pub(crate) fn open_mask() -> libc::sigset_t {
    // SAFETY: a local set that pthread_sigmask fills in.
    let set = unsafe {
        let mut set: libc::sigset_t = core::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_BLOCK, core::ptr::null(), &raw mut set);
        set
    };
    without(set)
}

/// The caller's mask or, if it gave none, the thread's own; with the stop
/// signal open.
///
/// # Safety
///
/// `mask` is 0 or the address of a mask.
pub(crate) unsafe fn opened(mask: usize, size: usize) -> libc::sigset_t {
    if mask == 0 {
        return open_mask();
    }
    // SAFETY: zeroed is a set; and the caller's mask, of the size that it says,
    // into the first bytes of ours.
    let set = unsafe {
        let mut set: libc::sigset_t = core::mem::zeroed();
        let bytes = size.min(KERNEL_MASK_SIZE);
        core::ptr::copy_nonoverlapping(mask as *const u8, (&raw mut set).cast::<u8>(), bytes);
        set
    };
    without(set)
}

/// The set without the stop signal.
pub(crate) fn without(mut set: libc::sigset_t) -> libc::sigset_t {
    // The number is known only then.
    crate::runtime::backend::ensure();
    // SAFETY: a local set, filled in by the caller.
    unsafe { libc::sigdelset(&raw mut set, number()) };
    set
}

fn saved_errno() -> c_int {
    // SAFETY: the calling thread's errno.
    unsafe { *libc::__errno_location() }
}

fn restore_errno(errno: c_int) {
    // SAFETY: the calling thread's errno.
    unsafe { *libc::__errno_location() = errno }
}
