//! Blocking system calls by their libc names, stop-checked: same arguments,
//! same result (-1 and `errno` for an error), as `Result<_, Stopped>`.
//!
//! A signal that is not a request does to them what it does to the plain call:
//! those that the kernel restarts go on waiting, the others fail with `EINTR`
//! (signal(7)). [`Backend::Ppoll`](crate::Backend::Ppoll) makes some calls in
//! another way (below) and goes on waiting in those: `accept`, and `connect` of
//! other addresses than Unix ones.
//!
//! A stop of the process (SIGSTOP) is such a signal as well: on Linux it ends
//! `epoll_wait`, `semtimedop`, `sigtimedwait` and sockets with `SO_RCVTIMEO`
//! with `EINTR`, and the time-out of `ppoll`, `pselect` and `select` stands
//! still meanwhile; so does the time-out of `poll` on architectures without poll(2), where
//! libc makes `ppoll` of it. All other time-outs go on.
//!
//! # EINTR after a partial effect
//!
//! A call reports [`Stopped`] when the kernel ends it with `EINTR`, which nearly
//! always says that nothing has happened. The plain call has
//! exceptions, and a stop has the same: `connect` goes on by itself; `fallocate` on
//! hugetlbfs keeps the pages it has; `open` of a FIFO has shown itself to the
//! other end; `ioctl` depends on the driver; and a file system that is a program
//! (FUSE) may have created, truncated or written a file before it answers with `EINTR`. NFS gives up for signals that kill alone, and
//! calls that have moved some bytes return their number instead. If such a call
//! must be whole or not at all, put it in a [`shield`](crate::shield()).
//!
//! # Backends
//!
//! On [`Backend::Rseq`](crate::Backend::Rseq) and
//! [`Backend::Handler`](crate::Backend::Handler) every call here is the plain
//! system call in a window, except `aio_suspend`. On
//! [`Backend::Ppoll`](crate::Backend::Ppoll) the stop signal is blocked, except
//! while a call waits:
//!
//! | calls | how |
//! |---|---|
//! | `pread` `preadv` `preadv2` `pwrite` `pwritev` `pwritev2` `read` `readv` `vmsplice` `write` `writev` | the call with a vector that the stop signal's handler spoils |
//! | `msgsnd` `recv` `recvfrom` `recvmmsg` `recvmsg` `send` `sendmmsg` `sendmsg` `sendto` | the call with a message that the handler spoils |
//! | `connect` | of a Unix address, the call with an address that the handler spoils; of others, `O_NONBLOCK` while it is made, and `ppoll` |
//! | `accept` `accept4` | `ppoll`, then the call, one at a time among this process's stop-checked callers |
//! | `creat` `open` `open(O_WRONLY)` `openat` `openat(O_WRONLY)` `openat2` | the call with a path that the handler spoils |
//! | `open_by_handle_at` | the call with a handle that the handler spoils |
//! | `fcntl(F_OFD_SETLKW)` `fcntl(F_SETLKW)` `lockf` | the call with a range that the handler spoils |
//! | `futex(FUTEX_LOCK_PI)` `futex(FUTEX_LOCK_PI2)` `futex(FUTEX_WAIT_REQUEUE_PI)` `mq_receive` `mq_send` `mq_timedreceive` `mq_timedsend` `semop` `semtimedop` | the call with a time-out that the handler spoils |
//! | `futex(FUTEX_WAIT)` `futex(FUTEX_WAIT_BITSET)` | `futex_waitv` over the word and the flag (Linux 5.16); without it, or for some bits alone, the call with a time-out that the handler spoils, which other signals end only if the caller gave one |
//! | `futex_waitv` | `futex_waitv` over the words and the flag; for 128 words, the call with a time-out that the handler spoils |
//! | `epoll_pwait` `epoll_pwait2` `epoll_wait` `io_uring_enter` `io_uring_enter2` `pause` `poll` `ppoll` `pselect` `select` `sigpause` `sigsuspend` | with the signal unblocked in the call's own mask |
//! | `sigtimedwait` `sigwait` `sigwaitinfo` | with the stop signal among those waited for |
//! | `clock_nanosleep` `nanosleep` `sleep` `usleep` | `ppoll` of a timer |
//! | `wait4` `waitid` `waitpid` | of one child, a pidfd (Linux 5.3; without it, one that has ended already) |
//! | `flock` `msgrcv` `wait` `wait3` `waitid(P_ALL)` `waitpid(-1)` | the call if it does not have to wait, else `ENOTSUP` |
//! | `sendfile(offset)` `splice(offset)` | the call with an offset that the handler spoils |
//! | `ioctl` `sendfile` `splice` `tcdrain` `tee`, `syscall` of another number | `ENOTSUP` |
//! | `aio_suspend` | by a second thread, as on the others |
//! | `copy_file_range` `fallocate` `fdatasync` `fsync` `getrandom` `msync` `sync` `sync_file_range` `syncfs` | the plain call: it ends by itself |
//!
//! A handler that spoils an argument closes the moment between unblocking the
//! signal and the wait: what comes before is refused by the kernel, what comes
//! later ends the wait, and a call that had its effect says so. It needs an
//! argument that the kernel reads from memory. What is refused has none, or none
//! that can be taken:
//!
//! | refused | why nothing better is possible |
//! |---|---|
//! | `flock` | All its arguments are numbers. A duplicate of the descriptor, which the handler could close, would on closing release all locks that the process has on the file by `fcntl`; a second thread with descriptors of its own would have to close a copy of every one of the process's, which flushes files of NFS and FUSE. To look again and again would break the promise that nothing polls. Prefer `fcntl(F_OFD_SETLKW)`, which is done. |
//! | `msgrcv` | All that it is told are numbers, and it writes to its buffer only when the message has been taken off the queue. POSIX message queues (`mq_receive`) are done. |
//! | `wait`, `waitid(P_ALL)`, of a process group, for stopped and continued children | All that they are told are numbers, and pidfds tell of one child's end alone. Wait for each child by its id. |
//! | `sendfile` and `splice` without an offset, `tee` | All that they are told are numbers, and `SPLICE_F_NONBLOCK` does not reach the other end. Give an offset where there is a file, or copy by `read` and `write`, as `io::copy` does here. |
//! | `ioctl` `tcdrain` | What a request reads, and when, is its driver's to say. Wait for readiness first (`poll`). |
//! | `accept` of a connection that is taken by another process, or by an unmarked call, after the look | It waits. No flag of the call makes it return, and `O_NONBLOCK` would be seen by everything that shares the listener. Make that listener non-blocking, and mark a wait for it (`#[blocking(readable)]`). |
//! | `connect` of streams with other addresses than Unix ones | Not refused, but others that share the socket find it non-blocking while it is being connected. A datagram's socket is not touched. |
//! | `io_uring_enter` with `IORING_ENTER_SQ_WAIT` or a registered argument | The first has no mask, and the second is in the ring's memory. |
//!
//! # Safety
//!
//! The functions here are as unsafe as the system call they make; none of them
//! is async-signal-safe. Masks and time-outs are read before the call is made,
//! and on [`Backend::Ppoll`](crate::Backend::Ppoll) so are arrays and what a
//! message holds. So an address has to be null, which fails as the plain call
//! does, or to lead to what the call takes there, at any alignment: what leads
//! nowhere is not always answered with `EFAULT`.

