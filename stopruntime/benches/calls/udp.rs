//! Rows of datagrams.

use crate::callback::Step;
use crate::floor::syscall;
use crate::measure::{Buffer, Row, Source};
use crate::ways::Way;
use core::mem::MaybeUninit;
use std::hint::black_box;
use std::io;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use stopruntime::ext::{PeekFromOrStop, RecvFromOrStop, SendOrStop};

type Address = MaybeUninit<libc::sockaddr_storage>;
const ADDRESS: libc::socklen_t = size_of::<Address>() as libc::socklen_t;
static MESSAGE: [u8; 1] = *b"x";

/// recvfrom(2) of one byte, with the address.
#[inline(always)]
fn receive(socket: &UdpSocket, buffer: &mut Buffer, flags: i32) -> isize {
    let mut address = Address::uninit();
    let mut length = ADDRESS;
    let args = receive_args(socket, buffer, flags, &mut address, &mut length);
    // SAFETY: buffer, address and length are writable.
    unsafe { syscall(libc::SYS_recvfrom, args) }
}

#[inline(always)]
fn receive_args(
    socket: &UdpSocket,
    buffer: &mut Buffer,
    flags: i32,
    address: &mut Address,
    length: &mut libc::socklen_t,
) -> [usize; 6] {
    [
        socket.as_raw_fd() as usize,
        buffer.as_mut_ptr() as usize,
        64,
        flags as usize,
        address.as_mut_ptr() as usize,
        core::ptr::from_mut(length) as usize,
    ]
}

/// The same as a step; the address goes where the loop has no use for it.
fn receive_step(socket: &UdpSocket, buffer: &mut Buffer, flags: i32) -> Step {
    let address = Box::leak(Box::new(Address::uninit()));
    let length = Box::leak(Box::new(ADDRESS));
    Step::new(libc::SYS_recvfrom, receive_args(socket, buffer, flags, address, length))
}

#[inline(always)]
fn send_args(socket: &UdpSocket) -> [usize; 6] {
    let descriptor = socket.as_raw_fd() as usize;
    [descriptor, MESSAGE.as_ptr() as usize, 1, libc::MSG_NOSIGNAL as usize, 0, 0]
}

#[inline(always)]
fn send(socket: &UdpSocket) {
    // SAFETY: one readable byte, no address.
    assert_eq!(unsafe { syscall(libc::SYS_sendto, send_args(socket)) }, 1);
}

/// A look at a datagram that is there.
pub(crate) struct PeekFrom(UdpSocket);

impl PeekFrom {
    pub(crate) fn new() -> io::Result<PeekFrom> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.send_to(&MESSAGE, socket.local_addr()?)?;
        Ok(PeekFrom(socket))
    }
}

impl Row for PeekFrom {
    const TURNS: u32 = 300;

    fn name(&self) -> String {
        "UDP peek_from".into()
    }

    fn source(&self) -> Source {
        Source::Sockets(vec![self.0.as_raw_fd()])
    }

    #[inline(always)]
    fn floor(&self, buffer: &mut Buffer) {
        assert_eq!(receive(&self.0, buffer, libc::MSG_PEEK), 1);
    }

    #[inline(always)]
    fn plain(&self, way: &impl Way, buffer: &mut Buffer) {
        let peek = || self.0.peek_from(&mut buffer[..64]).unwrap();
        black_box(way.around(self.0.as_raw_fd(), libc::POLLIN, peek));
    }

    #[inline(always)]
    fn ours(&self, buffer: &mut Buffer) {
        black_box(self.0.peek_from_or_stop(&mut buffer[..64]).unwrap().unwrap());
    }

    fn steps(&self, buffer: &mut Buffer) -> Vec<Step> {
        vec![receive_step(&self.0, buffer, libc::MSG_PEEK)]
    }
}

/// A datagram to oneself: what a sink does, less the waiting.
pub(crate) struct ToOneself(UdpSocket);

impl ToOneself {
    pub(crate) fn new() -> io::Result<ToOneself> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(socket.local_addr()?)?;
        Ok(ToOneself(socket))
    }
}

impl Row for ToOneself {
    const TURNS: u32 = 100;

    fn name(&self) -> String {
        "UDP send + recv_from".into()
    }

    fn source(&self) -> Source {
        Source::Sockets(vec![self.0.as_raw_fd()])
    }

    #[inline(always)]
    fn floor(&self, buffer: &mut Buffer) {
        send(&self.0);
        assert_eq!(receive(&self.0, buffer, 0), 1);
    }

    #[inline(always)]
    fn plain(&self, way: &impl Way, buffer: &mut Buffer) {
        let descriptor = self.0.as_raw_fd();
        let sent = way.around(descriptor, libc::POLLOUT, || self.0.send(&MESSAGE).unwrap());
        assert_eq!(sent, 1);
        let receive = || self.0.recv_from(&mut buffer[..64]).unwrap();
        black_box(way.around(descriptor, libc::POLLIN, receive));
    }

    #[inline(always)]
    fn ours(&self, buffer: &mut Buffer) {
        assert_eq!(self.0.send_or_stop(&MESSAGE).unwrap().unwrap(), 1);
        black_box(self.0.recv_from_or_stop(&mut buffer[..64]).unwrap().unwrap());
    }

    fn steps(&self, buffer: &mut Buffer) -> Vec<Step> {
        let send = Step::new(libc::SYS_sendto, send_args(&self.0));
        vec![send, receive_step(&self.0, buffer, 0)]
    }
}

/// A datagram to another socket, which has room for all of a round.
pub(crate) struct Send {
    socket: UdpSocket,
    peer: UdpSocket,
}

impl Send {
    pub(crate) fn new() -> io::Result<Send> {
        let peer = UdpSocket::bind("127.0.0.1:0")?;
        peer.set_nonblocking(true)?;
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(peer.local_addr()?)?;
        Ok(Send { socket, peer })
    }
}

impl Row for Send {
    const TURNS: u32 = 100;

    fn name(&self) -> String {
        "UDP send".into()
    }

    fn source(&self) -> Source {
        Source::Sockets(vec![self.socket.as_raw_fd()])
    }

    #[inline(always)]
    fn floor(&self, _: &mut Buffer) {
        send(&self.socket);
    }

    #[inline(always)]
    fn plain(&self, way: &impl Way, _: &mut Buffer) {
        let send = || self.socket.send(&MESSAGE).unwrap();
        assert_eq!(way.around(self.socket.as_raw_fd(), libc::POLLOUT, send), 1);
    }

    #[inline(always)]
    fn ours(&self, _: &mut Buffer) {
        assert_eq!(self.socket.send_or_stop(&MESSAGE).unwrap().unwrap(), 1);
    }

    fn steps(&self, _: &mut Buffer) -> Vec<Step> {
        vec![Step::new(libc::SYS_sendto, send_args(&self.socket))]
    }

    fn finish(&self) {
        while self.peer.recv(&mut [0]).is_ok() {}
    }
}
