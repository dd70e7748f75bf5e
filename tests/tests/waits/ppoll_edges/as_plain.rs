//! What only the plain call does, and a call that is made in its place has to do
//! as well.

// Sizes of C's structures.
#![allow(clippy::cast_possible_truncation)]

use super::terminal::terminal;
use super::{RECEIVES, WRITES};
use std::fs::File;
use std::io::{Error, Write};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use stop_tests::per_backend;
use stop_tests::seccomp::trap;
use stop_tests::started::start;
use stopruntime::{Stopped, sys};

const READS: [libc::c_long; 1] = [libc::SYS_read];
/// What changes the flags of an open file.
#[cfg(target_pointer_width = "64")]
const FCNTL: libc::c_long = libc::SYS_fcntl;
#[cfg(target_pointer_width = "32")]
const FCNTL: libc::c_long = libc::SYS_fcntl64;
const CONNECTS: [libc::c_long; 1] = [libc::SYS_connect];

/// An option that is a number.
fn set(socket: &impl AsRawFd, option: i32, value: i32) {
    // SAFETY: an int, which has four bytes.
    let done = unsafe {
        let value = (&raw const value).cast();
        libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, value, 4)
    };
    assert_eq!(done, 0);
}

/// Receives `count` messages of at most four bytes: of each its length, the
/// length of its sender's address, the length of what belongs to it, and its flags.
fn received(socket: &UnixDatagram, count: usize) -> Vec<(u32, u32, usize, i32)> {
    // SAFETY: zeroed are messages and addresses of nothing; every pointer leads to
    // what outlives the call.
    unsafe {
        let mut bytes = [[0_u8; 4]; 2];
        let mut controls = [[0_u64; 16]; 2];
        let mut names: [libc::sockaddr_un; 2] = std::mem::zeroed();
        let mut parts: [libc::iovec; 2] = std::mem::zeroed();
        let mut messages: [libc::mmsghdr; 2] = std::mem::zeroed();
        for at in 0..count {
            parts[at].iov_base = bytes[at].as_mut_ptr().cast();
            parts[at].iov_len = 4;
            let message = &mut messages[at].msg_hdr;
            message.msg_name = (&raw mut names[at]).cast();
            message.msg_namelen = size_of::<libc::sockaddr_un>() as u32;
            message.msg_iov = &raw mut parts[at];
            message.msg_iovlen = 1;
            message.msg_control = controls[at].as_mut_ptr().cast();
            message.msg_controllen = size_of_val(&controls[at]) as _;
        }
        let (socket, first) = (socket.as_raw_fd(), messages.as_mut_ptr());
        if count == 1 {
            let length = sys::recvmsg_or_stop(socket, &raw mut (*first).msg_hdr, 0).unwrap();
            (*first).msg_len = length.try_into().unwrap();
        } else {
            let (number, none) = (count.try_into().unwrap(), std::ptr::null_mut());
            let got = sys::recvmmsg_or_stop(socket, first, number, 0, none).unwrap();
            assert_eq!(usize::try_from(got), Ok(count));
        }
        messages[..count]
            .iter()
            .map(|message| {
                let header = &message.msg_hdr;
                #[allow(clippy::unnecessary_cast, reason = "another width on musl")]
                let control = header.msg_controllen as usize;
                (message.msg_len, header.msg_namelen, control, header.msg_flags)
            })
            .collect()
    }
}

/// Reads four bytes at most; what has come.
fn read(file: &impl AsRawFd) -> Result<Vec<u8>, Stopped> {
    let mut bytes = [0; 4];
    // SAFETY: four writable bytes.
    let length = unsafe { sys::read_or_stop(file.as_raw_fd(), bytes.as_mut_ptr().cast(), 4)? };
    Ok(bytes[..usize::try_from(length).unwrap()].to_vec())
}

/// A terminal whose reads end after this many characters, or tenths of a second.
fn ending_after(characters: u8, tenths: u8) -> (File, File) {
    let (master, slave) = terminal();
    // SAFETY: zeroed is a valid termios, which the first call fills in.
    unsafe {
        let mut settings: libc::termios = std::mem::zeroed();
        assert_eq!(libc::tcgetattr(slave.as_raw_fd(), &raw mut settings), 0);
        libc::cfmakeraw(&raw mut settings);
        settings.c_cc[libc::VMIN] = characters;
        settings.c_cc[libc::VTIME] = tenths;
        assert_eq!(libc::tcsetattr(slave.as_raw_fd(), libc::TCSANOW, &raw const settings), 0);
    }
    (master, slave)
}

