//! What would be read, written and accepted.

use super::super::result;
use super::super::transfers::{eventfd, read, set_nonblocking, write};
use super::{ends, runs};
use std::ffi::CString;
use std::fs::File;
use std::io::pipe;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::ptr::null_mut;

pub(super) fn sockets() {
    let (near, far) = UnixStream::pair().unwrap();
    let receive = || {
        let mut byte = 0_u8;
        // SAFETY: room for a byte.
        result(unsafe {
            libc::recv(near.as_raw_fd(), (&raw mut byte).cast(), 1, libc::MSG_DONTWAIT)
        })
    };
    ends("recv with MSG_DONTWAIT", receive);
    let piece = [0_u8; 1 << 10];
    let send = || {
        // SAFETY: so many bytes.
        result(unsafe {
            libc::send(far.as_raw_fd(), piece.as_ptr().cast(), piece.len(), libc::MSG_DONTWAIT)
        })
    };
    while send().is_ok() {}
    ends("send with MSG_DONTWAIT", send);

    let (near, _far) = UnixStream::pair().unwrap();
    set_nonblocking(&near);
    ends("recv", || read(near.as_raw_fd()));
    ends("recvmsg", || {
        // SAFETY: zeroed is a message of nothing.
        unsafe {
            let mut message: libc::msghdr = std::mem::zeroed();
            result(libc::recvmsg(near.as_raw_fd(), &raw mut message, 0))
        }
    });

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    set_nonblocking(&listener);
    // SAFETY: no place for the address.
    let accept = || unsafe { libc::accept(listener.as_raw_fd(), null_mut(), null_mut()) };
    ends("accept", || result(accept() as isize));
}

pub(super) fn pipes() {
    let ((empty, _writer), (_reader, full)) = (pipe().unwrap(), pipe().unwrap());
    set_nonblocking(&empty);
    set_nonblocking(&full);
    while write(full.as_raw_fd(), &[0; 4096]).is_ok() {}
    ends("read", || read(empty.as_raw_fd()));
    runs("write", || write(full.as_raw_fd(), &[0; 4096]));
    ends("splice", || {
        let (from, to, none) = (empty.as_raw_fd(), full.as_raw_fd(), null_mut());
        // SAFETY: no places for offsets.
        result(unsafe { libc::splice(from, none, to, none, 9, libc::SPLICE_F_NONBLOCK) })
    });
    let file = File::open("/etc/passwd").unwrap();
    ends("sendfile", || {
        let mut from = 0;
        let (to, file) = (full.as_raw_fd(), file.as_raw_fd());
        // SAFETY: a place for an offset.
        result(unsafe { libc::sendfile(to, file, &raw mut from, 9) })
    });
    let counter = eventfd(libc::EFD_NONBLOCK);
    runs("read of an eventfd", || read(counter.as_raw_fd()));
}

pub(super) fn files() {
    let path = std::env::temp_dir().join(format!("stop-foreign-at-once-{}", std::process::id()));
    let (holder, file) = (File::create(&path).unwrap(), File::open(&path).unwrap());
    std::fs::remove_file(&path).unwrap();
    // SAFETY: a number.
    let lock = |file: &File, how| result(unsafe { libc::flock(file.as_raw_fd(), how) } as isize);
    lock(&holder, libc::LOCK_EX).unwrap();
    runs("flock", || lock(&file, libc::LOCK_EX | libc::LOCK_NB));

    let path = CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: a path.
    unsafe { libc::mkfifo(path.as_ptr(), 0o600) };
    runs("open", || {
        // SAFETY: a path, and a new descriptor.
        unsafe {
            let opened = result(libc::open(path.as_ptr(), libc::O_NONBLOCK) as isize)?;
            drop(OwnedFd::from_raw_fd(opened as i32));
        }
        Ok(0)
    });
    // SAFETY: a path.
    unsafe { libc::unlink(path.as_ptr()) };
}
