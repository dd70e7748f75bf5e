//! Programs of one architecture under an emulator of user space on another:
//! `/proc` then shows the numbers of the machine's own system calls.

use core::ffi::c_long;
use std::fs;
use std::sync::OnceLock;

/// The system call that `/proc/ID/syscall` shows, by the number that libc has
/// for it here. proc(5).
#[must_use]
pub fn call_of(thread: i32) -> Option<c_long> {
    let call = fs::read_to_string(format!("/proc/{thread}/syscall")).ok()?;
    let number = first_number(&call)?;
    if !is_emulated() {
        return Some(simple(number));
    }
    NUMBERS.iter().find(|(_, host)| *host == number).map(|(here, _)| simple(*here))
}

/// The form without a vector or a message, in whose place the ppoll backend makes
/// the one with it.
fn simple(number: c_long) -> c_long {
    match number {
        libc::SYS_readv => libc::SYS_read,
        libc::SYS_writev => libc::SYS_write,
        libc::SYS_recvmsg => libc::SYS_recvfrom,
        libc::SYS_sendmsg => libc::SYS_sendto,
        number => number,
    }
}

/// Whether this program runs under such an emulator: a thread that looks at
/// itself is in read(2), by whatever number.
#[must_use]
pub fn is_emulated() -> bool {
    static EMULATED: OnceLock<bool> = OnceLock::new();
    *EMULATED.get_or_init(|| {
        let own = fs::read_to_string("/proc/thread-self/syscall").unwrap_or_default();
        first_number(&own).is_some_and(|number| number != libc::SYS_read)
    })
}

fn first_number(call: &str) -> Option<c_long> {
    call.split_whitespace().next()?.parse().ok()
}

/// The calls that a test waits in: the number here, and the number on x86-64,
/// the machine that emulates.
const NUMBERS: &[(c_long, c_long)] = &[
    (libc::SYS_read, 0),
    (libc::SYS_write, 1),
    (libc::SYS_ioctl, 16),
    (libc::SYS_pread64, 17),
    (libc::SYS_pwrite64, 18),
    (libc::SYS_readv, 19),
    (libc::SYS_writev, 20),
    (libc::SYS_nanosleep, 35),
    (libc::SYS_sendfile, 40),
    (libc::SYS_connect, 42),
    (libc::SYS_sendto, 44),
    (libc::SYS_recvfrom, 45),
    (libc::SYS_sendmsg, 46),
    (libc::SYS_recvmsg, 47),
    (libc::SYS_wait4, 61),
    (libc::SYS_fcntl, 72),
    (libc::SYS_flock, 73),
    (libc::SYS_rt_sigtimedwait, 128),
    (libc::SYS_rt_sigsuspend, 130),
    (libc::SYS_futex, 202),
    // What a wait with a time-out goes on in after SIGSTOP and SIGCONT.
    (libc::SYS_restart_syscall, 219),
    (libc::SYS_clock_nanosleep, 230),
    (libc::SYS_mq_timedsend, 242),
    (libc::SYS_mq_timedreceive, 243),
    (libc::SYS_waitid, 247),
    (libc::SYS_openat, 257),
    (libc::SYS_pselect6, 270),
    (libc::SYS_ppoll, 271),
    (libc::SYS_splice, 275),
    (libc::SYS_tee, 276),
    (libc::SYS_vmsplice, 278),
    (libc::SYS_epoll_pwait, 281),
    (libc::SYS_accept4, 288),
    (libc::SYS_recvmmsg, 299),
    (libc::SYS_sendmmsg, 307),
    (libc::SYS_copy_file_range, 326),
    #[cfg(not(any(target_arch = "x86", target_arch = "s390x")))]
    (libc::SYS_accept, 43),
    // The libc crate has the numbers of these for some architectures.
    #[cfg(any(target_arch = "aarch64", target_arch = "riscv64", target_arch = "loongarch64"))]
    (libc::SYS_msgsnd, 69),
    #[cfg(any(target_arch = "aarch64", target_arch = "riscv64", target_arch = "loongarch64"))]
    (libc::SYS_msgrcv, 70),
    #[cfg(any(target_arch = "aarch64", target_arch = "riscv64", target_arch = "loongarch64"))]
    (libc::SYS_semtimedop, 220),
    #[cfg(target_arch = "s390x")]
    (400, 69),
    #[cfg(target_arch = "s390x")]
    (401, 70),
    #[cfg(target_arch = "s390x")]
    (392, 220),
];
