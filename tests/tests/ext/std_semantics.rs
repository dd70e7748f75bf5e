//! Where std's own call gives an error at once, keeps what it has or says who
//! it is talking to, the stop-checked one does the same; and a request that
//! came before is reported by a call that would not have had to wait.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::mem::ManuallyDrop;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use stop_tests::per_backend;
use stop_tests::started::start;
use stopruntime::ext::{
    AcceptOrStop, BufReadOrStop, ConnectOrStop, ConnectTimeoutOrStop, FillBufOrStop, JoinOrStop,
    ReadOrStop, SendToOrStop, WaitOrStop,
};
use stopruntime::sync::{Condvar, Mutex, mpsc};
use stopruntime::{
    Backend, Config, InstallError, Stoppable, Stopped, Stopper, backend, is_stopped, thread,
};

const TIME_OUT: Duration = Duration::from_millis(30);

fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (stream, listener.accept().unwrap().0)
}

/// The kinds of error that a buffered reader gives which nothing feeds: std's
/// own, then the stop-checked ones.
fn buffered_errors<S>(stream: S) -> [Option<ErrorKind>; 4]
where
    S: Read + ReadOrStop + Send + 'static,
    BufReader<S>: FillBufOrStop,
{
    let reads = move || {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        let plain = reader.read_line(&mut line).err();
        let of_line = reader.read_line_or_stop(&mut line).unwrap().err();
        let of_buffer = reader.fill_buf_or_stop().unwrap().err();
        let of_bytes = reader.read_or_stop(&mut [0]).unwrap().err();
        assert_eq!(line, "");
        [plain, of_line, of_buffer, of_bytes].map(|error| error.map(|error| error.kind()))
    };
    start(reads).ended()
}

/// A path in the file system that is this many bytes long and not there.
fn path_of(length: usize) -> PathBuf {
    let stem = std::env::temp_dir().join(format!("stop-tests-{}-", std::process::id()));
    let mut name = stem.into_os_string().into_encoded_bytes();
    assert!(name.len() < length);
    name.resize(length, b'x');
    let path = PathBuf::from(OsStr::from_bytes(&name));
    let _ = std::fs::remove_file(&path);
    path
}

/// The longest path a Unix socket can have: it fills `sun_path` to its end,
/// with no null byte behind it, which std's address cannot say. unix(7).
const LONGEST: usize = 108;

/// The address of a path that std may refuse, and its length: every byte counts.
fn address_of(path: &Path) -> (libc::sockaddr_un, libc::socklen_t) {
    let bytes = path.as_os_str().as_bytes();
    // SAFETY: zeroed is a valid address.
    let mut address: libc::sockaddr_un = unsafe { core::mem::zeroed() };
    address.sun_family = libc::AF_UNIX.try_into().unwrap();
    for (to, from) in address.sun_path.iter_mut().zip(bytes) {
        *to = libc::c_char::from_ne_bytes([*from]);
    }
    (address, (size_of::<libc::sa_family_t>() + bytes.len()).try_into().unwrap())
}

/// A stream that comes from one path and goes to another.
fn connect_from_to(from: &Path, to: &Path) -> UnixStream {
    let ((own, own_length), (other, other_length)) = (address_of(from), address_of(to));
    // SAFETY: a descriptor made just now; addresses and lengths that belong
    // together and outlive the calls.
    unsafe {
        let raw = libc::socket(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0);
        assert!(raw >= 0);
        let socket = OwnedFd::from_raw_fd(raw);
        let bound = libc::bind(raw, (&raw const own).cast(), own_length);
        assert_eq!(bound, 0, "{}", std::io::Error::last_os_error());
        let connected = libc::connect(raw, (&raw const other).cast(), other_length);
        assert_eq!(connected, 0, "{}", std::io::Error::last_os_error());
        socket.into()
    }
}

