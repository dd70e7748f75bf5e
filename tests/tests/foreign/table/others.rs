//! Waits for a child, a lock, an answer.

use super::result;
use crate::kit::{CANCELED, errno, reads_on};
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::process::Command;
use stopruntime::shield;

pub(super) fn wait(call: impl Fn(i32) -> Result<isize, i32>) {
    let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
    assert_eq!(call(child.id().cast_signed()), Err(CANCELED));
    child.kill().unwrap();
    shield(|| child.wait()).unwrap();
    let mut child = Command::new("true").spawn().unwrap();
    shield(|| {
        // SAFETY: zeroed is a siginfo of nothing, and a place for one. It is not reaped.
        unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            let how = libc::WEXITED | libc::WNOWAIT;
            assert_eq!(libc::waitid(libc::P_PID, child.id(), &raw mut info, how), 0);
        }
    });
    assert!(call(child.id().cast_signed()).is_ok(), "a status that is there");
    assert!(shield(|| child.wait()).is_err(), "it was reaped once");
}

pub(super) fn set_lock(file: RawFd, command: i32) -> Result<isize, i32> {
    // SAFETY: zeroed is a lock of the whole file.
    unsafe {
        let mut lock: libc::flock = std::mem::zeroed();
        lock.l_type = libc::F_WRLCK as _;
        result(libc::fcntl(file, command, &raw mut lock) as isize)
    }
}

/// Of a file that another description has locked in both ways, and of one that none has.
pub(super) fn lock(call: impl Fn(RawFd) -> Result<isize, i32>) {
    let path = std::env::temp_dir().join(format!("stop-foreign-table-{}", std::process::id()));
    let holder = File::create(&path).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    // SAFETY: numbers.
    assert_eq!(unsafe { libc::flock(holder.as_raw_fd(), libc::LOCK_EX) }, 0);
    assert!(set_lock(holder.as_raw_fd(), libc::F_OFD_SETLK).is_ok());
    assert_eq!(call(file.as_raw_fd()), Err(CANCELED));
    drop(holder);
    assert_eq!(call(file.as_raw_fd()), Ok(0));
    std::fs::remove_file(&path).unwrap();
}

/// One that waits for what a filter reports, which is nothing.
pub(super) fn ioctl() {
    // SAFETY: a filter of one step, numbers, and room for a report.
    unsafe {
        let allow = libc::SECCOMP_RET_ALLOW;
        let code = (libc::BPF_RET | libc::BPF_K) as u16;
        let mut step = libc::sock_filter { code, jt: 0, jf: 0, k: allow };
        let program = libc::sock_fprog { len: 1, filter: &raw mut step };
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        let listener = libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &raw const program,
        );
        if listener < 0 {
            return stop_tests::not_tested("an ioctl that waits", errno());
        }
        let listener = OwnedFd::from_raw_fd(listener as RawFd);
        let mut report = [0_u64; 32];
        let receive = 0xc050_2100_u32; // SECCOMP_IOCTL_NOTIF_RECV
        let raw = libc::ioctl(listener.as_raw_fd(), receive as _, report.as_mut_ptr());
        assert_eq!(result(raw as isize), Err(CANCELED));
    }
}

/// No result of a futex ends a wait; the call behind it is ended.
pub(super) fn lock_of_std() {
    let held = std::sync::Arc::new(std::sync::Mutex::new(0));
    let (sender, receiver) = std::sync::mpsc::channel();
    let this = stop_tests::thread_id();
    let holder = std::thread::spawn({
        let held = std::sync::Arc::clone(&held);
        move || {
            let mut guard = held.lock().unwrap();
            sender.send(()).unwrap();
            stop_tests::wait_until_blocked_in(this, &[libc::SYS_futex]);
            *guard = 7;
        }
    });
    receiver.recv().unwrap();
    assert_eq!(*held.lock().unwrap(), 7, "it waits as it should");
    holder.join().unwrap();
    shield(reads_on);
}
