//! Calls that do not wait because they say so themselves: by a flag, by no time, or by the
//! descriptor's own flag. They are no waits to end.
//!
//! Where each call is handed over, those that move data through sockets and pipes are ended
//! all the same: an event loop was told that these are ready, and would ask for ever.

use super::kernel::{AGAIN, given, now, time};
use super::look::{Kind, is_nonblocking, kind};
use super::verdict::Call;
use core::ffi::c_long;

/// libc has it for musl alone.
#[cfg(target_arch = "x86_64")]
pub(super) const SYS_IO_PGETEVENTS: c_long = 333;
#[cfg(not(target_arch = "x86_64"))]
pub(super) const SYS_IO_PGETEVENTS: c_long = 292;

/// Whether this is one. The [rules](super::rules) of the calls that are not named here look
/// for themselves.
pub(super) fn is(call: &Call<'_>) -> bool {
    let args = call.args;
    let has = |which: usize, flag: i32| args[which] as i32 & flag != 0;
    match call.number {
        libc::SYS_read
        | libc::SYS_readv
        | libc::SYS_pread64
        | libc::SYS_preadv
        | libc::SYS_write
        | libc::SYS_writev
        | libc::SYS_pwrite64
        | libc::SYS_pwritev
        | libc::SYS_accept
        | libc::SYS_accept4
        | libc::SYS_sendfile => is_nonblocking(args[0]),
        libc::SYS_preadv2 | libc::SYS_pwritev2 => {
            has(5, libc::RWF_NOWAIT) || is_nonblocking(args[0])
        }
        libc::SYS_recvmsg | libc::SYS_sendmsg => {
            has(2, libc::MSG_DONTWAIT) || is_nonblocking(args[0])
        }
        libc::SYS_recvfrom | libc::SYS_recvmmsg | libc::SYS_sendto | libc::SYS_sendmmsg => {
            has(3, libc::MSG_DONTWAIT) || is_nonblocking(args[0])
        }
        libc::SYS_splice => {
            // Of a socket the call's own flag says nothing.
            let never_waits = |end| matches!(kind(end), Kind::Pipe | Kind::File);
            has(5, SPLICE_F_NONBLOCK)
                && [args[0], args[2]].into_iter().all(|end| never_waits(end) || is_nonblocking(end))
        }
        libc::SYS_tee | libc::SYS_vmsplice => has(3, SPLICE_F_NONBLOCK),
        libc::SYS_rt_sigtimedwait => time(args[2]) == Some(true),
        libc::SYS_msgsnd => has(3, libc::IPC_NOWAIT),
        libc::SYS_msgrcv => has(4, libc::IPC_NOWAIT),
        libc::SYS_semop => never_waits(args[1], args[2]),
        libc::SYS_semtimedop => time(args[3]) == Some(true) || never_waits(args[1], args[2]),
        libc::SYS_mq_timedsend | libc::SYS_mq_timedreceive => {
            is_nonblocking(args[0]) || is_past(args[4])
        }
        libc::SYS_io_getevents | SYS_IO_PGETEVENTS => {
            args[1].cast_signed() <= 0 || time(args[4]) == Some(true)
        }
        _ => false,
    }
}

const SPLICE_F_NONBLOCK: i32 = libc::SPLICE_F_NONBLOCK.cast_signed();

/// Whether each of these steps of a semaphore (`struct sembuf`: which, by how much, flags)
/// only raises it, or says so.
fn never_waits(steps: usize, count: usize) -> bool {
    // No set of them may be asked for more (`semopm`).
    count <= 4096
        && (0..count).all(|at| {
            given::<[i16; 3]>(steps + at * size_of::<[i16; 3]>())
                .is_some_and(|[_, by, flags]| by > 0 || i32::from(flags) & libc::IPC_NOWAIT != 0)
        })
}

/// Whether this time has passed.
fn is_past(address: usize) -> bool {
    given::<[i64; 2]>(address).is_some_and(|time| time <= now())
}

/// What one of them says in the place of `EINTR` if a signal has met it.
pub(super) fn interrupted(number: c_long, args: &[usize; 6]) -> Option<isize> {
    match number {
        libc::SYS_semtimedop if time(args[3]) == Some(true) => Some(AGAIN),
        libc::SYS_io_getevents | SYS_IO_PGETEVENTS
            if args[1] == 0 || time(args[4]) == Some(true) =>
        {
            Some(0)
        }
        _ => None,
    }
}
