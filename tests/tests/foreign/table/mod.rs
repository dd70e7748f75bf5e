//! The table of [`FOREIGN_CALLS`], row by row.

#![allow(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the kernel's constants"
)]

mod at_once;
mod others;
mod readiness;
mod transfers;

use crate::both_ways;
use crate::kit::{CANCELED, armed, errno, is_dispatch};
use others::{ioctl, lock, lock_of_std, set_lock, wait};
use readiness::{epoll, poll, select, sleep};
use std::fs::File;
use std::io::{Read, pipe};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use stopruntime::FOREIGN_CALLS;
use transfers::{
    connect, error_of_a_socket, eventfd, open, read_of_a_pipe, read_of_a_socket,
    read_of_an_eventfd, sendfile, write, write_to_a_pipe, write_to_a_socket,
};

/// What each row is tried by: the beginning of its first column.
pub(crate) const CASES: &[(&str, fn())] = &[
    ("read readv", read_of_a_socket),
    ("read, of a pipe", read_of_a_pipe),
    ("read, of a terminal", read_of_an_eventfd),
    ("anything on files", || assert!(File::open("/etc/passwd").unwrap().read(&mut [0; 9]).is_ok())),
    ("write writev", write_to_a_socket),
    ("write, of a pipe", write_to_a_pipe),
    ("write, of a terminal", || assert_eq!(write(eventfd(0).as_raw_fd(), &[1; 8]), Ok(8))),
    ("sendto", || {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        assert_eq!(socket.send_to(b"x", socket.local_addr().unwrap()).unwrap(), 1);
    }),
    ("accept", || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(listener.accept().unwrap_err().raw_os_error(), Some(CANCELED));
    }),
    ("connect", connect),
    ("getsockopt", error_of_a_socket),
    ("poll", poll),
    ("select", select),
    ("epoll_wait", epoll),
    ("nanosleep", sleep),
    ("wait4", || {
        // SAFETY: no place for the status.
        wait(|child| result(unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) } as isize));
    }),
    ("waitid", || {
        wait(|child| {
            // SAFETY: zeroed is a siginfo of nothing, and a place for one.
            let raw = unsafe {
                let mut info: libc::siginfo_t = std::mem::zeroed();
                libc::waitid(libc::P_PID, child.unsigned_abs(), &raw mut info, libc::WEXITED)
            };
            result(raw as isize)
        });
    }),
    ("flock", || {
        // SAFETY: numbers.
        lock(|file| result(unsafe { libc::flock(file, libc::LOCK_EX) } as isize));
    }),
    ("fcntl", || lock(|file| set_lock(file, libc::F_OFD_SETLKW))),
    ("open", open),
    // SAFETY: takes no argument.
    ("pause", || assert_eq!(result(unsafe { libc::pause() } as isize), Err(libc::EINTR))),
    ("rt_sigtimedwait", || {
        // SAFETY: a set of no signals.
        let wait = || unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            result(libc::sigwaitinfo(&raw const set, std::ptr::null_mut()) as isize)
        };
        assert_eq!(ended(wait), CANCELED);
    }),
    ("splice", || {
        let ((from, _writer), (_reader, to)) = (pipe().unwrap(), pipe().unwrap());
        let (from, to, none) = (from.as_raw_fd(), to.as_raw_fd(), std::ptr::null_mut());
        // SAFETY: no places for offsets.
        let spliced = unsafe { libc::splice(from, none, to, none, 9, 0) };
        assert_eq!(result(spliced), Err(CANCELED));
    }),
    ("sendfile", sendfile),
    // `hazards::surroundings::a_ring_with_an_operation_in_flight`.
    ("io_uring_enter", || ()),
    ("ioctl", ioctl),
    ("futex", lock_of_std),
    // SAFETY: takes no argument.
    ("all others", || assert!(unsafe { libc::getppid() } > 0)),
];

both_ways! {
    fn each_row() {
        for (calls, gives) in FOREIGN_CALLS {
            let case = CASES.iter().find(|(name, _)| calls.starts_with(name));
            let (_, case) = case.unwrap_or_else(|| panic!("no case: {calls}: {gives}"));
            eprintln!("{calls}");
            armed(case);
        }
        assert_eq!(CASES.len(), FOREIGN_CALLS.len());
    }
}

/// What a call gives that does not wait: handed over, it is ended; a timer finds it only if
/// it comes just before it.
fn gives<T: PartialEq + std::fmt::Debug>(found: &T, ended: &T, plain: &T) {
    assert!(found == ended || !is_dispatch() && found == plain, "{found:?}");
}

fn result(raw: isize) -> Result<isize, i32> {
    if raw < 0 { Err(errno()) } else { Ok(raw) }
}

/// The errno of a call that is ended: one that the kernel never restarts may say `EINTR`
/// once.
fn ended(call: impl Fn() -> Result<isize, i32>) -> i32 {
    loop {
        match call() {
            Err(libc::EINTR) => {}
            other => return other.unwrap_err(),
        }
    }
}