/// A message that holds an end of the channel it is sent through.
struct Knot(#[expect(dead_code)] mpsc::SyncSender<Knot>);

per_backend! {
    fn a_buffered_socket_keeps_its_time_out() {
        let (tcp, _tcp_peer) = tcp_pair();
        tcp.set_read_timeout(Some(TIME_OUT)).unwrap();
        assert_eq!(buffered_errors(tcp), [Some(ErrorKind::WouldBlock); 4]);
        let (unix, _unix_peer) = UnixStream::pair().unwrap();
        unix.set_read_timeout(Some(TIME_OUT)).unwrap();
        assert_eq!(buffered_errors(unix), [Some(ErrorKind::WouldBlock); 4]);
    }

    fn a_buffered_socket_that_does_not_wait_says_so() {
        let (tcp, _tcp_peer) = tcp_pair();
        tcp.set_nonblocking(true).unwrap();
        assert_eq!(buffered_errors(tcp), [Some(ErrorKind::WouldBlock); 4]);
        let (unix, _unix_peer) = UnixStream::pair().unwrap();
        unix.set_nonblocking(true).unwrap();
        assert_eq!(buffered_errors(unix), [Some(ErrorKind::WouldBlock); 4]);
    }

    fn after_its_time_out_a_buffered_socket_still_reads() {
        let (stream, mut peer) = UnixStream::pair().unwrap();
        stream.set_read_timeout(Some(TIME_OUT)).unwrap();
        let mut line = String::new();
        let (mut reader, early) = start(move || {
            let mut reader = BufReader::new(stream);
            let early = reader.read_line_or_stop(&mut String::new()).unwrap().unwrap_err();
            (reader, early.kind())
        })
        .ended();
        assert_eq!(early, ErrorKind::WouldBlock);
        peer.write_all(b"late\n").unwrap();
        assert_eq!(reader.read_line_or_stop(&mut line).unwrap().unwrap(), 5);
        assert_eq!(line, "late\n");
    }

    fn a_peer_with_the_longest_path_is_accepted() {
        let (own, longest) = (path_of(60), path_of(LONGEST));
        let listener = UnixListener::bind(&own).unwrap();
        let mut peer = connect_from_to(&longest, &own);
        // std has lost the connection here; that helps no caller.
        let (mut accepted, _) = start(move || listener.accept_or_stop().unwrap().unwrap()).ended();
        peer.write_all(b"x").unwrap();
        let mut byte = [0];
        accepted.read_exact(&mut byte).unwrap();
        assert_eq!(byte, *b"x");
        std::fs::remove_file(own).unwrap();
        std::fs::remove_file(longest).unwrap();
    }

    fn a_null_byte_in_a_path_is_an_error_not_an_end() {
        let (path, datagrams) = (path_of(60), path_of(61));
        let _listener = UnixListener::bind(&path).unwrap();
        let receiver = UnixDatagram::bind(&datagrams).unwrap();
        receiver.set_nonblocking(true).unwrap();
        let sender = UnixDatagram::unbound().unwrap();
        let with_null = |path: &Path, rest: &[u8]| {
            let bytes = [path.as_os_str().as_bytes(), b"\0", rest].concat();
            PathBuf::from(OsStr::from_bytes(&bytes))
        };
        for rest in [&b""[..], b"more"] {
            // In the middle, at the end, and at the beginning, where the kernel
            // takes it for an abstract name.
            for bad in [with_null(&path, rest), with_null(Path::new(""), rest)] {
                let plain = UnixStream::connect(&bad).unwrap_err();
                let ours = UnixStream::connect_or_stop(&bad).unwrap().unwrap_err();
                assert_eq!((plain.kind(), ours.kind()), (ErrorKind::InvalidInput, plain.kind()));
            }
            for bad in [with_null(&datagrams, rest), with_null(Path::new(""), rest)] {
                let plain = sender.send_to(b"x", &bad).unwrap_err();
                let ours = sender.send_to_or_stop(b"x", &bad).unwrap().unwrap_err();
                assert_eq!((plain.kind(), ours.kind()), (ErrorKind::InvalidInput, plain.kind()));
            }
        }
        assert!(receiver.recv(&mut [0]).is_err(), "nothing was sent");
        std::fs::remove_file(path).unwrap();
        std::fs::remove_file(datagrams).unwrap();
    }

    fn a_withdrawn_message_may_own_its_own_channel() {
        let (sender, receiver) = mpsc::sync_channel(0);
        // Not dropped when the test fails: that would wait for the lock as well.
        let receiver = ManuallyDrop::new(receiver);
        let thread = start(move || {
            let own = sender.clone();
            sender.send_or_stop(Knot(own)).is_err()
        });
        thread.wait_until_at_rest_in(&[libc::SYS_futex, libc::SYS_futex_waitv]);
        assert!(thread.stopped());
        // The message was the last to hold a sender.
        assert!(receiver.recv().is_err(), "no thread is left to send");
    }

    fn the_wait_for_a_child_closes_its_input() {
        let mut command = Command::new("cat");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        assert!(start(move || child.wait_or_stop()).ended().unwrap().unwrap().success());
    }

    fn a_child_that_has_been_waited_for_is_still_told() {
        let mut child = Command::new("false").spawn().unwrap();
        let told = child.wait().unwrap();
        assert_eq!(child.wait_or_stop().unwrap().unwrap(), told);
    }

    fn a_stop_inside_of_a_buffered_reader_is_a_stop() {
        let (stream, _peer) = UnixStream::pair().unwrap();
        let reads = move || {
            let mut reader = BufReader::new(Stoppable::new(stream));
            let read = reader.read_or_stop(&mut [0]).is_err();
            (read, reader.fill_buf_or_stop().is_err(), reader.read_line_or_stop(&mut String::new()).is_err())
        };
        let reader = start(reads);
        reader.wait_until_at_rest_in(&[libc::SYS_recvfrom, libc::SYS_ppoll]);
        assert_eq!(reader.stopped(), (true, true, true));
    }

    /// std's own loops go on after an interruption; a stop is none.
    fn a_stop_ends_the_loops_of_std() {
        let (stream, _peer) = UnixStream::pair().unwrap();
        let reader = start(move || Stoppable::new(stream).read_exact(&mut [0]).unwrap_err());
        reader.wait_until_at_rest_in(&[libc::SYS_recvfrom, libc::SYS_ppoll]);
        assert!(is_stopped(&reader.stopped()));
    }

    fn a_connected_stream_waits_for_its_data() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let of = |stream: Result<std::io::Result<TcpStream>, Stopped>| {
            let (mut peer, _) = listener.accept().unwrap();
            let mut stream = stream.unwrap().unwrap();
            let reader = start(move || stream.read(&mut [0]).unwrap());
            reader.wait_until_at_rest_in(&[stop_tests::RECV]);
            peer.write_all(b"x").unwrap();
            assert_eq!(reader.ended(), 1);
        };
        of(TcpStream::connect_or_stop(address));
        of(TcpStream::connect_timeout_or_stop(&address, Duration::from_secs(1_000)));
    }

    fn a_request_before_is_seen_where_nothing_would_wait() {
        let finished = thread::spawn(|| 7);
        while !finished.is_finished() {
            std::thread::yield_now();
        }
        let thread = start(move || {
            let (lock, condvar) = (Mutex::new(()), Condvar::new());
            let not_yet = condvar.wait_while_or_stop(lock.lock().unwrap(), |()| false).is_ok();
            Stopper::current().request_stop();
            let joined = finished.join_or_stop().is_ok();
            let waited = condvar.wait_while_or_stop(lock.lock().unwrap(), |()| false).is_ok();
            // The lock was given back.
            (not_yet, joined, waited, lock.try_lock().is_ok())
        });
        // A condition that is false already goes before the request.
        assert_eq!(thread.ended(), (true, false, true, true));
    }

    fn a_refused_configuration_can_be_followed_by_a_good_one() {
        for bad in [libc::SIGKILL, libc::SIGSEGV, libc::SIGRTMIN(), 0] {
            let refused = Config::new().signal(bad).install();
            let named = matches!(refused, Err(InstallError::UnusableSignal(one)) if one == bad);
            assert!(named, "{refused:?}");
        }
        Config::new().signal(libc::SIGUSR1).backend(Backend::Ppoll).install().unwrap();
        assert_eq!(std::env::var("STOPRUNTIME_BACKEND").as_deref(), Ok(backend().name()));
        let (mut stream, _peer) = UnixStream::pair().unwrap();
        let reader = start(move || stream.read_or_stop(&mut [0]).is_err());
        reader.wait_until_at_rest_in(&[libc::SYS_recvfrom, libc::SYS_ppoll]);
        assert!(reader.stopped());
    }
}
