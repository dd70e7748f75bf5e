//! A process that may not open one descriptor more (`RLIMIT_NOFILE`): poll(2)
//! then refuses to wait for those that it has. Marked calls still wait for them,
//! without a turn of a loop, and are stopped. What else keeps them from waiting is an
//! error.

use std::cell::Cell;
use std::fs::File;
use std::io::{BufReader, PipeReader, Read, Write, pipe};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::mpsc;
use stop_tests::seccomp::deny;
use stop_tests::{POLL, emulation_hides, full_listener, per_backend, thread_id};
use stopruntime::ext::{AcceptOrStop, BufReadOrStop, ReadOrStop, RecvFromOrStop};
use stopruntime::{Stopped, stoppable, sys, thread};

const WAITS: [libc::c_long; 7] = [
    libc::SYS_connect,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
];

/// Lets the process open so many descriptors from now on.
fn allow(descriptors: libc::rlim_t) {
    // SAFETY: a limit that is filled in first.
    unsafe {
        let mut limit: libc::rlimit = core::mem::zeroed();
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit), 0);
        limit.rlim_cur = descriptors;
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit), 0);
    }
}

/// What a thread's `/proc` file says, open from before the limit.
struct Look(File);

impl Look {
    fn at(thread: i32) -> Look {
        Look(File::open(format!("/proc/self/task/{thread}/syscall")).unwrap())
    }

    fn wait_until_blocked(&self) {
        let mut text = [0; 64];
        loop {
            let length = self.0.read_at(&mut text, 0).unwrap();
            let text = String::from_utf8_lossy(&text[..length]);
            let number = text.split_whitespace().next().and_then(|word| word.parse().ok());
            if number.is_some_and(|number| WAITS.contains(&number)) {
                return;
            }
            std::thread::yield_now();
        }
    }
}

/// Begins the call where no descriptor may be opened, and waits until it waits.
fn waits<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> thread::JoinHandle<T> {
    let (sender, receiver) = mpsc::channel();
    let (limited, go) = mpsc::channel::<()>();
    let waiter = thread::spawn(move || {
        // Registered, and /proc has the thread, before the limit.
        assert!(stopruntime::check().is_ok());
        sender.send(thread_id()).unwrap();
        go.recv().unwrap();
        call()
    });
    let look = Look::at(receiver.recv().unwrap());
    allow(0);
    limited.send(()).unwrap();
    look.wait_until_blocked();
    waiter
}

fn is_stopped<T: Send + 'static>(call: impl FnOnce() -> Result<T, Stopped> + Send + 'static) {
    let waiter = waits(call);
    waiter.request_stop();
    assert!(waiter.join().unwrap().is_err());
    allow(1_024);
}

#[stoppable]
fn read_when_readable(mut reader: PipeReader) -> Result<u8, Stopped> {
    let mut byte = [0];
    #[blocking(readable)]
    let length = reader.read(&mut byte);
    assert_eq!(length.unwrap(), 1);
    Ok(byte[0])
}

thread_local!(static KEPT: Cell<Option<OwnedFd>> = const { Cell::new(None) });

/// A reader whose writer stays open as long as the thread.
fn kept_open() -> PipeReader {
    let (reader, writer) = pipe().unwrap();
    KEPT.set(Some(writer.into()));
    reader
}

fn stream_socket() -> OwnedFd {
    // SAFETY: numbers; a descriptor made just now.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0);
        assert!(socket >= 0);
        OwnedFd::from_raw_fd(socket)
    }
}

fn connect(socket: &OwnedFd, to: SocketAddr) -> Result<i32, Stopped> {
    let SocketAddr::V4(to) = to else { unreachable!("bound to 127.0.0.1") };
    let address = libc::sockaddr_in {
        sin_family: libc::AF_INET.try_into().unwrap(),
        sin_port: to.port().to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(*to.ip()).to_be() },
        sin_zero: [0; 8],
    };
    let length = size_of_val(&address).try_into().unwrap();
    // SAFETY: an address of that length.
    unsafe { sys::connect_or_stop(socket.as_raw_fd(), (&raw const address).cast(), length) }
}

