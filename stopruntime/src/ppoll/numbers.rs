//! Which number is made how: generated from the rows of `sys`
//! (`tests/tests/built/rows.rs`).

use super::how::How;
use crate::kernel::abi;
use core::ffi::c_long;

/// How the call of this number is made stoppable without a window.
#[allow(clippy::match_same_arms, reason = "one line a number")]
pub(super) const fn how(number: c_long) -> How {
    match number {
        abi::SYS_accept => How::Accept,
        abi::SYS_accept4 => How::Accept,
        abi::SYS_clock_nanosleep => How::Sleep,
        abi::SYS_connect => How::Connect,
        abi::SYS_copy_file_range => How::Plain,
        abi::SYS_epoll_pwait => How::Epoll,
        abi::SYS_epoll_pwait2 => How::Epoll,
        #[cfg(target_arch = "x86_64")]
        abi::SYS_epoll_wait => How::EpollWait,
        #[cfg(target_pointer_width = "32")]
        abi::SYS_fallocate => How::Plain,
        #[cfg(target_pointer_width = "64")]
        abi::SYS_fallocate => How::Plain,
        abi::SYS_fcntl => How::Range,
        abi::SYS_fdatasync => How::Plain,
        abi::SYS_flock => How::Flock,
        abi::SYS_fsync => How::Plain,
        abi::SYS_futex => How::Futex,
        abi::SYS_futex_waitv => How::FutexWaitv,
        abi::SYS_getrandom => How::Plain,
        abi::SYS_io_uring_enter => How::Ring,
        abi::SYS_mq_timedreceive => How::Deadline,
        abi::SYS_mq_timedsend => How::Deadline,
        abi::SYS_msgrcv => How::Msgrcv,
        abi::SYS_msgsnd => How::Msgsnd,
        abi::SYS_msync => How::Plain,
        abi::SYS_open_by_handle_at => How::Handle,
        abi::SYS_openat => How::Path,
        abi::SYS_openat2 => How::Path,
        #[cfg(target_arch = "x86_64")]
        abi::SYS_pause => How::Pause,
        #[cfg(target_arch = "x86_64")]
        abi::SYS_poll => How::Poll,
        abi::SYS_ppoll => How::Ppoll,
        #[cfg(target_pointer_width = "32")]
        abi::SYS_pread64 => How::Plain,
        #[cfg(target_pointer_width = "64")]
        abi::SYS_pread64 => How::Buffer,
        abi::SYS_preadv => How::Vector,
        abi::SYS_preadv2 => How::Vector,
        abi::SYS_pselect6 => How::Select,
        #[cfg(target_pointer_width = "32")]
        abi::SYS_pwrite64 => How::Plain,
        #[cfg(target_pointer_width = "64")]
        abi::SYS_pwrite64 => How::Buffer,
        abi::SYS_pwritev => How::Vector,
        abi::SYS_pwritev2 => How::Vector,
        abi::SYS_read => How::Buffer,
        abi::SYS_readv => How::Vector,
        abi::SYS_recvfrom => How::Receive,
        abi::SYS_recvmmsg => How::Messages,
        abi::SYS_recvmsg => How::Message,
        abi::SYS_rt_sigsuspend => How::Suspend,
        abi::SYS_rt_sigtimedwait => How::Signals,
        abi::SYS_semtimedop => How::Semaphore,
        abi::SYS_sendfile => How::Sendfile,
        abi::SYS_sendmmsg => How::Messages,
        abi::SYS_sendmsg => How::Message,
        abi::SYS_sendto => How::Send,
        abi::SYS_splice => How::Splice,
        abi::SYS_sync => How::Plain,
        #[cfg(all(target_pointer_width = "64", not(target_arch = "powerpc64")))]
        abi::SYS_sync_file_range => How::Plain,
        #[cfg(any(target_pointer_width = "32", target_arch = "powerpc64"))]
        abi::SYS_sync_file_range => How::Plain,
        abi::SYS_syncfs => How::Plain,
        abi::SYS_vmsplice => How::Vector,
        abi::SYS_wait4 => How::AnyChild,
        abi::SYS_waitid => How::Child,
        abi::SYS_write => How::Buffer,
        abi::SYS_writev => How::Vector,
        _ => How::Refused,
    }
}