per_backend! {
    fn a_message_comes_with_all_that_belongs_to_it() {
        let path = std::env::temp_dir().join(format!("stop-tests-plain-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let _ = std::fs::remove_file(path.with_extension("to"));
        let sender = UnixDatagram::bind(&path).unwrap();
        let receiver = UnixDatagram::bind(path.with_extension("to")).unwrap();
        set(&receiver, libc::SO_PASSCRED, 1);
        let send = |text: &[u8]| sender.send_to(text, path.with_extension("to")).unwrap();
        let name = u32::try_from(2 + path.as_os_str().len() + 1).unwrap();
        // SAFETY: takes a number.
        let control = unsafe { libc::CMSG_SPACE(size_of::<libc::ucred>() as u32) as usize };
        send(b"long");
        assert_eq!(received(&receiver, 1), [(4, name, control, 0)]);
        send(b"longer");
        assert_eq!(received(&receiver, 1), [(4, name, control, libc::MSG_TRUNC)]);
        send(b"x");
        send(b"longer");
        let both = [(1, name, control, 0), (4, name, control, libc::MSG_TRUNC)];
        assert_eq!(received(&receiver, 2), both);
        send(b"by address");
        // SAFETY: four writable bytes, and a place for an address of the length given.
        unsafe {
            let (mut bytes, mut from) = ([0_u8; 4], std::mem::zeroed::<libc::sockaddr_un>());
            let mut length = size_of_val(&from) as u32;
            let (place, from) = (bytes.as_mut_ptr().cast(), (&raw mut from).cast());
            let socket = receiver.as_raw_fd();
            let got = sys::recvfrom_or_stop(socket, place, 4, 0, from, &raw mut length);
            assert_eq!((got, length), (Ok(4), name));
        }
        std::fs::remove_file(path.with_extension("to")).unwrap();
        std::fs::remove_file(path).unwrap();
    }

    fn a_low_water_mark_is_waited_for() {
        let (mut writer, reader) = UnixStream::pair().unwrap();
        set(&reader, libc::SO_RCVLOWAT, 3);
        let thread = start(move || read(&reader));
        thread.wait_until_at_rest_in(&READS);
        writer.write_all(b"ab").unwrap();
        thread.wait_until_at_rest_in(&READS);
        writer.write_all(b"c").unwrap();
        assert_eq!(thread.ended().unwrap(), b"abc");
    }

    fn a_terminal_counts_characters_and_time() {
        let (mut master, slave) = ending_after(3, 0);
        let thread = start(move || read(&slave));
        thread.wait_until_at_rest_in(&READS);
        master.write_all(b"ab").unwrap();
        thread.wait_until_at_rest_in(&READS);
        master.write_all(b"c").unwrap();
        assert_eq!(thread.ended().unwrap(), b"abc");
        let (_master, slave) = ending_after(0, 1);
        assert_eq!(read(&slave).unwrap(), b"");
    }

    fn a_datagrams_connect_leaves_the_sockets_flags_alone() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
        let SocketAddr::V4(to) = peer.local_addr().unwrap() else { panic!("an address of IPv4") };
        let outcome = std::thread::scope(|scope| {
            let connecting = scope.spawn(|| {
                let _registered = stopruntime::Stopper::current();
                // SAFETY: zeroed is an address of nothing.
                let mut address: libc::sockaddr_in = unsafe { std::mem::zeroed() };
                address.sin_family = libc::AF_INET as libc::sa_family_t;
                address.sin_port = to.port().to_be();
                address.sin_addr.s_addr = u32::from(*to.ip()).to_be();
                // The others that share the socket would find it non-blocking for a
                // while: the call that makes it so ends the process.
                trap(FCNTL);
                let length = size_of_val(&address) as libc::socklen_t;
                // SAFETY: an address of this length.
                unsafe {
                    sys::connect_or_stop(socket.as_raw_fd(), (&raw const address).cast(), length)
                }
            });
            connecting.join().unwrap()
        });
        assert_eq!(outcome, Ok(0));
        assert_eq!(socket.peer_addr().unwrap(), peer.local_addr().unwrap());
    }

    fn a_full_queue_of_connections_is_waited_for() {
        let path = std::env::temp_dir().join(format!("stop-tests-queue-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        // SAFETY: two numbers.
        assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 0) }, 0);
        let first = UnixStream::connect(&path).unwrap();
        let connect = || {
            let path = path.clone();
            start(move || {
                use stopruntime::ext::ConnectOrStop;
                UnixStream::connect_or_stop(path).map(Result::unwrap)
            })
        };
        let thread = connect();
        thread.wait_until_at_rest_in(&CONNECTS);
        assert!(thread.stopped().is_err());
        let thread = connect();
        thread.wait_until_at_rest_in(&CONNECTS);
        drop(listener.accept().unwrap());
        thread.ended().unwrap();
        drop(first);
        std::fs::remove_file(path).unwrap();
    }

    fn a_message_of_many_parts_is_whole() {
        let (mut writer, reader) = UnixStream::pair().unwrap();
        let theirs = reader.try_clone().unwrap();
        let receive = move || {
            let (mut one, mut two) = ([0_u8; 2], [0_u8; 4]);
            let part = |bytes: &mut [u8]| libc::iovec {
                iov_base: bytes.as_mut_ptr().cast(),
                iov_len: bytes.len(),
            };
            let mut parts = [part(&mut one), part(&mut two)];
            // SAFETY: zeroed is a message of nothing; its parts outlive the call.
            let got = unsafe {
                let mut message: libc::msghdr = std::mem::zeroed();
                message.msg_iov = parts.as_mut_ptr();
                message.msg_iovlen = 2;
                sys::recvmsg_or_stop(theirs.as_raw_fd(), &raw mut message, libc::MSG_WAITALL)
            };
            got.map(|got| (got, one, two))
        };
        let thread = start(receive);
        thread.wait_until_at_rest_in(&RECEIVES);
        writer.write_all(b"abc").unwrap();
        thread.wait_until_at_rest_in(&RECEIVES);
        writer.write_all(b"def").unwrap();
        assert_eq!(thread.ended().unwrap(), (6, *b"ab", *b"cdef"));
    }

    /// Of a stopped write the kernel has said how much it took.
    fn a_write_in_parts_says_how_much() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let thread = start(move || {
            let data = vec![1_u8; 1 << 20];
            // SAFETY: as long as it says.
            let taken = unsafe {
                sys::write_or_stop(writer.as_raw_fd(), data.as_ptr().cast(), data.len())
            };
            (taken.map_err(|_| Error::last_os_error().to_string()), stopruntime::check().is_err())
        });
        thread.wait_until_at_rest_in(&WRITES);
        let (taken, stops) = thread.stopped();
        let mut got = Vec::new();
        std::io::Read::read_to_end(&mut reader, &mut got).unwrap();
        assert_eq!((usize::try_from(taken.unwrap()), stops), (Ok(got.len()), true));
        assert!(!got.is_empty());
    }
}
