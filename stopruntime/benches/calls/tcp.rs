//! Rows of connections.

use crate::callback::Step;
use crate::floor::syscall;
use crate::measure::{Buffer, Row, Source};
use crate::mtcp::Pair;
use crate::ways::Way;
use core::ffi::{c_int, c_long};
use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;
use stopruntime::ext::{AcceptOrStop, ReadOrStop, WriteOrStop};

/// `N` bytes through a connection over the loopback, both ends in one thread.
pub(crate) struct Ping<const N: usize> {
    sender: TcpStream,
    receiver: TcpStream,
    mtcp: RefCell<Pair>,
}

impl<const N: usize> Ping<N> {
    pub(crate) fn new() -> io::Result<Ping<N>> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        // The window of a connection is as large as its listener's.
        socket2::SockRef::from(&listener).set_recv_buffer_size(1 << 20)?;
        let sender = TcpStream::connect(listener.local_addr()?)?;
        socket2::SockRef::from(&sender).set_send_buffer_size(1 << 20)?;
        sender.set_nodelay(true)?;
        let (receiver, _) = listener.accept()?;
        Ok(Ping { sender, receiver, mtcp: RefCell::new(Pair::new()?) })
    }

    #[inline(always)]
    fn send_args(&self, buffer: &Buffer, sent: usize) -> [usize; 6] {
        let data = &buffer[sent..N];
        let flags = libc::MSG_NOSIGNAL as usize;
        [self.sender.as_raw_fd() as usize, data.as_ptr() as usize, data.len(), flags, 0, 0]
    }

    #[inline(always)]
    fn receive_args(&self, buffer: &mut Buffer, received: usize, flags: c_int) -> [usize; 6] {
        let room = &mut buffer[received..N];
        let descriptor = self.receiver.as_raw_fd() as usize;
        [descriptor, room.as_mut_ptr() as usize, room.len(), flags as usize, 0, 0]
    }
}

/// Until `N` bytes have gone through; most of the time that is one call.
#[inline(always)]
fn all<const N: usize>(mut call: impl FnMut(usize) -> usize) {
    let mut done = 0;
    while done < N {
        let moved = call(done);
        assert!(moved > 0, "the connection is open");
        done += moved;
    }
}

impl<const N: usize> Row for Ping<N> {
    const TURNS: u32 = if N > 1 { 20 } else { 100 };

    fn name(&self) -> String {
        if N > 1 { format!("TCP, {} KiB there", N / 1024) } else { "TCP, 1 byte there".into() }
    }

    fn source(&self) -> Source {
        Source::Sockets(vec![self.sender.as_raw_fd(), self.receiver.as_raw_fd()])
    }

    #[inline(always)]
    fn floor(&self, buffer: &mut Buffer) {
        all::<N>(|sent| {
            // SAFETY: that many readable bytes, no address.
            let sent = unsafe { syscall(libc::SYS_sendto, self.send_args(buffer, sent)) };
            usize::try_from(sent).unwrap()
        });
        all::<N>(|received| {
            let args = self.receive_args(buffer, received, 0);
            // SAFETY: that many writable bytes, no address.
            let received = unsafe { syscall(libc::SYS_recvfrom, args) };
            usize::try_from(received).unwrap()
        });
    }

    #[inline(always)]
    fn plain(&self, way: &impl Way, buffer: &mut Buffer) {
        all::<N>(|sent| {
            let write = || (&self.sender).write(&buffer[sent..N]).unwrap();
            way.around(self.sender.as_raw_fd(), libc::POLLOUT, write)
        });
        all::<N>(|received| {
            let read = || (&self.receiver).read(&mut buffer[received..N]).unwrap();
            way.around(self.receiver.as_raw_fd(), libc::POLLIN, read)
        });
    }

    #[inline(always)]
    fn ours(&self, buffer: &mut Buffer) {
        all::<N>(|sent| (&self.sender).write_or_stop(&buffer[sent..N]).unwrap().unwrap());
        all::<N>(|done| (&self.receiver).read_or_stop(&mut buffer[done..N]).unwrap().unwrap());
    }

