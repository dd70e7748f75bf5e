//! Calls that wait, stopped.

use crate::both_ways;
use crate::hazards::{install, set};
use crate::kit::{CANCELED, errno, is_dispatch, stopped_in};
use std::io::{Read, Write, pipe};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::SeqCst};
use std::time::{Duration, Instant};
use stop_tests::{POLL, RECV, thread_id, wait_until_blocked_in};

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (stream, listener.accept().unwrap().0)
}

both_ways! {
    fn read_of_a_pipe() {
        let (mut reader, _writer) = pipe().unwrap();
        let result = stopped_in(&[libc::SYS_read], move || reader.read(&mut [0]));
        assert_eq!(result.unwrap_err().raw_os_error(), Some(CANCELED));
    }

    fn read_of_a_socket() {
        let (mut stream, _peer) = pair();
        let result = stopped_in(&[libc::SYS_read, RECV], move || stream.read(&mut [0]));
        assert_eq!(result.unwrap_err().raw_os_error(), Some(CANCELED));
    }

    /// It comes in a handler on top of the read, and so does the stop.
    fn read_of_data_that_has_come() {
        static BYTE_COMES_BY: AtomicI32 = AtomicI32::new(-1);
        static HANDLES: AtomicBool = AtomicBool::new(false);
        extern "C" fn handle(_: i32) {
            // SAFETY: a byte, and a set of this function's.
            unsafe {
                assert_eq!(libc::write(BYTE_COMES_BY.load(SeqCst), c"x".as_ptr().cast(), 1), 1);
                HANDLES.store(true, SeqCst);
                let mut pending = set(&[]);
                while libc::sigismember(&raw const pending, libc::SIGURG) != 1 {
                    libc::sigpending(&raw mut pending);
                }
            }
        }
        let (mut stream, peer) = pair();
        BYTE_COMES_BY.store(peer.as_raw_fd(), SeqCst);
        // The stop signal waits for its end.
        install(libc::SIGUSR1, handle, set(&[libc::SIGURG]));
        let (sender, receiver) = std::sync::mpsc::channel();
        let reader = stopruntime::thread::spawn(move || {
            sender.send(thread_id()).unwrap();
            stopruntime::foreign(|| stream.read(&mut [0]))
        });
        let id = receiver.recv().unwrap();
        wait_until_blocked_in(id, &[libc::SYS_read, RECV]);
        // SAFETY: numbers.
        unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), id, libc::SIGUSR1) };
        while !HANDLES.load(SeqCst) {
            std::thread::yield_now();
        }
        reader.request_stop();
        let read = reader.join().unwrap().unwrap().map_err(|error| error.raw_os_error());
        assert_eq!(read, if is_dispatch() { Err(Some(CANCELED)) } else { Ok(1) });
    }

    fn receive_from() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let result = stopped_in(&[RECV], move || socket.recv_from(&mut [0]));
        assert_eq!(result.unwrap_err().raw_os_error(), Some(CANCELED));
    }

    fn accept() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let calls = [libc::SYS_accept, libc::SYS_accept4];
        let result = stopped_in(&calls, move || listener.accept());
        assert_eq!(result.unwrap_err().raw_os_error(), Some(CANCELED));
    }

    fn write_to_a_slow_peer() {
        let (mut stream, _peer) = pair();
        let calls = [libc::SYS_write, libc::SYS_sendto];
        let result = stopped_in(&calls, move || stream.write_all(&vec![0; 1 << 24]));
        assert_eq!(result.unwrap_err().raw_os_error(), Some(CANCELED));
    }

    fn sleep() {
        let start = Instant::now();
        let calls = [libc::SYS_nanosleep, libc::SYS_clock_nanosleep];
        stopped_in(&calls, || std::thread::sleep(Duration::from_secs(300)));
        assert!(start.elapsed() < Duration::from_secs(100));
    }

    fn poll() {
        let (reader, _writer) = pipe().unwrap();
        let polled = stopped_in(&[POLL], move || {
            let mut entry = libc::pollfd { fd: reader.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            loop {
                // SAFETY: one entry.
                let ready = unsafe { libc::poll(&raw mut entry, 1, 300_000) };
                if ready >= 0 || errno() != libc::EINTR {
                    return if ready < 0 { Err(errno()) } else { Ok((ready, entry.revents)) };
                }
            }
        });
        let all = libc::POLLIN | libc::POLLERR | libc::POLLHUP;
        let expected = if is_dispatch() { Ok((1, all)) } else { Err(CANCELED) };
        assert_eq!(polled, expected);
    }

    /// As libzmq's, which aborts the process for any other error, and which is called again.
    fn polls_of_an_eventfd_alone() {
        // SAFETY: a new descriptor.
        let eventfd = unsafe { OwnedFd::from_raw_fd(libc::eventfd(0, libc::EFD_NONBLOCK)) };
        let (errors, elapsed) = stopped_in(&[POLL], move || {
            let start = Instant::now();
            let descriptor = eventfd.as_raw_fd();
            let polled = || {
                let mut entry = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
                // SAFETY: one entry.
                (unsafe { libc::poll(&raw mut entry, 1, -1) }, errno(), entry.revents)
            };
            let selected = || {
                // SAFETY: zeroed is a set of none, with room for this descriptor.
                unsafe {
                    let mut set: libc::fd_set = std::mem::zeroed();
                    libc::FD_SET(descriptor, &raw mut set);
                    let none: *mut libc::fd_set = std::ptr::null_mut();
                    let raw = libc::select(descriptor + 1, &raw mut set, none, none, none.cast());
                    (raw, errno(), i16::from(!libc::FD_ISSET(descriptor, &raw const set)))
                }
            };
            // Where libc hides the number of its call, the timer cannot tell a select.
            let selects = if is_dispatch() { 10 } else { 0 };
            let mut all: Vec<_> = (0..10).map(|_| polled()).collect();
            all.extend((0..selects).map(|_| selected()));
            (all, start.elapsed())
        });
        assert!(errors.iter().all(|found| *found == (-1, libc::EINTR, 0)), "{errors:?}");
        assert!(!is_dispatch() || elapsed > Duration::from_millis(10), "they spin: {elapsed:?}");
    }

    /// It has its time: glibc aborts where a futex says something that it does not know.
    fn a_timed_wait_for_a_condition() {
        let timed = crate::kit::armed(|| {
            let mut mutex = libc::PTHREAD_MUTEX_INITIALIZER;
            let mut condition = libc::PTHREAD_COND_INITIALIZER;
            // SAFETY: a mutex and a condition that no other thread uses, and a time.
            unsafe {
                let mut until: libc::timespec = std::mem::zeroed();
                libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut until);
                until.tv_sec += 1;
                libc::pthread_mutex_lock(&raw mut mutex);
                libc::pthread_cond_timedwait(&raw mut condition, &raw mut mutex, &raw const until)
            }
        });
        assert_eq!(timed, libc::ETIMEDOUT);
    }

    fn wait_for_a_child() {
        let mut child = std::process::Command::new("sleep").arg("300").spawn().unwrap();
        let calls = [libc::SYS_wait4, libc::SYS_waitid];
        let (result, mut child) = stopped_in(&calls, move || (child.wait(), child));
        assert_eq!(result.unwrap_err().raw_os_error(), Some(CANCELED));
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn standard_read_line() {
        use std::io::BufRead;
        let (reader, mut writer) = pipe().unwrap();
        writer.write_all(b"first\nsecond").unwrap();
        let lines = stopped_in(&[libc::SYS_read], move || {
            let mut lines = std::io::BufReader::new(reader).lines();
            (lines.next().unwrap().unwrap(), lines.next().unwrap().map_err(|error| error.raw_os_error()))
        });
        assert_eq!(lines, ("first".into(), Err(Some(CANCELED))));
    }
}
