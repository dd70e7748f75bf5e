//! The backend without assembly. The stop signal is blocked in the thread, and
//! unblocked while a call waits: by the kernel, together with the wait, where the
//! call has a signal mask of its own; around the plain call where it has an
//! argument in memory, which the signal's handler [spoils](crate::runtime::spoil) if it
//! comes before the wait has begun.
//!
//! What has neither is refused with `ENOTSUP` where it would have to wait: never
//! a silent unstoppable wait. Which call goes which way, and why nothing better is
//! possible for those that are refused, stands at [`sys`](crate::sys#backends).
//!
//! # Safety
//!
//! The invariant of this module: whoever calls it answers for the system call
//! with these arguments, and what is made in its place is the same call with a
//! flag added or a prefix of its buffer.

#![allow(unsafe_code)]

mod accept;
mod children;
mod connect;
mod file;
mod futex;
mod ipc;
mod locks;
pub(crate) mod mask;
mod masked;
mod open;
mod sleep;
mod spoiled;
mod transfer;
mod turn;
mod wait;

pub(crate) use file::{is_on_disk, kind_of};
pub(crate) use sleep::now;
use wait::wait_one;

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
            libc::SYS_read | libc::SYS_write => transfer::single(record, number, args),
            #[cfg(target_pointer_width = "64")]
            libc::SYS_pread64 | libc::SYS_pwrite64 => transfer::single(record, number, args),
            libc::SYS_readv
            | libc::SYS_writev
            | libc::SYS_preadv
            | libc::SYS_pwritev
            | libc::SYS_preadv2
            | libc::SYS_pwritev2
            | libc::SYS_vmsplice => transfer::vectored(record, number, args),
            libc::SYS_recvfrom => transfer::recvfrom(record, args),
            libc::SYS_sendto => transfer::sendto(record, args),
            libc::SYS_recvmsg | libc::SYS_sendmsg => transfer::message(record, number, args),
            libc::SYS_recvmmsg | libc::SYS_sendmmsg => transfer::messages(record, number, args),
            abi::SYS_accept | libc::SYS_accept4 => accept::accept(record, number, args),
            libc::SYS_connect => connect::connect(record, args),
            libc::SYS_openat | libc::SYS_openat2 => open::open(record, number, args),
            libc::SYS_open_by_handle_at => open::open_by_handle(record, args),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_poll => wait::poll(record, args),
            libc::SYS_ppoll => wait::ppoll(record, args),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_pause => wait::ppoll(record, [0; 6]),
            libc::SYS_clock_nanosleep => sleep::sleep(record, args),
            libc::SYS_waitid => children::child(record, args),
            libc::SYS_wait4 => children::any_child(record, args),
            libc::SYS_futex => futex::wait(record, args),
            libc::SYS_futex_waitv => futex::wait_for_any(record, args),
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
                ipc::message_queue(record, number, args)
            }
            abi::SYS_msgrcv => Ok(ipc::msgrcv(args)),
            abi::SYS_msgsnd => ipc::msgsnd(record, args),
            abi::SYS_semtimedop => ipc::semaphore(record, args),
            libc::SYS_flock => Ok(locks::flock(args)),
            abi::SYS_fcntl => locks::fcntl(record, args),
            _ if ENDS_BY_ITSELF.contains(&number) => Ok(plain(number, args)),
            // mutant: what-cannot-waited-for-refused-everything
            _ => Ok(UNSUPPORTED),
        }
    }
}

/// Calls that wait for nothing but the machine.
const ENDS_BY_ITSELF: [c_long; 9] = [
    libc::SYS_copy_file_range,
    libc::SYS_fallocate,
    libc::SYS_fdatasync,
    libc::SYS_fsync,
    libc::SYS_getrandom,
    libc::SYS_msync,
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
    // Of a call that a handler has left by siglongjmp: its memory is another's.
    record.argument.disarm();
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
