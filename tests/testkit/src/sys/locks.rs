//! Locks of files, and devices.

use super::files::scratch;
use super::{Arranged, Case, FromWord, arranged, case};
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::{Arc, mpsc};
use stopruntime::{Stopped, sys};

/// The same file opened twice, so that the locks meet.
fn twice() -> (Arc<File>, File) {
    let file = scratch(8);
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let again = File::options().read(true).write(true).open(path).unwrap();
    (Arc::new(file), again)
}

fn locking(call: fn(i32) -> Result<i32, Stopped>) -> Arranged {
    let (file, again) = twice();
    let set = |file: &File, operation| {
        // SAFETY: two integers.
        assert_eq!(unsafe { libc::flock(file.as_raw_fd(), operation) }, 0);
    };
    set(&file, libc::LOCK_EX);
    let other = Arc::clone(&file);
    arranged(
        move || call(again.as_raw_fd()).map(i64::from_word),
        move || set(&other, libc::LOCK_UN),
    )
    .keeping(file)
}

/// The whole file, for one who writes.
fn range(kind: libc::c_int) -> libc::flock {
    // SAFETY: zeroed is a valid lock.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = kind as i16;
    lock
}

/// The lock of a range, which a description holds; the process could not be in
/// its own way.
fn locking_range(call: fn(i32) -> Result<i32, Stopped>) -> Arranged {
    let (file, again) = twice();
    let set = |file: &File, kind| {
        // SAFETY: the lock outlives the call.
        let done = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &range(kind)) };
        assert_eq!(done, 0);
    };
    set(&file, libc::F_WRLCK);
    let other = Arc::clone(&file);
    arranged(
        move || call(again.as_raw_fd()).map(i64::from_word),
        move || set(&other, libc::F_UNLCK),
    )
    .keeping(file)
}

/// Output to a terminal whose other side nothing reads. A pseudoterminal keeps
/// nothing back that could be waited for.
fn draining() -> Arranged {
    // SAFETY: descriptors made just now; null for what is not asked for.
    let (master, slave) = unsafe {
        let (mut master, mut slave) = (0, 0);
        let none = core::ptr::null_mut();
        let made = libc::openpty(&raw mut master, &raw mut slave, none, none.cast(), none.cast());
        assert_eq!(made, 0, "{}", std::io::Error::last_os_error());
        (OwnedFd::from_raw_fd(master), OwnedFd::from_raw_fd(slave))
    };
    super::put(&slave);
    arranged(
        move || {
            // SAFETY: a descriptor that is open.
            unsafe { sys::tcdrain_or_stop(slave.as_raw_fd()) }.map(i64::from)
        },
        || (),
    )
    .keeping(master)
}

/// An ioctl that waits: for a system call of a thread that is watched. Fed by
/// that call. `seccomp_unotify(2)`.
fn watching() -> Arranged {
    let (sender, listener) = mpsc::channel();
    let (go, wait) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        sender.send(watch_getpgid()).unwrap();
        if wait.recv().is_ok() {
            // Waits until a peer answers, or the last has closed the listener.
            // SAFETY: a number.
            unsafe { libc::getpgid(0) };
        }
    });
    let listener = listener.recv().unwrap();
    arranged(
        move || {
            // SAFETY: zeroed, as it has to be, and of the type that is asked for.
            unsafe {
                let mut seen: libc::seccomp_notif = std::mem::zeroed();
                let request = libc::SECCOMP_IOCTL_NOTIF_RECV;
                sys::ioctl_or_stop(listener.as_raw_fd(), request, &raw mut seen as usize)
            }
            .map(i64::from)
        },
        move || go.send(()).unwrap(),
    )
}

/// From here on `getpgid` of the calling thread is reported to this listener.
fn watch_getpgid() -> OwnedFd {
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const JUMP: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let mut filter = [
        step(LOAD, 0, 0, 0),
        step(JUMP, 0, 1, libc::SYS_getpgid as u32),
        step(RETURN, 0, 0, libc::SECCOMP_RET_USER_NOTIF),
        step(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: 4, filter: filter.as_mut_ptr() };
    // SAFETY: numbers; a program of four instructions; a descriptor made just
    // now.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        let listener = libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &raw const program,
        );
        assert!(listener >= 0, "{}", std::io::Error::last_os_error());
        OwnedFd::from_raw_fd(listener as i32)
    }
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("flock", || locking(made!(|fd| sys::flock_or_stop(fd, libc::LOCK_EX)))),
        case("fcntl(F_SETLKW)", || {
            locking_range(made!(|fd| {
                let lock = range(libc::F_WRLCK);
                sys::fcntl_or_stop(fd, libc::F_SETLKW, &raw const lock as usize)
            }))
        }),
        case("fcntl(F_OFD_SETLKW)", || {
            locking_range(made!(|fd| {
                let lock = range(libc::F_WRLCK);
                sys::fcntl_or_stop(fd, libc::F_OFD_SETLKW, &raw const lock as usize)
            }))
        }),
        case("lockf", || locking_range(made!(|fd| sys::lockf_or_stop(fd, libc::F_LOCK, 0)))),
        case("tcdrain", draining).ends_by_itself(),
        case("ioctl", watching),
    ]
}
