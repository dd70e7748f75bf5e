//! Calls that read an argument from memory, arranged so that they wait.

// Numbers of C's.
#![allow(clippy::cast_possible_truncation)]

use super::STOPPED;
use std::ffi::CString;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::ptr::{null, null_mut};
use stop_tests::signals::errno;
use stopruntime::ext::ConnectOrStop;
use stopruntime::{Stopped, sys};

/// Tracee: the call, made when all is arranged; -1 and `errno`, or a stop.
pub(crate) type Call = Box<dyn FnOnce() -> Result<i64, Stopped>>;

/// By its name: arranges it.
type Arranged = (&'static str, fn() -> Call);

pub(crate) const CALLS: [Arranged; 12] = [
    ("read", || {
        let (reader, writer) = std::io::pipe().unwrap();
        made(move |place| {
            let _writer = &writer;
            // SAFETY: eight writable bytes.
            unsafe { sys::read_or_stop(reader.as_raw_fd(), place.cast(), 8) }
        })
    }),
    ("write", || {
        let (reader, mut writer) = std::io::pipe().unwrap();
        // SAFETY: numbers; as long as the pipe by then.
        let size = unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_GETPIPE_SZ) };
        writer.write_all(&vec![0; size.try_into().unwrap()]).unwrap();
        made(move |place| {
            let _reader = &reader;
            // SAFETY: eight readable bytes.
            unsafe { sys::write_or_stop(writer.as_raw_fd(), place.cast(), 8) }
        })
    }),
    ("recv", || {
        let (one, other) = UnixStream::pair().unwrap();
        made(move |place| {
            let _other = &other;
            // SAFETY: eight writable bytes.
            unsafe { sys::recv_or_stop(one.as_raw_fd(), place.cast(), 8, libc::MSG_WAITALL) }
        })
    }),
    ("recvmmsg", || {
        let (one, other) = UnixStream::pair().unwrap();
        made(move |place| {
            let _other = &other;
            let mut part = libc::iovec { iov_base: place.cast(), iov_len: 8 };
            // SAFETY: zeroed is a message of nothing; its part outlives the call.
            unsafe {
                let mut message: libc::mmsghdr = std::mem::zeroed();
                message.msg_hdr.msg_iov = &raw mut part;
                message.msg_hdr.msg_iovlen = 1;
                sys::recvmmsg_or_stop(one.as_raw_fd(), &raw mut message, 1, 0, null_mut())
                    .map(|count| count as isize)
            }
        })
    }),
    ("connect", || {
        let path = scratch("queue");
        let listener = UnixListener::bind(&path).unwrap();
        // SAFETY: two numbers.
        assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 0) }, 0);
        let first = UnixStream::connect(&path).unwrap();
        made(move |_| {
            let _others = (&listener, &first);
            let connected = UnixStream::connect_or_stop(&path);
            std::fs::remove_file(&path).unwrap();
            connected.map(|connected| if connected.is_ok() { 0 } else { -1 })
        })
    }),
    ("open", || {
        let path = scratch("fifo");
        let path = CString::new(path.into_os_string().into_encoded_bytes()).unwrap();
        // SAFETY: a terminated path.
        assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
        made(move |_| {
            // SAFETY: a terminated path.
            let opened = unsafe { sys::open_or_stop(path.as_ptr(), libc::O_RDONLY, 0) };
            // SAFETY: as above.
            unsafe { libc::unlink(path.as_ptr()) };
            opened.map(|raw| raw as isize)
        })
    }),
    ("fcntl", || {
        let path = scratch("lock");
        let (one, other) = (File::create(&path).unwrap(), File::create(&path).unwrap());
        std::fs::remove_file(path).unwrap();
        // SAFETY: zeroed is a lock.
        let mut lock: libc::flock = unsafe { std::mem::zeroed() };
        lock.l_type = libc::F_WRLCK as i16;
        // SAFETY: the lock outlives the call.
        assert_eq!(unsafe { libc::fcntl(one.as_raw_fd(), libc::F_OFD_SETLK, &lock) }, 0);
        made(move |_| {
            let _one = &one;
            let (fd, lock) = (other.as_raw_fd(), &raw const lock as usize);
            // SAFETY: the lock outlives the call.
            let done = unsafe { sys::fcntl_or_stop(fd, libc::F_OFD_SETLKW, lock) };
            done.map(|done| done as isize)
        })
    }),
    ("semop", || {
        // SAFETY: numbers.
        let set = unsafe { libc::semget(libc::IPC_PRIVATE, 1, 0o600) };
        made(move |_| {
            let mut one = libc::sembuf { sem_num: 0, sem_op: -1, sem_flg: 0 };
            // SAFETY: one operation; removes our own.
            unsafe {
                let done = sys::semop_or_stop(set, &raw mut one, 1);
                libc::semctl(set, 0, libc::IPC_RMID);
                done.map(|done| done as isize)
            }
        })
    }),
    ("msgsnd", || {
        // SAFETY: numbers; eight bytes of text after a number.
        let queue = unsafe {
            let queue = libc::msgget(libc::IPC_PRIVATE, 0o600);
            let message = [1_u64; 2];
            while libc::msgsnd(queue, message.as_ptr().cast(), 8, libc::IPC_NOWAIT) == 0 {}
            queue
        };
        made(move |_| {
            let message = [1_u64; 2];
            // SAFETY: as above; removes our own.
            unsafe {
                let done = sys::msgsnd_or_stop(queue, message.as_ptr().cast(), 8, 0);
                libc::msgctl(queue, libc::IPC_RMID, null_mut());
                done.map(|done| done as isize)
            }
        })
    }),
    ("mq_receive", || {
        let name = CString::new(format!("/stop-tests-steps-{}", std::process::id())).unwrap();
        // SAFETY: a terminated name and a filled-in attribute; made just now.
        let queue = unsafe {
            let mut attribute: libc::mq_attr = std::mem::zeroed();
            (attribute.mq_maxmsg, attribute.mq_msgsize) = (1, 8);
            let flags = libc::O_CREAT | libc::O_RDWR;
            let queue = libc::mq_open(name.as_ptr(), flags, 0o600, &raw mut attribute);
            assert!(queue >= 0);
            libc::mq_unlink(name.as_ptr());
            OwnedFd::from_raw_fd(queue)
        };
        made(move |place| {
            // SAFETY: eight writable bytes.
            unsafe { sys::mq_receive_or_stop(queue.as_raw_fd(), place.cast(), 8, null_mut()) }
        })
    }),
    ("futex_waitv", || {
        made(move |_| {
            let word = 0_u32;
            // SAFETY: zeroed is an entry; all lead to a word that outlives the call.
            unsafe {
                let mut one: libc::futex_waitv = std::mem::zeroed();
                one.uaddr = &raw const word as u64;
                // FUTEX2_SIZE_U32, and private.
                one.flags = 2 | 128;
                let all = [one; 128];
                let clock = libc::CLOCK_MONOTONIC;
                sys::futex_waitv_or_stop(all.as_ptr(), 128, 0, null(), clock)
                    .map(|index| index as isize)
            }
        })
    }),
    ("vmsplice", || {
        let (reader, mut writer) = std::io::pipe().unwrap();
        // SAFETY: numbers.
        let size = unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_GETPIPE_SZ) };
        writer.write_all(&vec![0; size.try_into().unwrap()]).unwrap();
        made(move |place| {
            let _reader = &reader;
            let part = libc::iovec { iov_base: place.cast(), iov_len: 8 };
            // SAFETY: eight readable bytes.
            unsafe { sys::vmsplice_or_stop(writer.as_raw_fd(), &raw const part, 1, 0) }
        })
    }),
];

fn made(call: impl FnOnce(*mut u8) -> Result<isize, Stopped> + 'static) -> Call {
    Box::new(move || call([0_u64; 1].as_mut_ptr().cast()).map(|result| result as i64))
}

fn scratch(name: &str) -> PathBuf {
    let name = format!("stop-tests-steps-{name}-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let _ = std::fs::remove_file(&path);
    path
}

/// What it came to: 0, an errno, or [`STOPPED`].
pub(crate) fn outcome(result: Result<i64, Stopped>) -> i32 {
    match result {
        Ok(-1) => errno(),
        Ok(_) => 0,
        Err(_) => STOPPED,
    }
}
