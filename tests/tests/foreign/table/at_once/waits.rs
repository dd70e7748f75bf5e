//! Waits of no time, and with a flag.

use super::super::result;
use super::{NO_TIME, hides_numbers, runs};
use crate::kit::is_dispatch;
use std::ffi::CString;
use std::io::pipe;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::Command;
use std::ptr::{null, null_mut};

pub(super) fn readiness() {
    let (reader, _writer) = pipe().unwrap();
    let descriptor = reader.as_raw_fd();
    let entry = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
    runs("poll", || {
        let mut entry = entry;
        // SAFETY: one entry.
        result(unsafe { libc::poll(&raw mut entry, 1, 0) } as isize)
    });
    runs("ppoll", || {
        let mut entry = entry;
        // SAFETY: one entry, and a time.
        result(unsafe { libc::ppoll(&raw mut entry, 1, &raw const NO_TIME, null()) } as isize)
    });
    // Where the timer cannot tell which call it was, this is left interrupted.
    let selects = |is_hidden: bool, select: &dyn Fn(*mut libc::fd_set) -> i32| {
        // SAFETY: zeroed is a set of none, with room for this descriptor.
        let mut set = unsafe {
            let mut set: libc::fd_set = std::mem::zeroed();
            libc::FD_SET(descriptor, &raw mut set);
            set
        };
        match result(select(&raw mut set) as isize) {
            Err(libc::EINTR) if !is_dispatch() && is_hidden => Ok(0),
            other => {
                // SAFETY: as above.
                assert!(!unsafe { libc::FD_ISSET(descriptor, &raw const set) }, "{other:?}");
                other
            }
        }
    };
    let none = null_mut();
    runs("select", || {
        selects(hides_numbers(), &|set| {
            let mut time = libc::timeval { tv_sec: 0, tv_usec: 0 };
            // SAFETY: a set, and a time.
            unsafe { libc::select(descriptor + 1, set, none, none, &raw mut time) }
        })
    });
    // In a program with threads, glibc has another instruction in front of it.
    runs("pselect", || {
        selects(cfg!(target_arch = "x86_64"), &|set| {
            // SAFETY: a set, and a time.
            unsafe { libc::pselect(descriptor + 1, set, none, none, &raw const NO_TIME, null()) }
        })
    });
    // SAFETY: a new instance.
    let instance = unsafe { OwnedFd::from_raw_fd(libc::epoll_create1(0)) };
    runs("epoll_wait", || {
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        // SAFETY: room for an event.
        result(unsafe { libc::epoll_wait(instance.as_raw_fd(), &raw mut event, 1, 0) } as isize)
    });
}

pub(super) fn children() {
    let mut child = Command::new("sleep").arg("100").spawn().unwrap();
    let id = child.id();
    runs("wait4", || {
        // SAFETY: no place for the status.
        result(unsafe { libc::waitpid(id.cast_signed(), null_mut(), libc::WNOHANG) } as isize)
    });
    runs("waitid", || {
        // SAFETY: zeroed is a siginfo of nothing, and a place for one.
        let raw = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            libc::waitid(libc::P_PID, id, &raw mut info, libc::WEXITED | libc::WNOHANG)
        };
        result(raw as isize)
    });
    child.kill().unwrap();
    child.wait().unwrap();
}

pub(super) fn times() {
    let none = crate::hazards::set(&[]);
    runs("sigtimedwait", || {
        // SAFETY: a set of no signals, and a time.
        let raw = unsafe { libc::sigtimedwait(&raw const none, null_mut(), &raw const NO_TIME) };
        result(raw as isize)
    });
    runs("nanosleep", || {
        // SAFETY: a time.
        result(unsafe { libc::nanosleep(&raw const NO_TIME, null_mut()) } as isize)
    });
    runs("futex", || {
        let word = 0_u32;
        let (place, wait) = (&raw const word, libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG);
        // SAFETY: a word, and a time.
        let raw = unsafe { libc::syscall(libc::SYS_futex, place, wait, 0, &raw const NO_TIME) };
        // As after any signal.
        result(raw as isize)
            .map_err(|error| if error == libc::EINTR { libc::ETIMEDOUT } else { error })
    });
}

pub(super) fn queues() {
    const NOW: i16 = libc::IPC_NOWAIT as i16;
    // SAFETY: numbers.
    let semaphore = unsafe { libc::semget(libc::IPC_PRIVATE, 1, 0o600) };
    let steps = |steps: &[[i16; 3]], time: *const libc::timespec| {
        let (place, count) = (steps.as_ptr(), steps.len());
        // SAFETY: so many steps, and a time or none.
        let raw = unsafe { libc::syscall(libc::SYS_semtimedop, semaphore, place, count, time) };
        result(raw as isize)
    };
    runs("semop, now", || steps(&[[0, -1, NOW]], null()));
    runs("semop, no time", || steps(&[[0, -1, 0]], &raw const NO_TIME));
    runs("semop, up", || {
        steps(&[[0, 1, 0]], null())?;
        steps(&[[0, -1, NOW]], null())
    });
    // SAFETY: numbers.
    let messages = unsafe {
        libc::semctl(semaphore, 0, libc::IPC_RMID);
        libc::msgget(libc::IPC_PRIVATE, 0o600)
    };
    runs("msgrcv", || {
        let mut message = [0_usize; 2];
        let place = message.as_mut_ptr().cast();
        // SAFETY: room for a message.
        result(unsafe { libc::msgrcv(messages, place, 8, 0, libc::IPC_NOWAIT) })
    });
    let name = CString::new(format!("/stop-foreign-{}", std::process::id())).unwrap();
    // SAFETY: numbers, and a name.
    let queue = unsafe {
        libc::msgctl(messages, libc::IPC_RMID, null_mut());
        let (flags, default) = (libc::O_CREAT | libc::O_RDWR, null_mut::<libc::mq_attr>());
        let queue = libc::mq_open(name.as_ptr(), flags, 0o600, default);
        libc::mq_unlink(name.as_ptr());
        queue
    };
    runs("mq_timedreceive", || {
        let mut bytes = [0_u8; 1 << 13];
        let (place, size) = (bytes.as_mut_ptr().cast(), bytes.len());
        // SAFETY: room for a message, and a time.
        result(unsafe { libc::mq_timedreceive(queue, place, size, null_mut(), &raw const NO_TIME) })
    });
    let mut context = 0_usize;
    // SAFETY: a place for the context.
    unsafe { libc::syscall(libc::SYS_io_setup, 1, &raw mut context) };
    runs("io_getevents", || {
        let mut event = [0_u64; 4];
        let (least, most, place) = (1_usize, 1_usize, event.as_mut_ptr());
        let (number, time) = (libc::SYS_io_getevents, &raw const NO_TIME);
        // SAFETY: room for an event, and a time.
        result(unsafe { libc::syscall(number, context, least, most, place, time) } as isize)
    });
}