#![allow(unsafe_code)]

mod aio;
mod fs;
mod futex;
mod mqueue;
mod net;
mod offset64;
mod pipe;
mod poll;
mod process;
mod signal;
mod sysv;
mod time;
mod uring;

pub use aio::*;
pub use fs::*;
pub use futex::*;
pub use mqueue::*;
pub use net::*;
pub use offset64::*;
pub use pipe::*;
pub use poll::*;
pub use process::*;
pub use signal::*;
pub use sysv::*;
pub use time::*;
pub use uring::*;

use crate::call::{self, Raw};
use crate::scope::Stopped;
use core::ffi::c_long;

/// Defines stop-checked calls, one row each: libc's name and signature, then the
/// system call and its arguments, then how it is made without a window, which is a
/// name of [`How`](crate::ppoll::How).
///
/// From these rows `ppoll/numbers.rs`, the table above and the macro's list of
/// libc's functions are generated (`tests/tests/built/rows.rs`).
macro_rules! calls {
    ($(
        $(#[$attribute:meta])*
        $plain:literal $name:ident($($argument:ident: $type:ty),* $(,)?) -> $result:ty
            = $number:ident($($value:expr),*), ppoll: $how:ident;
    )*) => {$(
        const _: crate::ppoll::How = crate::ppoll::How::$how;
        // No link: the libc crate does not have all of them.
        #[doc = concat!("Calls `libc::", $plain, "`, stop-checked.")]
        $(#[$attribute])*
        ///
        /// # Errors
        ///
        /// [`Stopped`](crate::Stopped): a stop is requested and the call had no effect.
        ///
        /// # Safety
        ///
        /// As the plain call.
        #[doc(alias = $plain)]
        #[inline(always)]
        pub unsafe fn $name($($argument: $type),*) -> Result<$result, crate::scope::Stopped> {
            // SAFETY: the caller answers for the call.
            let raw = unsafe { crate::call::call(crate::kernel::abi::$number, [$($value as usize),*]) };
            crate::sys::outcome(raw).map(|value| value as $result)
        }
    )*};
}
use calls;

/// Says of functions that are written out below by which system call they wait,
/// and how without a window.
macro_rules! by_hand {
    ($($plain:literal $(= $number:ident)?, ppoll: $how:ident;)*) => {$(
        $(const _: core::ffi::c_long = crate::kernel::abi::$number;)?
        const _: crate::ppoll::How = crate::ppoll::How::$how;
    )*};
}
use by_hand;

/// The same of numbers that [`syscall_or_stop`] may be given and no function here
/// makes use of.
macro_rules! by_number {
    ($($(#[$attribute:meta])* $number:ident, ppoll: $how:ident;)*) => {$(
        $(#[$attribute])*
        const _: (core::ffi::c_long, crate::ppoll::How) =
            (crate::kernel::abi::$number, crate::ppoll::How::$how);
    )*};
}

by_number! {
    SYS_accept, ppoll: Accept;
    #[cfg(target_arch = "x86_64")]
    SYS_epoll_wait, ppoll: EpollWait;
    #[cfg(target_arch = "x86_64")]
    SYS_pause, ppoll: Pause;
    #[cfg(target_arch = "x86_64")]
    SYS_poll, ppoll: Poll;
    #[cfg(target_pointer_width = "32")]
    SYS_fallocate, ppoll: Plain;
    #[cfg(target_pointer_width = "32")]
    SYS_fcntl, ppoll: Range;
    #[cfg(target_pointer_width = "32")]
    SYS_pread64, ppoll: Plain;
    #[cfg(target_pointer_width = "32")]
    SYS_pwrite64, ppoll: Plain;
    #[cfg(any(target_pointer_width = "32", target_arch = "powerpc64"))]
    SYS_sync_file_range, ppoll: Plain;
}

/// The result as libc has it.
#[inline(always)]
fn outcome(raw: Raw) -> Result<isize, Stopped> {
    let raw = raw.or_stop()?;
    if (-4095..0).contains(&raw) { Ok(fail(call::errno(raw))) } else { Ok(raw) }
}

/// The address of what may be given, or null.
fn address<T>(value: Option<&T>) -> usize {
    value.map_or(0, |value| core::ptr::from_ref(value) as usize)
}

/// Sets `errno`; -1. Inlined: a non-blocking call or a futex wait fails as a
/// matter of course, and libc's own has one call for this as well.
#[inline(always)]
fn fail(errno: core::ffi::c_int) -> isize {
    // SAFETY: the calling thread's errno.
    unsafe { *libc::__errno_location() = errno };
    -1
}

/// Makes any system call, stop-checked; like syscall(2), it gives -1 and `errno` for an error.
///
/// On [`Backend::Ppoll`](crate::Backend::Ppoll) a call that cannot be made
/// stoppable fails with `ENOTSUP`.
///
/// # Errors
///
/// [`Stopped`]: a stop is requested and the call had no effect.
///
/// # Safety
///
/// The system call is sound with these arguments. `close` must not be made
/// this way: interrupted or not, it releases the descriptor (close(2)).
///
/// # Examples
///
/// ```
/// // SAFETY: getpid(2) takes no argument, and changes nothing.
/// let pid = unsafe { stopruntime::sys::syscall_or_stop(libc::SYS_getpid, [0; 6]) };
/// # if stopruntime::backend() != stopruntime::Backend::Ppoll {
/// assert_eq!(pid, Ok(std::process::id().into()));
/// # }
/// ```
#[doc(alias = "syscall")]
#[inline(always)]
pub unsafe fn syscall_or_stop(number: c_long, args: [usize; 6]) -> Result<c_long, Stopped> {
    // SAFETY: the caller answers for the call.
    outcome(unsafe { call::call(number, args) }).map(|value| value as c_long)
}