per_backend! {
    fn every_kind_of_wait_is_stopped() {
        if emulation_hides("waits without descriptors", "its own limits are another matter") {
            return;
        }
        let mut reader = kept_open();
        is_stopped(move || reader.read_or_stop(&mut [0]));
        let mut reader = BufReader::new(kept_open());
        is_stopped(move || reader.read_line_or_stop(&mut String::new()));
        let reader = kept_open();
        is_stopped(move || read_when_readable(reader));
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        is_stopped(move || socket.recv_from_or_stop(&mut [0]));
        let (listener, _filler) = full_listener();
        let to = listener.local_addr().unwrap();
        let socket = stream_socket();
        is_stopped(move || connect(&socket, to));
        let Ok(mut terminal) = File::open("/dev/ptmx") else { return };
        is_stopped(move || terminal.read_or_stop(&mut [0]));
    }

    fn an_accept_says_that_none_is_free() {
        if emulation_hides("an accept without descriptors", "its own limits are another matter") {
            return;
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        // Registered before the limit.
        assert!(stopruntime::check().is_ok());
        let refused = || listener.accept_or_stop().unwrap().unwrap_err().raw_os_error();
        allow(0);
        assert_eq!(listener.accept().unwrap_err().raw_os_error(), Some(libc::EMFILE));
        assert_eq!(refused(), Some(libc::EMFILE));
        allow(1_024);
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        allow(0);
        assert_eq!(refused(), Some(libc::EMFILE));
        allow(1_024);
        // Which has taken no connection.
        let (_, from) = listener.accept_or_stop().unwrap().unwrap();
        assert_eq!(from, client.local_addr().unwrap());
    }

    fn what_comes_is_read() {
        if emulation_hides("waits without descriptors", "its own limits are another matter") {
            return;
        }
        let (mut reader, mut writer) = pipe().unwrap();
        let waiter = waits(move || reader.read_or_stop(&mut [0]).unwrap().unwrap());
        writer.write_all(b"1").unwrap();
        assert_eq!(waiter.join().unwrap(), 1);
        allow(1_024);
        let (reader, mut writer) = pipe().unwrap();
        let waiter = waits(move || read_when_readable(reader));
        writer.write_all(b"2").unwrap();
        assert_eq!(waiter.join().unwrap(), Ok(b'2'));
        allow(1_024);
        let (reader, mut writer) = pipe().unwrap();
        let waiter = waits(move || {
            let mut line = String::new();
            BufReader::new(reader).read_line_or_stop(&mut line).unwrap().unwrap();
            line
        });
        writer.write_all(b"3\n").unwrap();
        assert_eq!(waiter.join().unwrap(), "3\n");
    }

    fn an_error_of_the_wait_is_not_taken_for_readiness() {
        let (reader, mut writer) = pipe().unwrap();
        // So that a call that went on would return.
        writer.write_all(b"4").unwrap();
        let waiter = thread::spawn(move || {
            for wait in [POLL, libc::SYS_ppoll] {
                deny(wait, libc::ENOMEM);
            }
            read_when_readable(reader)
        });
        // The type of the call's own error is not known.
        let panic = waiter.join().unwrap_err();
        let text = panic.downcast_ref::<String>().unwrap();
        assert!(text.contains("the wait for the descriptor failed"), "{text}");
        let error = std::io::Error::from_raw_os_error(libc::ENOMEM).to_string();
        assert!(text.contains(&error), "{text}");
    }

    fn as_many_as_may_be_open_are_waited_for() {
        let (reader, _writer) = pipe().unwrap();
        let entry = libc::pollfd { fd: reader.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let mut entries = [entry; 64];
        allow(64);
        // SAFETY: that many entries.
        let ready = unsafe { sys::poll_or_stop(entries.as_mut_ptr(), 64, 10) };
        assert_eq!(ready, Ok(0));
        // One more is refused, as by the plain call.
        allow(63);
        // SAFETY: as above.
        let ready = unsafe { sys::poll_or_stop(entries.as_mut_ptr(), 64, 10) };
        assert_eq!(ready, Ok(-1));
        assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(libc::EINVAL));
    }
}
