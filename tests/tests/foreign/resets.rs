//! `foreign_reset`: what moves data through a socket says that the connection is reset.

use crate::both_ways;
use crate::kit::{CANCELED, assert_clean, errno, stopped_region};
use std::fs::File;
use std::io::{Error, Read, Write, pipe};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::ptr::null_mut;
use std::time::Duration;
use stop_tests::RECV;
use stopruntime::foreign_reset;

const RESET: Option<i32> = Some(libc::ECONNRESET);
const LONG: Duration = Duration::from_secs(300);
const SENDS: [libc::c_long; 2] = [libc::SYS_write, libc::SYS_sendto];

fn pair() -> (UnixStream, UnixStream) {
    UnixStream::pair().unwrap()
}

/// Takes no more.
fn full() -> (UnixStream, UnixStream) {
    let (mut near, far) = pair();
    near.set_nonblocking(true).unwrap();
    while near.write(&[0; 4096]).is_ok() {}
    near.set_nonblocking(false).unwrap();
    (near, far)
}

/// Runs `f` in a region that resets, where something is stopped from the start.
fn armed_to_reset<R>(f: impl FnOnce() -> R) -> R {
    let job = stopruntime::Stopper::new();
    job.request_stop();
    let result = foreign_reset(|| job.run(f)).unwrap();
    assert_clean();
    result
}

/// The error of a call of C's. One that the kernel never restarts says `EINTR` once.
fn error(mut call: impl FnMut() -> isize) -> Option<i32> {
    loop {
        assert!(call() < 0);
        if errno() != libc::EINTR {
            return Some(errno());
        }
    }
}

both_ways! {
    fn a_read_that_waits() {
        let (mut near, _far) = pair();
        let read = stopped_region(&[libc::SYS_read, RECV], move || {
            foreign_reset(|| near.read(&mut [0]))
        });
        assert_eq!(read.unwrap().unwrap_err().raw_os_error(), RESET);
    }

    /// Never restarted: by the timer it is found behind itself.
    fn a_read_with_a_time_out() {
        let (near, _far) = pair();
        near.set_read_timeout(Some(LONG)).unwrap();
        let read = stopped_region(&[libc::SYS_read, RECV], move || {
            foreign_reset(|| error(|| {
                // SAFETY: room for a byte.
                unsafe { libc::recv(near.as_raw_fd(), [0_u8].as_mut_ptr().cast(), 1, 0) }
            }))
        });
        assert_eq!(read, Ok(RESET));
    }

    /// Half of a request is on its way.
    fn a_write_that_waits() {
        let (mut near, _far) = pair();
        let written = stopped_region(&SENDS, move || {
            foreign_reset(|| near.write_all(&vec![0; 1 << 24]))
        });
        assert_eq!(written.unwrap().unwrap_err().raw_os_error(), RESET);
    }

    fn a_write_with_a_time_out() {
        let (near, _far) = full();
        near.set_write_timeout(Some(LONG)).unwrap();
        let written = stopped_region(&SENDS, move || {
            // SAFETY: a byte.
            foreign_reset(|| error(|| unsafe {
                libc::write(near.as_raw_fd(), c"x".as_ptr().cast(), 1)
            }))
        });
        assert_eq!(written, Ok(RESET));
    }

    fn whatever_sends() {
        let (near, _far) = full();
        let (to, byte) = (near.as_raw_fd(), [7_u8]);
        let piece = libc::iovec { iov_base: byte.as_ptr().cast_mut().cast(), iov_len: 1 };
        // SAFETY: zeroed is a message of nothing.
        let mut message: libc::mmsghdr = unsafe { std::mem::zeroed() };
        message.msg_hdr.msg_iov = (&raw const piece).cast_mut();
        message.msg_hdr.msg_iovlen = 1;
        let (file, (reader, mut writer)) = (File::open("/etc/passwd").unwrap(), pipe().unwrap());
        writer.write_all(b"data").unwrap();
        // SAFETY: a byte, a piece and a message of it, and no places for offsets.
        armed_to_reset(|| unsafe {
            assert_eq!(error(|| libc::write(to, byte.as_ptr().cast(), 1)), RESET);
            assert_eq!(error(|| libc::writev(to, &raw const piece, 1)), RESET);
            assert_eq!(error(|| libc::send(to, byte.as_ptr().cast(), 1, 0)), RESET);
            assert_eq!(error(|| libc::sendmsg(to, &raw const message.msg_hdr, 0)), RESET);
            assert_eq!(error(|| libc::sendmmsg(to, &raw mut message, 1, 0) as isize), RESET);
            assert_eq!(error(|| libc::sendfile(to, file.as_raw_fd(), null_mut(), 9)), RESET);
            let splice = || libc::splice(reader.as_raw_fd(), null_mut(), to, null_mut(), 4, 0);
            assert_eq!(error(splice), RESET);
        });
    }

    /// What goes without waiting goes: goodbyes, wake-ups of others.
    fn a_write_that_does_not_wait() {
        let (mut near, mut far) = pair();
        armed_to_reset(|| assert_eq!(near.write(b"bye").unwrap(), 3));
        let mut bytes = [0; 3];
        far.read_exact(&mut bytes).unwrap();
        assert_eq!(&bytes, b"bye");
    }

    /// No connection, which must not look like one.
    fn what_is_no_socket() {
        let ((mut reader, _writer), (_reader, other)) = (pipe().unwrap(), pipe().unwrap());
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let code = |error: Error| error.raw_os_error();
        armed_to_reset(|| {
            assert_eq!(reader.read(&mut [0]).map_err(code), Err(Some(CANCELED)));
            let splice = || {
                let (from, to) = (reader.as_raw_fd(), other.as_raw_fd());
                // SAFETY: no places for offsets.
                unsafe { libc::splice(from, null_mut(), to, null_mut(), 4, 0) }
            };
            assert_eq!(error(splice), Some(CANCELED));
            assert_eq!(socket.recv(&mut [0]).map_err(code), Err(RESET));
        });
    }
}
