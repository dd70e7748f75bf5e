//! The signal belongs to the process: stray and foreign ones stop nothing, an
//! earlier handler keeps its signals, and the one chosen is the one used. And
//! what the kernel itself interrupts, a stop of the process, moves no deadline.

use std::io::{ErrorKind, pipe};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use stop_tests::proc::{asleep_in, wait_for, wait_for_state};
use stop_tests::signals::{STOP, catch, plain_write, send, waiting};
use stop_tests::started::blocked;
use stop_tests::tracee::{Line, line_to_tracer, start};
use stop_tests::{on_backends, per_backend, thread_id, wait_until_blocked_in};
use stopruntime::ext::{ReadOrStop, RecvFromOrStop, sleep_or_stop};
use stopruntime::{Config, InstallError, thread};

const WAITS: [libc::c_long; 3] = [libc::SYS_read, libc::SYS_futex, libc::SYS_ppoll];

static CHAINED: AtomicU32 = AtomicU32::new(0);

extern "C" fn earlier(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    CHAINED.fetch_add(1, Ordering::SeqCst);
}

/// Queues the signal with a value, to the process. sigqueue(3).
fn queue(signal: i32) {
    let value = libc::sigval { sival_ptr: core::ptr::null_mut() };
    let process = std::process::id().cast_signed();
    // SAFETY: integers.
    assert_eq!(unsafe { libc::sigqueue(process, signal, value) }, 0);
}

/// Sends the signal to this process from another one. kill(1).
fn kill_from_outside(signal: i32) {
    let script = format!("kill -{signal} {}", std::process::id());
    let status = std::process::Command::new("sh").args(["-c", &script]).status().unwrap();
    assert!(status.success());
}

per_backend! {
    fn strays_end_nothing_and_reach_the_earlier_handler() {
        catch(STOP, earlier, libc::SA_RESTART, &[]);
        let (mut reader, writer) = pipe().unwrap();
        let (sender, receiver) = mpsc::channel();
        let handle = thread::spawn(move || {
            sender.send(thread_id()).unwrap();
            let read = reader.read_or_stop(&mut [0]).map(|result| result.unwrap());
            (read, reader.read_or_stop(&mut [0]).is_err())
        });
        let thread = receiver.recv().unwrap();
        wait_until_blocked_in(thread, &WAITS);
        for kind in 0..60 {
            let before = CHAINED.load(Ordering::SeqCst);
            match kind % 3 {
                0 => send(thread, STOP),
                1 => queue(STOP),
                _ => kill_from_outside(STOP),
            }
            wait_for("the earlier handler", || CHAINED.load(Ordering::SeqCst) > before);
            wait_until_blocked_in(thread, &WAITS);
        }
        assert!(plain_write(writer.as_raw_fd()));
        wait_for("the byte to be taken", || waiting(&writer) == 0);
        wait_until_blocked_in(thread, &WAITS);
        let strays = CHAINED.load(Ordering::SeqCst);
        assert_eq!(strays, 60);
        handle.request_stop();
        assert_eq!(handle.join().unwrap(), (Ok(1), true));
        assert_eq!(CHAINED.load(Ordering::SeqCst), strays, "a request reaches no earlier handler");
    }

    fn another_signal_may_be_chosen() {
        for refused in [
            libc::SIGKILL, libc::SIGSTOP, libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE,
            libc::SIGTRAP, 0, -1, 32, 33, 65,
        ] {
            // A refusal is final: each in a process of its own.
            // SAFETY: one thread of the test's own; the child only installs.
            let child = unsafe { libc::fork() };
            if child == 0 {
                let refusal = Config::new().signal(refused).install();
                let fine = matches!(refusal, Err(InstallError::UnusableSignal(one)) if one == refused);
                // SAFETY: ends the child at once.
                unsafe { libc::_exit(i32::from(!fine)) }
            }
            let mut status = 0;
            // SAFETY: our child, a valid place.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            assert_eq!(status, 0, "signal {refused}");
        }
        Config::new().signal(libc::SIGUSR1).install().unwrap();
        let again = Config::new().install().unwrap_err();
        assert!(matches!(again, InstallError::AlreadyInstalled { signal: libc::SIGUSR1, .. }), "{again}");
        let (sender, receiver) = mpsc::channel();
        let handle = thread::spawn(move || {
            sender.send(thread_id()).unwrap();
            let (mut reader, _writer) = pipe().unwrap();
            reader.read_or_stop(&mut [0]).is_err()
        });
        let thread = receiver.recv().unwrap();
        wait_until_blocked_in(thread, &WAITS);
        // The default one means nothing now.
        send(thread, STOP);
        wait_until_blocked_in(thread, &WAITS);
        assert!(handle.stop_and_join().unwrap());
    }

    fn an_unknown_backend_is_refused() {
        let backend = std::env::var("STOPRUNTIME_BACKEND").unwrap();
        // SAFETY: no other thread of this process reads the environment.
        unsafe { std::env::set_var("STOPRUNTIME_BACKEND", "smoke") };
        let refusal = Config::new().install().unwrap_err();
        // SAFETY: as before. What looks at the backend after the test finds it.
        unsafe { std::env::set_var("STOPRUNTIME_BACKEND", backend) };
        assert!(matches!(&refusal, InstallError::UnknownBackend(name) if name == "smoke"));
        assert!(refusal.to_string().contains("smoke"));
    }

    fn a_stop_of_the_process_moves_no_deadline() {
        if let Some(line) = line_to_tracer() {
            return waits(line);
        }
        let (tracee, mut line) = start();
        let signal = |signal| {
            // SAFETY: two integers, and the process is ours.
            assert_eq!(unsafe { libc::kill(tracee.process(), signal) }, 0);
        };
        let threads = TIMED.map(|_| [line.receive_number(), line.receive_number()]);
        for thread in threads.into_iter().flatten() {
            wait_for("all waits", || asleep_in(thread).is_some());
        }
        // From here on it is all about time: stopped for longer than is
        // left after it.
        std::thread::sleep(TIME / 4);
        signal(libc::SIGSTOP);
        wait_for_state(threads[0][0], "T");
        std::thread::sleep(TIME / 2);
        signal(libc::SIGCONT);
        let mut late = Vec::new();
        for wait in TIMED {
            let (took, plain_took) = (line.receive_number(), line.receive_number());
            eprintln!("{}: marked {took} ms, plain {plain_took} ms", char::from(wait));
            // The plain call, where it is std's, may give up before its time.
            let due = plain_took.max(i32::try_from(TIME.as_millis()).unwrap());
            if took > due + SLACK {
                late.push((char::from(wait), took, plain_took));
            }
        }
        assert!(late.is_empty(), "later than the plain call, in ms: {late:?}");
    }
}

