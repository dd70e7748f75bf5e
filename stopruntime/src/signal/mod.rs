//! The one signal: installing the handler, sending, draining, the barrier.
//!
//! # Safety
//!
//! The invariant of this module: [`PREVIOUS`] and [`SIGNAL`] are written once,
//! before the handler can run, and only read afterwards.

#![allow(unsafe_code)]

mod handler;
mod image;
mod queued;

use crate::record::Record;
use core::cell::UnsafeCell;
use core::ffi::{c_int, c_void};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::io;

/// What the signal did before; read by the handler.
struct Previous(UnsafeCell<MaybeUninit<libc::sigaction>>);
// SAFETY: written once, by the thread that installs, before the handler exists.
unsafe impl Sync for Previous {}

static PREVIOUS: Previous = Previous(UnsafeCell::new(MaybeUninit::zeroed()));
static SIGNAL: AtomicI32 = AtomicI32::new(0);
static HAS_MEMBARRIER: AtomicBool = AtomicBool::new(false);

const MEMBARRIER_PRIVATE_EXPEDITED: c_int = 1 << 3;
const MEMBARRIER_REGISTER_PRIVATE_EXPEDITED: c_int = 1 << 4;

/// Whether it can be caught, no fault raises it, and sending it cannot fail:
/// that of a real-time signal does when too many are pending (sigqueue(3)).
pub(crate) fn is_usable(signal: c_int) -> bool {
    const REFUSED: [c_int; 8] = [
        libc::SIGKILL,
        libc::SIGSTOP,
        libc::SIGSEGV,
        libc::SIGBUS,
        libc::SIGILL,
        libc::SIGFPE,
        libc::SIGTRAP,
        libc::SIGSYS,
    ];
    (1..32).contains(&signal) && !REFUSED.contains(&signal)
}

/// Installs the handler. Called once in a process.
pub(crate) fn install(signal: c_int) -> io::Result<()> {
    image::stay(handler::on_signal as *const c_void);
    // SAFETY: a query into a buffer of the right type, then, with the previous
    // action in place for the handler to chain to, the installation. The
    // handler keeps its module's invariant.
    unsafe {
        if libc::sigaction(signal, core::ptr::null(), (*PREVIOUS.0.get()).as_mut_ptr()) != 0 {
            return Err(io::Error::last_os_error());
        }
        SIGNAL.store(signal, Ordering::Relaxed);
        let mut action: libc::sigaction = core::mem::zeroed();
        action.sa_sigaction = handler::on_signal as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK;
        libc::sigfillset(&raw mut action.sa_mask);
        if libc::sigaction(signal, &raw const action, core::ptr::null_mut()) != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    HAS_MEMBARRIER.store(membarrier(MEMBARRIER_REGISTER_PRIVATE_EXPEDITED), Ordering::Relaxed);
    Ok(())
}

/// Puts back what was there before, when no request can have been made yet.
pub(crate) fn uninstall() {
    // SAFETY: the action that `install` has saved, for the same signal.
    unsafe {
        libc::sigaction(number(), (*PREVIOUS.0.get()).as_ptr(), core::ptr::null_mut());
    }
}

/// Hands a signal that is not ours to the handler that was there before.
///
/// # Safety
///
/// The arguments are those the kernel called our handler with.
unsafe fn chain(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: written before the handler was installed, zeroed (SIG_DFL) before
    // that.
    let previous = unsafe { (*PREVIOUS.0.get()).assume_init_ref() };
    let action = previous.sa_sigaction;
    if action == libc::SIG_DFL || action == libc::SIG_IGN {
        return;
    }
    if previous.sa_flags & libc::SA_SIGINFO != 0 {
        type Long = unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
        // SAFETY: SA_SIGINFO says that the address is of this type.
        let call = unsafe { core::mem::transmute::<usize, Long>(action) };
        // SAFETY: the kernel's own arguments.
        unsafe { call(signal, info, context) }
    } else {
        type Short = unsafe extern "C" fn(c_int);
        // SAFETY: without SA_SIGINFO the address is of this type.
        let call = unsafe { core::mem::transmute::<usize, Short>(action) };
        // SAFETY: as above.
        unsafe { call(signal) }
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

fn send_self(signal: c_int) {
    // SAFETY: three integers.
    unsafe { libc::syscall(libc::SYS_tgkill, process_id(), thread_id(), signal) };
}

/// Makes every running thread of the process pass a full memory barrier; false
/// if the kernel cannot, and then the caller signals without looking at the
/// marker. membarrier(2).
pub(crate) fn barrier() -> bool {
    if crate::backend::in_force() == Some(crate::Backend::Ppoll) {
        // That backend's thread orders its own accesses.
        return true;
    }
    HAS_MEMBARRIER.load(Ordering::Relaxed) && membarrier(MEMBARRIER_PRIVATE_EXPEDITED)
}

/// Makes every running thread of the process pass a full memory barrier, on any
/// backend and before there is one; false if the kernel cannot. membarrier(2).
pub(crate) fn barrier_for_all() -> bool {
    // Miri has no such call.
    !cfg!(miri)
        && (membarrier(MEMBARRIER_PRIVATE_EXPEDITED)
            || membarrier(MEMBARRIER_REGISTER_PRIVATE_EXPEDITED)
                && membarrier(MEMBARRIER_PRIVATE_EXPEDITED))
}

/// Whether [`barrier`] is one.
pub(crate) fn has_membarrier() -> bool {
    HAS_MEMBARRIER.load(Ordering::Relaxed)
}

fn membarrier(command: c_int) -> bool {
    let errno = saved_errno();
    // SAFETY: three integers.
    let done = unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) } == 0;
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
    crate::backend::ensure();
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
