//! What each system call gives in a region that is being stopped: one table, from which
//! the documentation is made as well.
//!
//! Whether a call would wait is found out by the form of the same call that does not.

use super::verdict::{Call, Verdict};
use super::{at_once, epoll, readiness, rules};
use core::ffi::c_long;

type Rule = fn(&Call<'_>) -> Verdict;

/// Numbers that only the older architectures have; elsewhere no call has this one.
#[cfg(target_arch = "x86_64")]
use libc::{SYS_epoll_wait, SYS_open, SYS_pause, SYS_poll, SYS_select};
#[cfg(not(target_arch = "x86_64"))]
mod absent {
    #![allow(non_upper_case_globals, reason = "libc's names")]
    pub(super) const SYS_epoll_wait: core::ffi::c_long = -2;
    pub(super) const SYS_open: core::ffi::c_long = -2;
    pub(super) const SYS_pause: core::ffi::c_long = -2;
    pub(super) const SYS_poll: core::ffi::c_long = -2;
    pub(super) const SYS_select: core::ffi::c_long = -2;
}
#[cfg(not(target_arch = "x86_64"))]
use absent::*;

macro_rules! rows {
    ($($calls:literal, $gives:literal, $rule:path, [$($number:expr),*];)*) => {
        /// Says what a system call gives in a [`foreign`](crate::foreign()) region that is being
        /// stopped: the calls, and the result. `CANCEL` is `ECANCELED`, before the call has
        /// had any effect.
        ///
        /// In [`foreign_reset`](crate::foreign_reset) it is `ECONNRESET` from what moves data
        /// through a socket.
        ///
        /// A call that says itself that it does not wait, by a flag or by no time, runs. The
        /// exceptions are sockets and pipes, which `poll` has reported as ready: with an answer
        /// that they are not an event loop would ask for ever.
        ///
        /// Where a timer looks ([`ForeignSupport::Tick`](crate::ForeignSupport::Tick)), these
        /// run as well; a call that waits for a socket or pipe with nothing ready gives `CANCEL`,
        /// data that is there is read, and epoll is left alone.
        ///
        /// | call | result |
        /// |---|---|
        $(#[doc = concat!("| ", $calls, " | ", $gives, " |")])*
        pub const FOREIGN_CALLS: &[(&str, &str)] = &[$(($calls, $gives)),*];

        const ROWS: &[(&[c_long], Rule)] = &[$((&[$($number),*], $rule)),*];
    };
}

rows! {
    "read readv pread64 preadv preadv2 recvfrom recvmsg recvmmsg, of a socket",
        "CANCEL, also if data is there (in `foreign_reset`: `ECONNRESET`); netlink with data: runs",
        rules::read, [libc::SYS_read, libc::SYS_readv, libc::SYS_pread64, libc::SYS_preadv, libc::SYS_preadv2,
            libc::SYS_recvfrom, libc::SYS_recvmsg, libc::SYS_recvmmsg];
    "read, of a pipe", "non-blocking and data there: runs; else CANCEL", rules::read, [];
    "read, of a terminal, device, eventfd, timerfd, signalfd, inotify",
        "data there, or non-blocking: runs; else CANCEL", rules::read, [];
    "anything on files, directories and disks", "runs", rules::run, [];
    "write writev pwrite64 pwritev pwritev2 sendto sendmsg sendmmsg, of a socket",
        "as much as goes without waiting, up to 64 KiB a region; then CANCEL (in `foreign_reset`: `ECONNRESET`)",
        rules::write,
        [libc::SYS_write, libc::SYS_writev, libc::SYS_pwrite64, libc::SYS_pwritev, libc::SYS_pwritev2];
    "write, of a pipe", "non-blocking: runs; room there: runs, 4096 bytes at most; else CANCEL", rules::write, [];
    "write, of a terminal, device, eventfd", "room there, or non-blocking: runs; else CANCEL", rules::write, [];
    "sendto sendmsg sendmmsg", "as `write` of a socket", rules::send,
        [libc::SYS_sendto, libc::SYS_sendmsg, libc::SYS_sendmmsg];
    "accept accept4", "CANCEL", rules::cancel, [libc::SYS_accept, libc::SYS_accept4];
    "connect", "of a stream that blocks: CANCEL; else runs", rules::connect, [libc::SYS_connect];
    "getsockopt of `SO_ERROR`", "of an unconnected socket without an error: the value `ECANCELED`",
        rules::socket_error, [libc::SYS_getsockopt];
    "poll ppoll select pselect",
        "no time: runs. Something is ready: that. Else sockets and pipes are reported as ready; without any, \
         terminals and devices: CANCEL; nothing at all, and a time: 0 as a sleep; else (an eventfd alone) `EINTR`",
        readiness::poll, [SYS_poll, libc::SYS_ppoll];
    "select pselect6", "as `poll`", readiness::select, [SYS_select, libc::SYS_pselect6];
    "epoll_wait epoll_pwait epoll_pwait2",
        "no time: runs. Something is ready: that. Else its sockets and pipes with `EPOLLERR` and `EPOLLHUP`; without \
         any: runs",
        epoll::wait, [SYS_epoll_wait, libc::SYS_epoll_pwait, libc::SYS_epoll_pwait2];
    "nanosleep clock_nanosleep", "0, from the ninth on after a millisecond", rules::sleep,
        [libc::SYS_nanosleep, libc::SYS_clock_nanosleep];
    "wait4", "a status that is there; else CANCEL, and nothing is reaped", rules::wait4, [libc::SYS_wait4];
    "waitid", "as `wait4`", rules::waitid, [libc::SYS_waitid];
    "flock", "the lock if it is free; else CANCEL", rules::flock, [libc::SYS_flock];
    "fcntl `F_SETLKW` `F_OFD_SETLKW`", "the lock if it is free; else CANCEL", rules::fcntl, [libc::SYS_fcntl];
    "open openat openat2", "of a FIFO that blocks: CANCEL; else runs", rules::open,
        [SYS_open, libc::SYS_openat, libc::SYS_openat2];
    "pause rt_sigsuspend", "`EINTR`, the only thing they can say", rules::interrupt,
        [SYS_pause, libc::SYS_rt_sigsuspend];
    "rt_sigtimedwait msgrcv msgsnd semop semtimedop mq_timedsend mq_timedreceive io_getevents io_pgetevents",
        "no time, `IPC_NOWAIT`, `O_NONBLOCK`, a semaphore that is only raised: runs; else CANCEL", rules::wait,
        [libc::SYS_rt_sigtimedwait, libc::SYS_msgrcv, libc::SYS_msgsnd, libc::SYS_semop, libc::SYS_semtimedop,
            libc::SYS_mq_timedsend, libc::SYS_mq_timedreceive, libc::SYS_io_getevents, at_once::SYS_IO_PGETEVENTS];
    "splice tee vmsplice", "CANCEL (of a socket in `foreign_reset`: `ECONNRESET`)", rules::cancel, [libc::SYS_splice, libc::SYS_tee, libc::SYS_vmsplice];
    "sendfile", "to a file: runs; else CANCEL (to a socket in `foreign_reset`: `ECONNRESET`)", rules::sendfile, [libc::SYS_sendfile];
    "io_uring_enter", "submits and does not wait; nothing to submit: CANCEL", rules::ring,
        [libc::SYS_io_uring_enter];
    "ioctl", "runs; if it is found waiting: CANCEL", rules::run_for_now, [libc::SYS_ioctl];
    "futex futex_waitv", "runs, always", rules::run, [libc::SYS_futex, libc::SYS_futex_waitv];
    "all others", "runs", rules::run, [];
}

/// What becomes of the call.
pub(super) fn decide(call: &Call<'_>) -> Verdict {
    // mutant: timer-lets-calls-that-do-not-wait-run
    if !call.sees_all && at_once::is(call) {
        return Verdict::Run;
    }
    let row = ROWS.iter().find(|(numbers, _)| numbers.contains(&call.number));
    row.map_or(Verdict::Run, |(_, rule)| rule(call))
}
