//! Sending and receiving datagrams.

use super::ends::{Shared, nonblocking, pattern};
use super::stream::keeping;
use super::{
    AN_HOUR, Case, Fixture, MESSAGE, Outcome, TakenBy, expect, text, until_not_interrupted,
};
use crate::Directory;
use libc::{SYS_recvfrom, SYS_sendto};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use stopruntime::ext::{
    PeekFromOrStop, PeekOrStop, RecvFromOrStop, RecvOrStop, SendOrStop, SendToOrStop,
};

pub(super) const CASES: &[Case] = &[
    Case::new("UdpSocket::recv", &[SYS_recvfrom], || {
        Ok(receiving(udp()?, Takes::Yes, |socket, buffer| {
            let result = socket.recv_or_stop(buffer);
            Outcome::of(result, |length| Ok(text(&buffer[..length])))
        }))
    }),
    Case::new("UdpSocket::recv_from", &[SYS_recvfrom], || {
        let (receiver, sender) = udp()?;
        let address = sender.local_addr()?;
        Ok(receiving((receiver, sender), Takes::Yes, move |socket, buffer| {
            let result = socket.recv_from_or_stop(buffer);
            Outcome::of(result, |received| from(received, address, buffer))
        }))
    }),
    Case::new("UdpSocket::recv (read timeout)", &[SYS_recvfrom], || {
        let (receiver, sender) = udp()?;
        receiver.set_read_timeout(Some(AN_HOUR))?;
        Ok(receiving((receiver, sender), Takes::Yes, |socket, buffer| {
            until_not_interrupted(|| {
                let result = socket.recv_or_stop(buffer);
                Outcome::of(result, |length| Ok(text(&buffer[..length])))
            })
        }))
    }),
    Case::new("UdpSocket::peek", &[SYS_recvfrom], || {
        Ok(receiving(udp()?, Takes::No, |socket, buffer| {
            let result = socket.peek_or_stop(buffer);
            Outcome::of(result, |length| Ok(text(&buffer[..length])))
        }))
    }),
    Case::new("UdpSocket::peek_from", &[SYS_recvfrom], || {
        let (receiver, sender) = udp()?;
        let address = sender.local_addr()?;
        Ok(receiving((receiver, sender), Takes::No, move |socket, buffer| {
            let result = socket.peek_from_or_stop(buffer);
            Outcome::of(result, |received| from(received, address, buffer))
        }))
    }),
    Case::new("UnixDatagram::recv", &[SYS_recvfrom], || {
        Ok(receiving(UnixDatagram::pair()?, Takes::Yes, |socket, buffer| {
            let result = socket.recv_or_stop(buffer);
            Outcome::of(result, |length| Ok(text(&buffer[..length])))
        }))
    }),
    Case::new("UnixDatagram::recv_from", &[SYS_recvfrom], || {
        Ok(receiving(UnixDatagram::pair()?, Takes::Yes, |socket, buffer| {
            let result = socket.recv_from_or_stop(buffer);
            Outcome::of(result, |(length, _)| Ok(text(&buffer[..length])))
        }))
    }),
    Case::new("UnixDatagram::send", &[SYS_sendto], || sending_to_peer(SMALL)),
    Case::new("UnixDatagram::send (large)", &[SYS_sendto], || sending_to_peer(LARGE)),
    Case::new("UnixDatagram::send_to", &[SYS_sendto], || sending_to_path(SMALL)),
    Case::new("UnixDatagram::send_to (large)", &[SYS_sendto], || sending_to_path(LARGE)),
];

/// Such datagrams fill the receiver's queue, of which the number counts.
const SMALL: usize = 11;
/// Such fill the sender's buffer before (unix(7), `SO_SNDBUF`).
const LARGE: usize = 60_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Yes,
    No,
}

/// Both socket types, plainly.
trait Datagrams: AsFd + Send + 'static {
    fn receive(&self, buffer: &mut [u8]) -> io::Result<usize>;
    fn send(&self, data: &[u8]) -> io::Result<usize>;
}

macro_rules! datagrams {
    ($($socket:ty),*) => {$(
        impl Datagrams for $socket {
            fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
                self.recv(buffer)
            }

            fn send(&self, data: &[u8]) -> io::Result<usize> {
                self.send(data)
            }
        }
    )*};
}
datagrams!(UdpSocket, UnixDatagram);

fn udp() -> io::Result<(UdpSocket, UdpSocket)> {
    let (receiver, sender) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    receiver.connect(sender.local_addr()?)?;
    sender.connect(receiver.local_addr()?)?;
    Ok((receiver, sender))
}

