//! A thread that loops over a marked call is stopped at random instants: no
//! request is lost, and nothing of what the call takes is.
//!
//! `STOP_TESTS_STOPS=100000` for the long run.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;
use stop_tests::dice::{Dice, runs};
use stop_tests::proc::{limit, wait_for};
use stop_tests::{FUTEXES, on_backends, per_backend};
use stopruntime::ext::{AcceptOrStop, RecvFromOrStop};
use stopruntime::thread::{self, JoinHandle};

/// Longer than a thread takes to start and to block.
const SPREAD: u64 = 120_000;

/// The thread's result; a request that was lost shows as a thread that goes on.
fn joined<T: std::fmt::Debug>(handle: JoinHandle<T>, run: u64) -> T {
    let ended = handle.join_timeout(limit());
    assert!(ended.is_ok(), "request lost in run {run}");
    ended.expect("it has ended").expect("the thread does not panic")
}

/// Receives until stopped; each datagram is the one after the last, or follows
/// a gap, which is added to `missing`.
fn receive(socket: &UdpSocket, next: &AtomicU64, missing: &AtomicU64) {
    let mut buffer = [0; 8];
    while let Ok(result) = socket.recv_from_or_stop(&mut buffer) {
        // An error, EINTR above all, would be a trace of the request.
        let (length, _) = result.expect("a datagram");
        assert_eq!(length, 8);
        let (number, expected) = (u64::from_ne_bytes(buffer), next.load(Ordering::Relaxed));
        assert!(number >= expected, "datagram {number} came again or late, not {expected}");
        missing.fetch_add(number - expected, Ordering::Relaxed);
        // A thread that sees this sees the gap before it.
        next.store(number + 1, Ordering::Release);
    }
}

/// How many datagrams the kernel has dropped at this socket, for want of room
/// (`SO_MEMINFO`): a busy machine does, on loopback too.
fn dropped(socket: &UdpSocket) -> u64 {
    const SO_MEMINFO: i32 = 55;
    const DROPS: usize = 8;
    let mut info = [0_u32; DROPS + 1];
    let mut length = libc::socklen_t::try_from(size_of_val(&info)).unwrap();
    // SAFETY: a buffer of that length.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_MEMINFO,
            (&raw mut info).cast(),
            &raw mut length,
        )
    };
    assert_eq!(result, 0, "SO_MEMINFO");
    info[DROPS].into()
}

