//! Sending and catching signals of the test's own.
//!
//! # Safety
//!
//! The invariant of this module: handlers installed through it only do what
//! signal-safety(7) allows.

use std::os::fd::{AsRawFd, RawFd};

/// The stop signal unless a test chooses another.
pub const STOP: i32 = libc::SIGURG;

/// A handler of the three-argument kind.
pub type Handler = extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void);

/// Installs a handler; `flags` besides `SA_SIGINFO`, and the signals blocked
/// while it runs. sigaction(2).
pub fn catch(signal: i32, handler: Handler, flags: i32, blocked: &[i32]) {
    // SAFETY: a zeroed action is valid; the handler has the type that
    // SA_SIGINFO asks for and keeps the module's invariant.
    unsafe {
        let mut action: libc::sigaction = core::mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = flags | libc::SA_SIGINFO;
        libc::sigemptyset(&raw mut action.sa_mask);
        for one in blocked {
            libc::sigaddset(&raw mut action.sa_mask, *one);
        }
        assert_eq!(libc::sigaction(signal, &raw const action, core::ptr::null_mut()), 0);
    }
}

/// Sends a signal to a thread of this process. tgkill(2).
pub fn send(thread: i32, signal: i32) {
    send_to(std::process::id().cast_signed(), thread, signal);
}

/// Sends a signal to a thread of any process. tgkill(2).
pub fn send_to(process: i32, thread: i32, signal: i32) {
    // SAFETY: three integers.
    let sent = unsafe { libc::syscall(libc::SYS_tgkill, process, thread, signal) };
    assert_eq!(sent, 0, "tgkill of {thread}: {}", std::io::Error::last_os_error());
}

/// Blocks or unblocks (`SIG_BLOCK`, `SIG_UNBLOCK`) a signal in the calling
/// thread. `pthread_sigmask(3)`.
pub fn mask(how: i32, signal: i32) {
    // SAFETY: a local set, initialised before it is used.
    unsafe {
        let mut set: libc::sigset_t = core::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, signal);
        assert_eq!(libc::pthread_sigmask(how, &raw const set, core::ptr::null_mut()), 0);
    }
}

/// Whether a signal is blocked in the calling thread.
pub fn is_masked(signal: i32) -> bool {
    // SAFETY: a local set that pthread_sigmask fills in.
    unsafe {
        let mut set: libc::sigset_t = core::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_BLOCK, core::ptr::null(), &raw mut set);
        libc::sigismember(&raw const set, signal) == 1
    }
}

/// read(2) of one byte, as it is: 1, 0, or -1 with the errno.
pub fn plain_read(descriptor: RawFd) -> Result<isize, i32> {
    let mut byte = 0_u8;
    // SAFETY: one writable byte.
    let length = unsafe { libc::read(descriptor, (&raw mut byte).cast(), 1) };
    if length < 0 { Err(errno()) } else { Ok(length) }
}

/// write(2) of one byte. Async-signal-safe.
pub fn plain_write(descriptor: RawFd) -> bool {
    // SAFETY: one readable byte.
    unsafe { libc::write(descriptor, b"x".as_ptr().cast(), 1) == 1 }
}

/// The number of bytes that wait in a pipe. `FIONREAD`, ioctl(2).
pub fn waiting(pipe: &impl AsRawFd) -> i32 {
    let mut count = 0;
    // SAFETY: FIONREAD writes one int.
    assert_eq!(unsafe { libc::ioctl(pipe.as_raw_fd(), libc::FIONREAD, &raw mut count) }, 0);
    count
}

/// The calling thread's errno.
pub fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// Sets it; to something that nothing here does by itself.
pub fn set_errno(errno: i32) {
    // SAFETY: the calling thread's errno.
    unsafe { *libc::__errno_location() = errno }
}