fn from(
    (length, got): (usize, SocketAddr),
    sender: SocketAddr,
    buffer: &[u8],
) -> io::Result<String> {
    expect(got == sender, || format!("from {got}, not from {sender}"))?;
    Ok(text(&buffer[..length]))
}

fn sent(length: usize) -> String {
    format!("{length} bytes")
}

fn receive<S: Datagrams>(socket: &S) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; 1 << 16];
    let length = socket.receive(&mut buffer)?;
    buffer.truncate(length);
    Ok(buffer)
}

fn is_empty<S: Datagrams>(socket: &mut S) -> io::Result<()> {
    let next = nonblocking(socket, |socket| receive(socket));
    let none = matches!(&next, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
    expect(none, || format!("a second datagram is in the queue: {next:?}"))
}

fn receiving<S: Datagrams>(
    (receiver, sender): (S, S),
    takes: Takes,
    mut call: impl FnMut(&S, &mut [u8; 64]) -> Outcome + Send + 'static,
) -> Fixture {
    let receiver = Shared::new(receiver);
    let (plain, queue) = (receiver.clone(), receiver.clone());
    Fixture {
        marked: Box::new(move || call(&receiver.lock(), &mut [0; 64])),
        feed: Box::new(move || {
            sender.send(MESSAGE)?;
            Ok(text(MESSAGE))
        }),
        plain: Box::new(move |_| Ok(text(&receive(&*plain.lock())?))),
        verify: Box::new(move |taken_by| {
            let mut queue = queue.lock();
            if taken_by == TakenBy::Marked && takes == Takes::No {
                let seen = nonblocking(&mut *queue, |socket| receive(socket))?;
                expect(seen == MESSAGE, || format!("{:?} was left there", text(&seen)))?;
            }
            is_empty(&mut *queue)
        }),
        keep: Box::new(()),
    }
}

fn sending_to_peer(length: usize) -> io::Result<Fixture> {
    sending(UnixDatagram::pair()?, length, UnixDatagram::send, |socket, data| {
        Outcome::of(socket.send_or_stop(data), |length| Ok(sent(length)))
    })
}

fn sending_to_path(length: usize) -> io::Result<Fixture> {
    let directory = Directory::new()?;
    let path = directory.join("socket");
    let ends = (UnixDatagram::bind(&path)?, UnixDatagram::unbound()?);
    let to = path.clone();
    let fixture = sending(
        ends,
        length,
        move |socket, data| socket.send_to(data, &to),
        move |socket, data| {
            Outcome::of(socket.send_to_or_stop(data, &path), |length| Ok(sent(length)))
        },
    )?;
    Ok(keeping(fixture, directory))
}

/// Into what is full. The feed takes out what it was filled with.
fn sending(
    (receiver, mut sender): (UnixDatagram, UnixDatagram),
    length: usize,
    send: impl Fn(&UnixDatagram, &[u8]) -> io::Result<usize> + Send + 'static,
    mut call: impl FnMut(&UnixDatagram, &[u8]) -> Outcome + Send + 'static,
) -> io::Result<Fixture> {
    let (filler, message) = (pattern(b'a'..=b'z', length), pattern(b'A'..=b'Z', length));
    let queued = nonblocking(&mut sender, |sender| {
        let mut queued = 0;
        loop {
            match send(sender, &filler) {
                Ok(_) => queued += 1,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(queued),
                Err(error) => return Err(error),
            }
        }
    })?;
    let (sender, receiver) = (Shared::new(sender), Shared::new(receiver));
    let (plain, queue) = (sender.clone(), receiver.clone());
    let (sent_plainly, due) = (message.clone(), message.clone());
    Ok(Fixture {
        marked: Box::new(move || call(&sender.lock(), &message)),
        feed: Box::new(move || {
            for _ in 0..queued {
                let got = receive(&*receiver.lock())?;
                expect(got == filler, || format!("{:?} among the fillers", text(&got)))?;
            }
            Ok(sent(length))
        }),
        plain: Box::new(move |_| Ok(sent(send(&plain.lock(), &sent_plainly)?))),
        verify: Box::new(move |_| {
            let mut queue = queue.lock();
            let got = nonblocking(&mut *queue, |socket| receive(socket))?;
            expect(got == due, || format!("the peer received {:?}", text(&got)))?;
            is_empty(&mut *queue)
        }),
        keep: Box::new(()),
    })
}