per_backend! {
    fn datagrams_are_received_or_still_queued() {
        let mut dice = Dice::new();
        let receiver = Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap());
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        sender.connect(receiver.local_addr().unwrap()).unwrap();
        let next = Arc::new(AtomicU64::new(0));
        let missing = Arc::new(AtomicU64::new(0));
        let mut sent = 0_u64;
        for run in 0..runs(3_000) {
            let (socket, counter) = (Arc::clone(&receiver), Arc::clone(&next));
            let gaps = Arc::clone(&missing);
            let handle = thread::spawn(move || receive(&socket, &counter, &gaps));
            // The queue never holds many: loopback drops what does not fit.
            let room = 16 - (sent - next.load(Ordering::Relaxed)).min(16);
            let (before, after) = (dice.below(3).min(room), dice.below(2));
            for _ in 0..before {
                dice.spin(SPREAD / 4);
                sender.send(&sent.to_ne_bytes()).unwrap();
                sent += 1;
            }
            // Every other stop meets a receiver that has worked, at whatever
            // pace, and goes back to its call; the rest one that may have begun.
            if run % 2 == 0 {
                wait_for("all that is queued to be received", || {
                    let next = next.load(Ordering::Acquire);
                    let came = next - missing.load(Ordering::Relaxed);
                    came + dropped(&receiver) == sent
                });
            }
            let span = if dice.chance(2) { 1_000 } else { SPREAD };
            dice.spin(span);
            assert!(handle.request_stop(), "the first request");
            for _ in 0..after {
                sender.send(&sent.to_ne_bytes()).unwrap();
                sent += 1;
            }
            joined(handle, run);
        }
        let received = next.load(Ordering::Relaxed);
        receiver.set_nonblocking(true).unwrap();
        let mut queued = 0;
        // Exactly, though the last may come a moment later: what neither came nor is there, the
        // kernel says it dropped.
        wait_for("what was sent and not received", || {
            queued += std::iter::from_fn(|| receiver.recv_from(&mut [0; 8]).ok()).count() as u64;
            received - missing.load(Ordering::Relaxed) + queued + dropped(&receiver) == sent
        });
        // Not one of them idle: the stops met a working receiver.
        assert!(received > sent / 4, "received {received} of {sent}");
        eprintln!("{sent} sent, {received} received, {queued} queued");
    }

    fn connections_are_accepted_or_still_queued() {
        let mut dice = Dice::new();
        let listener = Arc::new(TcpListener::bind("127.0.0.1:0").unwrap());
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(AtomicU64::new(0));
        let mut connected = 0;
        for run in 0..runs(2_000) / 4 {
            let (listener, count) = (Arc::clone(&listener), Arc::clone(&accepted));
            let handle = thread::spawn(move || {
                while let Ok(result) = listener.accept_or_stop() {
                    result.expect("a connection");
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
            let mut clients = Vec::new();
            if connected - accepted_so_far(&accepted) < 16 {
                dice.spin(SPREAD);
                clients.push(TcpStream::connect(address).unwrap());
                connected += 1;
            }
            // As above: every other stop meets one that has accepted all there is.
            if run % 2 == 0 {
                wait_for("every connection to be accepted", || {
                    accepted_so_far(&accepted) == connected
                });
            }
            dice.spin(5_000);
            handle.request_stop();
            joined(handle, run);
        }
        listener.set_nonblocking(true).unwrap();
        let mut queued = 0;
        // A client may know of its connection before the listener does.
        wait_for("what was connected and not accepted", || {
            queued += std::iter::from_fn(|| listener.accept().ok()).count() as u64;
            accepted_so_far(&accepted) + queued == connected
        });
        assert!(accepted_so_far(&accepted) > 0);
    }

    fn a_time_out_of_the_socket_is_no_stop() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        let mut dice = Dice::new();
        for run in 0..runs(3_000) / 10 {
            let socket = socket.try_clone().unwrap();
            assert!(socket.as_raw_fd() >= 0);
            let handle = thread::spawn(move || {
                while let Ok(result) = socket.recv_from_or_stop(&mut [0; 8]) {
                    assert_eq!(result.expect_err("nothing sends").kind(), ErrorKind::WouldBlock);
                }
            });
            dice.spin(3_000_000);
            handle.request_stop();
            joined(handle, run);
        }
    }
}

on_backends! { FUTEXES;
    fn a_wake_up_is_used_or_finds_no_thread() {
        // A waiter that was counted as woken must say so, and must not say Stopped.
        let mut dice = Dice::new();
        for run in 0..runs(3_000) {
            let word = Arc::new(AtomicU32::new(0));
            let waits_on = Arc::clone(&word);
            let handle = thread::spawn(move || futex_wait_or_stop(&waits_on));
            dice.spin(SPREAD);
            let woken = if dice.chance(2) {
                handle.request_stop();
                dice.spin(2_000);
                wake(&word)
            } else {
                let waker = { let word = Arc::clone(&word); std::thread::spawn(move || wake(&word)) };
                dice.spin(40_000);
                handle.request_stop();
                waker.join().unwrap()
            };
            let outcome = joined(handle, run);
            let expected = if woken == 1 { Some(0) } else { None };
            assert_eq!(outcome, expected, "run {run}: {woken} woken");
        }
    }
}

fn accepted_so_far(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

/// `Some(0)` woken, `None` stopped.
fn futex_wait_or_stop(word: &AtomicU32) -> Option<libc::c_long> {
    let args = [word.as_ptr() as usize, libc::FUTEX_WAIT as usize, 0, 0, 0, 0];
    // SAFETY: futex(2) wait on a word that outlives the call, no time-out.
    unsafe { stopruntime::sys::syscall_or_stop(libc::SYS_futex, args) }.ok()
}

/// The number of threads woken: 1 or 0.
fn wake(word: &AtomicU32) -> libc::c_long {
    // SAFETY: futex(2) wake of a word that is alive.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, 1) }
}
