//! Where readiness says one thing and the call does another: what only the
//! backend that asks for readiness can get wrong, and the others must agree on.
//! At rest means asleep, not woken again and again.

mod as_plain;
mod terminal;

use std::fs::File;
use std::io::{Error, IoSlice, Write};
use std::net::{Shutdown, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::PathBuf;
use std::sync::mpsc;
use stop_tests::per_backend;
use stop_tests::started::{LIMIT, start};
use stopruntime::ext::{RecvFromOrStop, RecvOrStop, SendToOrStop, WriteOrStop};
use stopruntime::{Stopped, sys};
use terminal::{terminal, what_came_out};

const SENDS: [libc::c_long; 1] = [libc::SYS_sendto];
const RECEIVES: [libc::c_long; 1] = [libc::SYS_recvfrom];
const WRITES: [libc::c_long; 1] = [libc::SYS_write];

/// A bound receiver, a sender with no address of its own, and the way between.
fn by_address() -> (UnixDatagram, UnixDatagram, PathBuf) {
    let name = format!("stop-tests-edges-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let _ = std::fs::remove_file(&path);
    let receiver = UnixDatagram::bind(&path).unwrap();
    (receiver, UnixDatagram::unbound().unwrap(), path)
}

/// Takes what is there without waiting, of each the first byte: the number of
/// datagrams.
fn drain(receiver: &UnixDatagram) -> usize {
    receiver.set_nonblocking(true).unwrap();
    std::iter::from_fn(|| receiver.recv(&mut [0]).ok()).count()
}

/// Sends until something is wrong or a stop is requested: what was sent, and
/// what is wrong.
fn send_on(sender: &UnixDatagram, datagram: &[u8], path: &PathBuf) -> (usize, Option<Error>) {
    let mut sent = 0;
    while let Ok(result) = sender.send_to_or_stop(datagram, path) {
        match result {
            Ok(length) => assert_eq!(length, datagram.len()),
            Err(error) => return (sent, Some(error)),
        }
        sent += 1;
    }
    (sent, None)
}

/// shutdown(2) for what std has no method for.
fn shut_for_reading(socket: &UdpSocket) {
    // SAFETY: two integers. An error is that no peer is connected: shut all the
    // same.
    unsafe { libc::shutdown(socket.as_raw_fd(), libc::SHUT_RD) };
}

fn udp_pair() -> (UdpSocket, UdpSocket) {
    let bind = || UdpSocket::bind("127.0.0.1:0").unwrap();
    let (one, other) = (bind(), bind());
    one.connect(other.local_addr().unwrap()).unwrap();
    other.connect(one.local_addr().unwrap()).unwrap();
    (one, other)
}

/// A socket with an entry in its error queue, and nothing else. ip(7).
fn with_a_queued_error() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let on = 1_i32;
    // SAFETY: an int, which has four bytes.
    let set = unsafe {
        let value = (&raw const on).cast();
        libc::setsockopt(socket.as_raw_fd(), libc::SOL_IP, libc::IP_RECVERR, value, 4)
    };
    assert_eq!(set, 0);
    // Where no peer is any more.
    let nowhere = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    socket.send_to(b"x", nowhere).unwrap();
    let mut entry = libc::pollfd { fd: socket.as_raw_fd(), events: 0, revents: 0 };
    // SAFETY: one entry.
    assert_eq!(unsafe { libc::poll(&raw mut entry, 1, 10_000) }, 1, "the error comes");
    assert_eq!(entry.revents, libc::POLLERR);
    // The first call is told; the entry stays in its queue.
    let told = socket.recv_from(&mut [0]).unwrap_err();
    assert_eq!(told.kind(), std::io::ErrorKind::ConnectionRefused);
    socket
}

/// Writes to a terminal until it is stopped in the middle of a wait, and proves
/// that what came out for each byte is what was said to have been written.
fn fills_a_terminal(
    comes_out: &[u8],
    write: fn(&mut File) -> Result<std::io::Result<usize>, Stopped>,
) {
    let (master, mut slave) = terminal();
    let writer = start(move || {
        let mut written = 0;
        while let Ok(result) = write(&mut slave) {
            written += result.unwrap();
        }
        written
    });
    writer.wait_until_at_rest_in(&WRITES);
    let written = writer.stopped();
    assert!(written > 0);
    assert_eq!(what_came_out(master), comes_out.repeat(written));
}

/// Six bytes of a stream, all at once; what has come of them by its end.
fn all_six(stream: &UnixStream) -> Result<String, Stopped> {
    let mut bytes = [0_u8; 6];
    let (socket, place) = (stream.as_raw_fd(), bytes.as_mut_ptr().cast());
    // SAFETY: six writable bytes.
    let length = unsafe { sys::recv_or_stop(socket, place, 6, libc::MSG_WAITALL)? };
    Ok(String::from_utf8_lossy(&bytes[..usize::try_from(length).unwrap()]).into_owned())
}

per_backend! {
    fn waitall_waits_for_all_of_it() {
        let (mut writer, reader) = UnixStream::pair().unwrap();
        let theirs = reader.try_clone().unwrap();
        let thread = start(move || all_six(&theirs));
        thread.wait_until_at_rest_in(&RECEIVES);
        writer.write_all(b"abc").unwrap();
        thread.wait_until_at_rest_in(&RECEIVES);
        writer.write_all(b"defg").unwrap();
        assert_eq!(thread.ended().unwrap(), "abcdef");
        // What has come before a stop or the end is not lost.
        let theirs = reader.try_clone().unwrap();
        let thread = start(move || (all_six(&theirs), stopruntime::check().is_err()));
        thread.wait_until_at_rest_in(&RECEIVES);
        assert_eq!(thread.stopped(), (Ok("g".into()), true));
        let theirs = reader.try_clone().unwrap();
        let thread = start(move || all_six(&theirs));
        thread.wait_until_at_rest_in(&RECEIVES);
        assert!(thread.stopped().is_err());
        writer.write_all(b"end").unwrap();
        let thread = start(move || all_six(&reader));
        thread.wait_until_at_rest_in(&RECEIVES);
        drop(writer);
        assert_eq!(thread.ended().unwrap(), "end");
    }

    fn big_datagrams_by_address_wait_for_room_and_stop() {
        let (receiver, sender, path) = by_address();
        // A few fill the sender's buffer long before the receiver's queue.
        let thread = start({
            let path = path.clone();
            move || send_on(&sender, &vec![0; 60_000], &path)
        });
        thread.wait_until_at_rest_in(&SENDS);
        let first = drain(&receiver);
        assert!(first > 0);
        // There was room again, and there is none now.
        thread.wait_until_at_rest_in(&SENDS);
        let (sent, error) = thread.stopped();
        assert!(error.is_none(), "{error:?}");
        assert_eq!(first + drain(&receiver), sent, "sent is what was received");
        assert!(sent > first);
        std::fs::remove_file(path).unwrap();
    }

    fn small_datagrams_by_address_wait_for_the_queue_and_stop() {
        let (receiver, sender, path) = by_address();
        let thread = start({
            let path = path.clone();
            move || send_on(&sender, b"x", &path)
        });
        thread.wait_until_at_rest_in(&SENDS);
        let first = drain(&receiver);
        thread.wait_until_at_rest_in(&SENDS);
        let (sent, error) = thread.stopped();
        assert!(error.is_none(), "{error:?}");
        assert_eq!(first + drain(&receiver), sent, "sent is what was received");
        std::fs::remove_file(path).unwrap();
    }

    fn a_unix_datagram_socket_that_is_shut_is_at_its_end() {
        let (socket, peer) = UnixDatagram::pair().unwrap();
        let shut = socket.try_clone().unwrap();
        let receive = move |()| socket.recv_or_stop(&mut [0]).unwrap().unwrap();
        let reader = start(move || [(); 2].map(receive));
        reader.wait_until_at_rest_in(&RECEIVES);
        shut.shutdown(Shutdown::Read).unwrap();
        // While it waits, and before it begins.
        assert_eq!(reader.ended(), [0, 0]);
        assert_eq!(shut.recv(&mut [0]).unwrap(), 0, "as the plain call");
        drop(peer);
    }

    fn a_udp_socket_that_is_shut_is_at_its_end() {
        let (socket, _peer) = udp_pair();
        let shut = socket.try_clone().unwrap();
        let receive = move |()| socket.recv_or_stop(&mut [0]).unwrap().unwrap();
        let reader = start(move || [(); 2].map(receive));
        reader.wait_until_at_rest_in(&RECEIVES);
        shut_for_reading(&shut);
        assert_eq!(reader.ended(), [0, 0]);
        assert_eq!(shut.recv(&mut [0]).unwrap(), 0, "as the plain call");
    }

    fn an_entry_in_the_error_queue_is_no_datagram() {
        let socket = with_a_queued_error();
        let address = socket.local_addr().unwrap();
        let (sender, receiver) = mpsc::channel();
        let reader = start(move || {
            let mut buffer = [0; 4];
            let (length, _) = socket.recv_from_or_stop(&mut buffer).unwrap().unwrap();
            sender.send((length, buffer)).unwrap();
            socket.recv_from_or_stop(&mut buffer).is_err()
        });
        reader.wait_until_at_rest_in(&RECEIVES);
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"data", address).unwrap();
        assert_eq!(receiver.recv_timeout(LIMIT), Ok((4, *b"data")));
        // The entry is still there.
        reader.wait_until_at_rest_in(&RECEIVES);
        assert!(reader.stopped());
    }

    fn a_full_terminal_holds_no_writer_of_many_parts() {
        fills_a_terminal(b"a", |slave| {
            slave.write_vectored_or_stop(&[IoSlice::new(&[]), IoSlice::new(&[b'a'; 9_000])])
        });
    }

    fn a_full_terminal_holds_no_writer_of_line_feeds() {
        fills_a_terminal(b"\r\n", |slave| slave.write_or_stop(&[b'\n'; 300]));
    }

    fn a_full_terminal_holds_no_writer_of_text() {
        fills_a_terminal(b"a", |slave| slave.write_or_stop(&[b'a'; 77]));
    }

    fn a_big_number_does_not_fit_an_eventfd() {
        // SAFETY: two integers; a descriptor made just now.
        let event = unsafe { OwnedFd::from_raw_fd(libc::eventfd(1, libc::EFD_CLOEXEC)) };
        let write = |event: &OwnedFd, number: u64| {
            // SAFETY: eight bytes that outlive the call.
            let raw = unsafe {
                sys::write_or_stop(event.as_raw_fd(), (&raw const number).cast(), size_of::<u64>())
            };
            let error = Error::last_os_error().raw_os_error();
            raw.map(|raw| if raw < 0 { Err(error) } else { Ok(raw) })
        };
        assert_eq!(write(&event, 1), Ok(Ok(8)));
        let writer = start(move || write(&event, u64::MAX - 2));
        writer.wait_until_at_rest_in(&WRITES);
        assert!(writer.stopped().is_err());
    }

    fn a_process_that_is_no_child_is_not_waited_for() {
        let waiter = start(|| {
            // SAFETY: zeroed is a valid siginfo, and it outlives the call.
            let raw = unsafe {
                let mut info: libc::siginfo_t = core::mem::zeroed();
                sys::waitid_or_stop(libc::P_PID, 1, &raw mut info, libc::WEXITED)
            };
            (raw, Error::last_os_error().raw_os_error())
        });
        assert_eq!(waiter.ended(), (Ok(-1), Some(libc::ECHILD)));
    }

    fn a_datagram_of_nothing_arrives() {
        let (socket, peer) = UnixDatagram::pair().unwrap();
        peer.set_nonblocking(true).unwrap();
        let mut socket = File::from(OwnedFd::from(socket));
        assert_eq!(socket.write_or_stop(&[]).unwrap().unwrap(), 0);
        assert_eq!(peer.recv(&mut [0]).unwrap(), 0);
        assert!(peer.recv(&mut [0]).is_err(), "one and no more");
    }
}