on_backends! { ["rseq"];
    fn a_foreign_handler_in_place_of_ours_does_not_matter() {
        // Put in the place of ours later. The other backends need theirs.
        let (mut reader, _writer) = pipe().unwrap();
        let (handle, _) = blocked(&WAITS, move || {
            reader.read_or_stop(&mut [0]).is_err()
        });
        catch(STOP, earlier, libc::SA_RESTART, &[]);
        assert!(handle.stop_and_join().unwrap());
    }
}

const SLEEP: u8 = b's';
const SOCKET: u8 = b'r';
const PPOLL: u8 = b'p';
const POLL: u8 = b'q';
const TIMED: [u8; 4] = [SLEEP, SOCKET, PPOLL, POLL];
const TIME: Duration = Duration::from_millis(2_400);
/// A quarter of the time, because a restart of the whole would add as much.
const SLACK: i32 = 500;

/// Tracee: all kinds of waits, each marked and plain, at the same time; tells the
/// threads' ids, then how long each has waited.
fn waits(mut line: Line) {
    let threads = TIMED.map(|kind| {
        [true, false].map(|marked| {
            let (sender, receiver) = mpsc::channel();
            let thread = thread::spawn(move || {
                sender.send(thread_id()).unwrap();
                let start = Instant::now();
                wait_once(kind, marked);
                i32::try_from(start.elapsed().as_millis()).unwrap()
            });
            line.send_number(receiver.recv().unwrap());
            thread
        })
    });
    for thread in threads.into_iter().flatten() {
        line.send_number(thread.join().unwrap());
    }
}

fn wait_once(kind: u8, marked: bool) {
    match kind {
        SLEEP if marked => sleep_or_stop(TIME).unwrap(),
        SLEEP => std::thread::sleep(TIME),
        SOCKET => {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.set_read_timeout(Some(TIME)).unwrap();
            let received = if marked {
                socket.recv_from_or_stop(&mut [0]).unwrap()
            } else {
                socket.recv_from(&mut [0])
            };
            // Both are what std's own call says after a stop of the process.
            let kind = received.unwrap_err().kind();
            assert!(matches!(kind, ErrorKind::WouldBlock | ErrorKind::Interrupted), "{kind}");
        }
        _ => poll_once(kind, marked),
    }
}

fn poll_once(kind: u8, marked: bool) {
    let mut time = stop_tests::timespec(TIME);
    let (number, time_out) = match kind {
        #[cfg(target_arch = "x86_64")]
        POLL => (libc::SYS_poll, usize::try_from(TIME.as_millis()).unwrap()),
        _ => (libc::SYS_ppoll, &raw mut time as usize),
    };
    // SAFETY: no descriptors, no mask; the time outlives the call.
    let result = unsafe {
        if marked {
            stopruntime::sys::syscall_or_stop(number, [0, 0, time_out, 0, 8, 0]).unwrap()
        } else {
            libc::syscall(number, 0, 0, time_out, 0, 8)
        }
    };
    assert_eq!(result, 0);
}