    #[inline(always)]
    fn by_mtcp(&self, buffer: &mut Buffer) -> bool {
        self.mtcp.borrow_mut().ping::<N>(buffer);
        true
    }

    fn steps(&self, buffer: &mut Buffer) -> Vec<Step> {
        let receive = self.receive_args(buffer, 0, libc::MSG_WAITALL);
        vec![
            Step::new(libc::SYS_sendto, self.send_args(buffer, 0)),
            Step::new(libc::SYS_recvfrom, receive),
        ]
    }

    fn gave(&self, results: &[c_long]) {
        assert!(results.iter().all(|result| *result as usize == N));
    }
}

/// Connections that wait in the queue.
pub(crate) struct Accept {
    listener: TcpListener,
    address: SocketAddr,
    clients: RefCell<Vec<TcpStream>>,
    accepted: RefCell<Vec<OwnedFd>>,
}

impl Accept {
    pub(crate) fn new() -> io::Result<Accept> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let clients = RefCell::new(Vec::with_capacity(Self::TURNS as usize));
        // Its growth is not measured.
        let accepted = RefCell::new(Vec::with_capacity(Self::TURNS as usize));
        Ok(Accept { listener, address, clients, accepted })
    }

    #[inline(always)]
    fn args(&self, address: usize, length: usize) -> [usize; 4] {
        let flags = libc::SOCK_CLOEXEC as usize;
        [self.listener.as_raw_fd() as usize, address, length, flags]
    }

    #[inline(always)]
    fn keep(&self, accepted: impl Into<OwnedFd>) {
        self.accepted.borrow_mut().push(accepted.into());
    }

    fn keep_raw(&self, descriptor: usize) {
        // SAFETY: made just now by accept4, and nothing else owns it.
        self.keep(unsafe { OwnedFd::from_raw_fd(descriptor as c_int) });
    }
}

impl Row for Accept {
    // Fewer than a listener's queue takes.
    const TURNS: u32 = 64;

    fn name(&self) -> String {
        "TCP accept, 64 waiting".into()
    }

    fn source(&self) -> Source {
        Source::Sockets(vec![self.listener.as_raw_fd()])
    }

    #[inline(always)]
    fn floor(&self, _: &mut Buffer) {
        let mut address = core::mem::MaybeUninit::<libc::sockaddr_storage>::uninit();
        let mut length = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        let args = self.args(address.as_mut_ptr() as usize, &raw mut length as usize);
        // SAFETY: address and length are writable.
        let accepted = unsafe { syscall(libc::SYS_accept4, args) };
        self.keep_raw(usize::try_from(accepted).unwrap());
    }

    #[inline(always)]
    fn plain(&self, way: &impl Way, _: &mut Buffer) {
        let accept = || self.listener.accept().unwrap();
        let (stream, _) = way.around(self.listener.as_raw_fd(), libc::POLLIN, accept);
        self.keep(stream);
    }

    #[inline(always)]
    fn ours(&self, _: &mut Buffer) {
        let (stream, _) = self.listener.accept_or_stop().unwrap().unwrap();
        self.keep(stream);
    }

    fn steps(&self, _: &mut Buffer) -> Vec<Step> {
        let address = Box::leak(Box::new([0_u8; size_of::<libc::sockaddr_storage>()]));
        let length = Box::leak(Box::new(address.len() as libc::socklen_t));
        let length = core::ptr::from_mut(length) as usize;
        vec![Step::new(libc::SYS_accept4, self.args(address.as_mut_ptr() as usize, length))]
    }

    fn gave(&self, results: &[c_long]) {
        for &result in results {
            self.keep_raw(usize::try_from(result).unwrap());
        }
    }

    fn prepare(&self) {
        let mut clients = self.clients.borrow_mut();
        for _ in 0..Self::TURNS {
            let client = TcpStream::connect(self.address).unwrap();
            // Closed, it is gone: ten thousands of them would use up the ports.
            socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
            clients.push(client);
        }
    }

    fn finish(&self) {
        assert_eq!(self.accepted.borrow().len(), Self::TURNS as usize);
        // The clients first: they do not linger.
        self.clients.borrow_mut().clear();
        self.accepted.borrow_mut().clear();
    }
}
