//! What the kernel calls a system call: generated from the rows of `sys`
//! (`tests/tests/built/rows.rs`).

use crate::kernel::abi;
use core::ffi::c_long;

/// The name of the call of this number, if it is one that can be marked.
pub(super) const fn marked(number: c_long) -> Option<&'static str> {
    Some(match number {
        abi::SYS_accept => "accept",
        abi::SYS_accept4 => "accept4",
        abi::SYS_clock_nanosleep => "clock_nanosleep",
        abi::SYS_connect => "connect",
        abi::SYS_copy_file_range => "copy_file_range",
        abi::SYS_epoll_pwait => "epoll_pwait",
        abi::SYS_epoll_pwait2 => "epoll_pwait2",
        #[cfg(target_arch = "x86_64")]
        abi::SYS_epoll_wait => "epoll_wait",
        #[cfg(target_pointer_width = "32")]
        abi::SYS_fallocate => "fallocate",
        #[cfg(target_pointer_width = "64")]
        abi::SYS_fallocate => "fallocate",
        abi::SYS_fcntl => "fcntl",
        abi::SYS_fdatasync => "fdatasync",
        abi::SYS_flock => "flock",
        abi::SYS_fsync => "fsync",
        abi::SYS_futex => "futex",
        abi::SYS_futex_waitv => "futex_waitv",
        abi::SYS_getrandom => "getrandom",
        abi::SYS_io_uring_enter => "io_uring_enter",
        abi::SYS_ioctl => "ioctl",
        abi::SYS_mq_timedreceive => "mq_timedreceive",
        abi::SYS_mq_timedsend => "mq_timedsend",
        abi::SYS_msgrcv => "msgrcv",
        abi::SYS_msgsnd => "msgsnd",
        abi::SYS_msync => "msync",
        abi::SYS_open_by_handle_at => "open_by_handle_at",
        abi::SYS_openat => "openat",
        abi::SYS_openat2 => "openat2",
        #[cfg(target_arch = "x86_64")]
        abi::SYS_pause => "pause",
        #[cfg(target_arch = "x86_64")]
        abi::SYS_poll => "poll",
        abi::SYS_ppoll => "ppoll",
        #[cfg(target_pointer_width = "32")]
        abi::SYS_pread64 => "pread64",
        #[cfg(target_pointer_width = "64")]
        abi::SYS_pread64 => "pread64",
        abi::SYS_preadv => "preadv",
        abi::SYS_preadv2 => "preadv2",
        abi::SYS_pselect6 => "pselect6",
        #[cfg(target_pointer_width = "32")]
        abi::SYS_pwrite64 => "pwrite64",
        #[cfg(target_pointer_width = "64")]
        abi::SYS_pwrite64 => "pwrite64",
        abi::SYS_pwritev => "pwritev",
        abi::SYS_pwritev2 => "pwritev2",
        abi::SYS_read => "read",
        abi::SYS_readv => "readv",
        abi::SYS_recvfrom => "recvfrom",
        abi::SYS_recvmmsg => "recvmmsg",
        abi::SYS_recvmsg => "recvmsg",
        abi::SYS_rt_sigsuspend => "rt_sigsuspend",
        abi::SYS_rt_sigtimedwait => "rt_sigtimedwait",
        abi::SYS_semtimedop => "semtimedop",
        abi::SYS_sendfile => "sendfile",
        abi::SYS_sendmmsg => "sendmmsg",
        abi::SYS_sendmsg => "sendmsg",
        abi::SYS_sendto => "sendto",
        abi::SYS_splice => "splice",
        abi::SYS_sync => "sync",
        #[cfg(all(target_pointer_width = "64", not(target_arch = "powerpc64")))]
        abi::SYS_sync_file_range => "sync_file_range",
        #[cfg(any(target_pointer_width = "32", target_arch = "powerpc64"))]
        abi::SYS_sync_file_range => "sync_file_range",
        abi::SYS_syncfs => "syncfs",
        abi::SYS_tee => "tee",
        abi::SYS_vmsplice => "vmsplice",
        abi::SYS_wait4 => "wait4",
        abi::SYS_waitid => "waitid",
        abi::SYS_write => "write",
        abi::SYS_writev => "writev",
        _ => return None,
    })
}
