//! What is read, written, connected and opened.

use super::{gives, result};
use crate::kit::{CANCELED, errno, is_dispatch};
use std::fs::File;
use std::io::{Write, pipe};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

pub(super) fn read(descriptor: RawFd) -> Result<isize, i32> {
    let mut bytes = [0_u8; 8];
    // SAFETY: room for 8 bytes.
    result(unsafe { libc::read(descriptor, bytes.as_mut_ptr().cast(), 8) })
}

pub(super) fn write(descriptor: RawFd, bytes: &[u8]) -> Result<isize, i32> {
    // SAFETY: so many bytes.
    result(unsafe { libc::write(descriptor, bytes.as_ptr().cast(), bytes.len()) })
}

pub(super) fn eventfd(flags: i32) -> OwnedFd {
    // SAFETY: a new descriptor.
    unsafe { OwnedFd::from_raw_fd(libc::eventfd(0, flags)) }
}

pub(super) fn set_nonblocking(descriptor: &impl AsRawFd) {
    // SAFETY: numbers.
    unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
}

pub(super) fn read_of_a_socket() {
    let (near, mut far) = UnixStream::pair().unwrap();
    assert_eq!(read(near.as_raw_fd()), Err(CANCELED));
    far.write_all(b"data").unwrap();
    // Data is there.
    gives(&read(near.as_raw_fd()), &Err(CANCELED), &Ok(4));
    // A question to the kernel, which answers at once.
    // SAFETY: a socket of its own, a request of 20 bytes, room for the answer.
    unsafe {
        let socket = libc::socket(libc::AF_NETLINK, libc::SOCK_RAW, 0);
        let socket = OwnedFd::from_raw_fd(socket);
        // RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP.
        let request: [u32; 5] = [20, 0x0301_0012, 1, 0, 0];
        let sent = libc::send(socket.as_raw_fd(), request.as_ptr().cast(), 20, 0);
        assert_eq!(sent, 20);
        let mut answer = [0_u8; 8192];
        let length = libc::recv(socket.as_raw_fd(), answer.as_mut_ptr().cast(), 8192, 0);
        assert!(length > 0, "{}", errno());
    }
}

pub(super) fn read_of_a_pipe() {
    let (reader, mut writer) = pipe().unwrap();
    assert_eq!(read(reader.as_raw_fd()), Err(CANCELED));
    writer.write_all(b"data").unwrap();
    set_nonblocking(&reader);
    assert_eq!(read(reader.as_raw_fd()), Ok(4));
}

pub(super) fn read_of_an_eventfd() {
    let eventfd = eventfd(0);
    assert_eq!(read(eventfd.as_raw_fd()), Err(CANCELED));
    assert_eq!(write(eventfd.as_raw_fd(), &[1; 8]), Ok(8));
    assert_eq!(read(eventfd.as_raw_fd()), Ok(8));
}

pub(super) fn write_to_a_socket() {
    let (near, _far) = UnixStream::pair().unwrap();
    let piece = [0; 16 << 10];
    let mut sent = 0;
    let error = loop {
        match write(near.as_raw_fd(), &piece) {
            Ok(length) => sent += length,
            Err(error) => break error,
        }
    };
    assert_eq!(error, CANCELED);
    assert!(!is_dispatch() || sent <= 96 << 10, "{sent} bytes of goodbyes");
    assert!(sent >= 16 << 10);
}

pub(super) fn write_to_a_pipe() {
    let (_reader, writer) = pipe().unwrap();
    let error = loop {
        match write(writer.as_raw_fd(), &[0; 10_000]) {
            Ok(length) => assert!(!is_dispatch() || length <= 4096, "{length}"),
            Err(error) => break error,
        }
    };
    assert_eq!(error, CANCELED);
}

pub(super) fn connect() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let connected = TcpStream::connect(address).map_err(|error| error.raw_os_error());
    gives(&connected.err(), &Some(Some(CANCELED)), &None);
    UdpSocket::bind("127.0.0.1:0").unwrap().connect(address).unwrap();
}

pub(super) fn error_of_a_socket() {
    let option = |socket: RawFd| {
        let (mut value, mut length) = (-1_i32, 4);
        let name = libc::SO_ERROR;
        // SAFETY: two places.
        let raw = unsafe {
            let value = (&raw mut value).cast();
            libc::getsockopt(socket, libc::SOL_SOCKET, name, value, &raw mut length)
        };
        assert_eq!(raw, 0);
        value
    };
    let (near, _far) = UnixStream::pair().unwrap();
    assert_eq!(option(near.as_raw_fd()), 0);
    // SAFETY: a new descriptor.
    let alone = unsafe { OwnedFd::from_raw_fd(libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0)) };
    // SAFETY: this thread's own.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    unsafe { *place = 77 };
    gives(&option(alone.as_raw_fd()), &CANCELED, &0);
    assert_eq!(errno(), 77, "of a call that has succeeded");
}

pub(super) fn open() {
    let directory = std::env::temp_dir().join(format!("stop-foreign-open-{}", std::process::id()));
    let path = std::ffi::CString::new(directory.to_str().unwrap()).unwrap();
    // SAFETY: a path.
    unsafe {
        // Of a process that had this number, and was killed.
        libc::unlink(path.as_ptr());
        assert_eq!(libc::mkfifo(path.as_ptr(), 0o600), 0);
        assert_eq!(result(libc::open(path.as_ptr(), libc::O_RDONLY) as isize), Err(CANCELED));
        let opened = libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_NONBLOCK);
        drop(OwnedFd::from_raw_fd(opened));
        libc::unlink(path.as_ptr());
    }
}

pub(super) fn sendfile() {
    let (from, (_reader, to)) = (File::open("/etc/passwd").unwrap(), pipe().unwrap());
    // SAFETY: numbers.
    let send = |to, count| unsafe {
        result(libc::sendfile(to, from.as_raw_fd(), std::ptr::null_mut(), count))
    };
    gives(&send(to.as_raw_fd(), 9), &Err(CANCELED), &Ok(9));
}
