//! Through descriptors: bytes, datagrams, connections.

use super::{Flow, until_stopped};
use std::fs::File;
use std::io::{Read, Write, pipe};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::net::UnixDatagram;
use stop_tests::signals::{plain_write, waiting};
use stopruntime::ext::{AcceptOrStop, ReadOrStop, RecvFromOrStop, RecvOrStop, WriteOrStop};
use stopruntime::sys;

pub(super) fn read() -> Flow {
    let (reader, writer) = pipe().unwrap();
    let mut marked = reader.try_clone().unwrap();
    Flow {
        take: Box::new(move || {
            until_stopped(|| Ok(marked.read_or_stop(&mut [0])?.map(|length| length as u64)))
        }),
        give: Box::new(move || assert!(plain_write(writer.as_raw_fd()))),
        most: 8,
        left: Box::new(move || waiting(&reader).unsigned_abs().into()),
        rests: true,
    }
}

/// As what is typed there: lines of no characters.
pub(super) fn terminal() -> Flow {
    let (mut master, mut slave) = (-1, -1);
    // SAFETY: places for two descriptors, which nothing else owns; no name and
    // no settings.
    let (master, slave) = unsafe {
        let none = core::ptr::null_mut();
        let opened = libc::openpty(&raw mut master, &raw mut slave, none, none.cast(), none.cast());
        assert_eq!(opened, 0, "openpty: {}", std::io::Error::last_os_error());
        (File::from_raw_fd(master), File::from_raw_fd(slave))
    };
    let (mut marked, mut slave) = (slave.try_clone().unwrap(), slave);
    let mut end = master.try_clone().unwrap();
    Flow {
        take: Box::new(move || {
            until_stopped(|| Ok(marked.read_or_stop(&mut [0; 8])?.map(|length| length as u64)))
        }),
        give: Box::new(move || assert_eq!((&master).write(b"\n").unwrap(), 1)),
        most: 8,
        left: Box::new(move || {
            // What is written to the one side comes out of the other a moment
            // later, in order.
            end.write_all(b"end\n").unwrap();
            let mut line = [0; 8];
            let is_one = |line: &[u8]| line != b"end\n";
            std::iter::from_fn(|| {
                let length = slave.read(&mut line).unwrap();
                is_one(&line[..length]).then_some(())
            })
            .count() as u64
        }),
        rests: true,
    }
}

/// Given is room, block by block, in a pipe that has room for one; there is one
/// more in it in the end.
pub(super) fn write() -> Flow {
    const BLOCK: usize = libc::PIPE_BUF;
    let (mut reader, writer) = pipe().unwrap();
    let rest = reader.try_clone().unwrap();
    // SAFETY: numbers.
    let size = unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_SETPIPE_SZ, BLOCK) };
    assert_eq!(usize::try_from(size), Ok(BLOCK), "a pipe of one page");
    let mut marked = writer;
    Flow {
        take: Box::new(move || {
            until_stopped(|| {
                Ok(marked.write_or_stop(&[0; BLOCK])?.map(|length| {
                    // Not more than is written as one (pipe(7)).
                    assert_eq!(length, BLOCK);
                    1
                }))
            })
        }),
        give: Box::new(move || reader.read_exact(&mut [0; BLOCK]).unwrap()),
        most: 8,
        // What it wrote and no reader has taken was not given.
        left: Box::new(move || {
            0_u64.wrapping_sub(u64::from(waiting(&rest).unsigned_abs()) / BLOCK as u64)
        }),
        rests: true,
    }
}

pub(super) fn recv() -> Flow {
    let (receiver, sender) = UnixDatagram::pair().unwrap();
    let marked = receiver.try_clone().unwrap();
    Flow {
        take: Box::new(move || until_stopped(|| Ok(marked.recv_or_stop(&mut [0])?.map(|_| 1)))),
        give: Box::new(move || assert_eq!(sender.send(b"x").unwrap(), 1)),
        most: 8,
        left: Box::new(move || {
            receiver.set_nonblocking(true).unwrap();
            std::iter::from_fn(|| receiver.recv(&mut [0]).ok()).count() as u64
        }),
        rests: true,
    }
}

pub(super) fn recv_from() -> Flow {
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let marked = receiver.try_clone().unwrap();
    let address = receiver.local_addr().unwrap();
    Flow {
        take: Box::new(move || {
            until_stopped(|| Ok(marked.recv_from_or_stop(&mut [0])?.map(|_| 1)))
        }),
        give: Box::new(move || assert_eq!(sender.send_to(b"x", address).unwrap(), 1)),
        // Few enough that the kernel drops none.
        most: 3,
        left: Box::new(move || {
            // What has been sent may come a moment later, and this after it.
            let end = UdpSocket::bind("127.0.0.1:0").unwrap();
            end.send_to(b"end", address).unwrap();
            let is_one = || receiver.recv(&mut [0; 3]).unwrap() == 1;
            std::iter::from_fn(|| is_one().then_some(())).count() as u64
        }),
        rests: true,
    }
}

pub(super) fn accept() -> Flow {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (marked, address) = (listener.try_clone().unwrap(), listener.local_addr().unwrap());
    let mut clients = Vec::new();
    Flow {
        take: Box::new(move || until_stopped(|| Ok(marked.accept_or_stop()?.map(|_| 1)))),
        give: Box::new(move || clients.push(TcpStream::connect(address).unwrap())),
        most: 8,
        left: Box::new(move || {
            // Likewise: a client may know of its connection before the listener does.
            let end = TcpStream::connect(address).unwrap().local_addr().unwrap();
            let is_one = || listener.accept().unwrap().1 != end;
            std::iter::from_fn(|| is_one().then_some(())).count() as u64
        }),
        rests: true,
    }
}

pub(super) fn poll() -> Flow {
    let (mut reader, writer) = pipe().unwrap();
    let rest = reader.try_clone().unwrap();
    Flow {
        take: Box::new(move || {
            until_stopped(|| {
                let mut entry =
                    libc::pollfd { fd: reader.as_raw_fd(), events: libc::POLLIN, revents: 0 };
                // SAFETY: one entry, which outlives the call.
                let ready = unsafe { sys::poll_or_stop(&raw mut entry, 1, -1)? };
                if ready < 0 {
                    return Ok(Err(std::io::Error::last_os_error()));
                }
                assert_eq!((ready, entry.revents), (1, libc::POLLIN));
                Ok(reader.read(&mut [0]).map(|length| length as u64))
            })
        }),
        give: Box::new(move || assert!(plain_write(writer.as_raw_fd()))),
        most: 8,
        left: Box::new(move || waiting(&rest).unsigned_abs().into()),
        rests: true,
    }
}
