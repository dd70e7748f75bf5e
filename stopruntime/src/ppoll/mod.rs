//! The backend without assembly. The stop signal is blocked in the thread and
//! opened only by the kernel, together with the wait, in `ppoll` (its
//! `sigmask` argument); the call itself is then made so that it cannot wait.
//!
//! | call | made non-waiting by |
//! |---|---|
//! | `recvfrom` `recvmsg` `sendto` `sendmsg` | `MSG_DONTWAIT` |
//! | `read` `readv` `write` `writev` | `RWF_NOWAIT`, of a socket `MSG_DONTWAIT`; files on disk never wait |
//! | `accept4`, devices without `RWF_NOWAIT` | a look at readiness, one at a time among this process's stop-checked callers |
//! | `connect` | `O_NONBLOCK` while it is made |
//! | `poll` `ppoll` `clock_nanosleep` | being `ppoll` |
//! | `select` `epoll_pwait` `sigsuspend` `io_uring_enter` | the mask they have of their own |
//! | `sigtimedwait` | waiting for the stop signal as well |
//! | `waitid` `wait4` of one child | a pidfd (Linux 5.3), then `WNOHANG` |
//! | `futex` wait, `futex_waitv` | `futex_waitv` over the words and the flag (Linux 5.16) |
//! | `futex` wait without that, or for some bits | the signal open in it, and its [time-out](crate::runtime::timeout) |
//! | message queues | a deadline that has passed |
//!
//! Everything else fails with `ENOTSUP`: never a silent unstoppable wait. The
//! whole table stands at [`sys`](crate::sys).
//!
//! # Safety
//!
//! The invariant of this module: whoever calls it answers for the system call
//! with these arguments, and what is made in its place is the same call with a
//! flag added or a prefix of its buffer.

#![allow(unsafe_code)]

mod event;
mod file;
mod futex;
mod immediate;
pub(crate) mod mask;
mod masked;
mod ready;
mod transfer;
mod wait;

pub(crate) use event::now;
pub(crate) use file::{is_on_disk, kind_of};
use wait::{wait_one, wait_open};

use crate::kernel::abi;
use crate::kernel::select::One;
use crate::runtime::record::Record;
use crate::runtime::scopes::LOOK;
use crate::scope::Stopped;
use core::ffi::{c_int, c_long};
use core::sync::atomic::{Ordering, fence};

const INTERRUPTED: isize = -(libc::EINTR as isize);
const UNSUPPORTED: isize = -(libc::ENOTSUP as isize);

/// Stands in for the system call: same effect, same raw result.
///
/// # Safety
///
/// As the system call itself.
pub(crate) unsafe fn call(
    record: &Record,
    number: c_long,
    args: [usize; 6],
) -> Result<isize, Stopped> {
    // mutant: call-does-not-begin-when
    if record.must_stop() {
        return Err(Stopped::new());
    }
    // SAFETY: handed on to the piece that knows the call.
    unsafe {
        match number {
            libc::SYS_recvfrom => transfer::receive(record, args),
            libc::SYS_sendto => transfer::with_flag(record, number, args, 3),
            libc::SYS_recvmsg | libc::SYS_sendmsg => transfer::with_flag(record, number, args, 2),
            libc::SYS_recvmmsg | libc::SYS_sendmmsg => transfer::with_flag(record, number, args, 3),
            libc::SYS_read | libc::SYS_write | libc::SYS_readv | libc::SYS_writev => {
                transfer::vectored(record, number, args)
            }
            libc::SYS_preadv2 | libc::SYS_pwritev2 => transfer::positioned(record, number, args),
            abi::SYS_accept | libc::SYS_accept4 => {
                transfer::when_ready(record, number, args, libc::POLLIN)
            }
            libc::SYS_connect => event::connect(record, args),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_poll => event::poll(record, args),
            libc::SYS_ppoll => event::ppoll(record, args),
            libc::SYS_clock_nanosleep => event::sleep(record, args),
            libc::SYS_waitid => event::child(record, args),
            libc::SYS_wait4 => event::any_child(record, args),
            libc::SYS_futex => futex::wait(record, args),
            libc::SYS_futex_waitv => futex::wait_for_any(record, args),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_pause => event::ppoll(record, [0; 6]),
            libc::SYS_pselect6 => masked::select(record, args),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_epoll_wait => {
                let [epoll, events, count, timeout, ..] = args;
                masked::epoll(record, libc::SYS_epoll_pwait, [epoll, events, count, timeout, 0, 0])
            }
            libc::SYS_epoll_pwait | libc::SYS_epoll_pwait2 => masked::epoll(record, number, args),
            libc::SYS_io_uring_enter => masked::ring(record, args),
            libc::SYS_rt_sigsuspend => masked::suspend(record, args),
            libc::SYS_rt_sigtimedwait => masked::wait_for_signal(record, args),
            libc::SYS_mq_timedreceive | libc::SYS_mq_timedsend => {
                masked::message_queue(record, number, args)
            }
            libc::SYS_flock => Ok(immediate::flock(args)),
            abi::SYS_fcntl => Ok(immediate::fcntl(args)),
            abi::SYS_msgrcv => Ok(immediate::message(number, args, 4)),
            abi::SYS_msgsnd => Ok(immediate::message(number, args, 3)),
            abi::SYS_semtimedop => Ok(immediate::semaphore(args)),
            libc::SYS_openat | libc::SYS_openat2 => Ok(immediate::open(number, args)),
            libc::SYS_open_by_handle_at => Ok(immediate::open_by_handle(args)),
            _ if ENDS_BY_ITSELF.contains(&number) => Ok(plain(number, args)),
            // mutant: what-cannot-waited-for-refused-everything
            _ => Ok(UNSUPPORTED),
        }
    }
}

/// Calls that wait for nothing but the machine; positioned transfers are for
/// files on disk only.
const ENDS_BY_ITSELF: [c_long; 13] = [
    libc::SYS_copy_file_range,
    libc::SYS_fallocate,
    libc::SYS_fdatasync,
    libc::SYS_fsync,
    libc::SYS_getrandom,
    libc::SYS_msync,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_pwrite64,
    libc::SYS_pwritev,
    libc::SYS_sync,
    abi::SYS_sync_file_range,
    libc::SYS_syncfs,
];

/// The system call as it is: raw result, negated errno.
///
/// # Safety
///
/// As the system call itself.
pub(crate) unsafe fn plain(number: c_long, args: [usize; 6]) -> isize {
    // SAFETY: the caller answers for the call.
    let result =
        unsafe { libc::syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]) };
    if result == -1 {
        // SAFETY: the calling thread's errno.
        -(unsafe { *libc::__errno_location() } as isize)
    } else {
        result as isize
    }
}

/// Runs the one system call that waits, between setting and clearing the
/// marker, unless a stop is requested.
pub(crate) fn inside<R>(record: &Record, wait: impl FnOnce() -> R) -> Result<R, Stopped> {
    loop {
        // mutant: marker-set-before-wait
        record.line.marker.store(1, Ordering::SeqCst);
        // Race 1 of the protocol: here the thread pays for the fence itself.
        // mutant: in-this-order
        fence(Ordering::SeqCst);
        // mutant: flag-looked-at-after
        if record.line.flag.load(Ordering::SeqCst) != LOOK {
            break;
        }
        left(record);
        if record.must_stop() {
            return Err(Stopped::new());
        }
    }
    let outcome = wait();
    left(record);
    Ok(outcome)
}

/// The marker is cleared, and a request that has come since is waited for.
fn left(record: &Record) {
    // mutant: marker-cleared-after-wait
    record.line.marker.store(0, Ordering::SeqCst);
    fence(Ordering::SeqCst);
    if record.line.flag.load(Ordering::SeqCst) & LOOK != 0 {
        // mutant: requesters-waited-for
        record.settle();
        let _ = record.evaluate();
    }
}

/// Whether the descriptor is ready now; an error counts as ready, so that the
/// call itself reports it.
pub(crate) fn is_ready(descriptor: c_int, events: i16) -> bool {
    has_now(descriptor, events) != 0
}

/// The events that the descriptor has now, of these and of those that nobody
/// needs to ask for. poll(2).
pub(crate) fn has_now(descriptor: c_int, events: i16) -> i16 {
    let mut entry = libc::pollfd { fd: descriptor, events, revents: 0 };
    // SAFETY: one entry, which outlives the call.
    while unsafe { libc::poll(&raw mut entry, 1, 0) } < 0 {
        // A poll that does not wait is interrupted as well, by any signal that
        // has just come, and has looked at nothing then.
        match std::io::Error::last_os_error().raw_os_error() {
            // mutant: look-at-readiness-signal-interrupts
            Some(libc::EINTR) => {}
            // As many descriptors as one may not be open.
            Some(libc::EINVAL) => return selects_now(entry),
            _ => return libc::POLLERR,
        }
    }
    entry.revents
}

#[cold]
fn selects_now(mut entry: libc::pollfd) -> i16 {
    let mut one = One::new(entry);
    loop {
        let mut at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        let args = one.args(&raw mut at_once as usize, 0);
        // SAFETY: the sets and the time outlive the call.
        match unsafe { plain(libc::SYS_pselect6, args) } {
            INTERRUPTED => {}
            raw if one.seen(raw, &mut entry) < 0 => return libc::POLLERR,
            _ => return entry.revents,
        }
    }
}

pub(crate) fn is_nonblocking(descriptor: c_int) -> bool {
    // SAFETY: a query on a number.
    let flags = unsafe { libc::fcntl(descriptor, libc::F_GETFL) };
    flags >= 0 && flags & libc::O_NONBLOCK != 0
}
