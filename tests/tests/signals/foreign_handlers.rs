//! A foreign signal handler runs on top of a blocked marked call while the
//! request is made. The stop is not lost when it returns, and the handler's
//! own calls are not disturbed.
//!
//! That it is on top of the call is proved each time: the thread slept in the
//! call, then the handler reported that it runs, and it stays until it is told
//! to return.

use std::io::{ErrorKind, PipeReader, PipeWriter, pipe};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::{Duration, Instant};
use stop_tests::proc::{limit, wait_for_sleep_in};
use stop_tests::signals::{Handler, STOP, catch, plain_read, plain_write, send, waiting};
use stop_tests::started::blocked;
use stop_tests::{per_backend, wait_until_blocked_in};
use stopruntime::ext::{ConnectOrStop, ReadOrStop, RecvFromOrStop, park_or_stop, sleep_or_stop};
use stopruntime::sync::Semaphore;
use stopruntime::thread::JoinHandle;
use stopruntime::{Stopper, shield};

/// The calls a marked read, receive, connect, sleep or acquisition waits in, on any backend.
const WAITS: [libc::c_long; 7] = [
    libc::SYS_read,
    libc::SYS_recvfrom,
    libc::SYS_connect,
    libc::SYS_clock_nanosleep,
    libc::SYS_futex,
    libc::SYS_futex_waitv,
    libc::SYS_ppoll,
];

/// Where handlers report to and wait; set before the first signal is sent.
static ENTERED: AtomicI32 = AtomicI32::new(-1);
static LEAVE: AtomicI32 = AtomicI32::new(-1);
static LEAVE_FLAG: AtomicBool = AtomicBool::new(false);
/// What went wrong in a handler; 0: nothing.
static DISTURBED: AtomicI32 = AtomicI32::new(0);

/// The test's ends of the handlers' pipes.
struct Handlers {
    entered: PipeReader,
    leave: PipeWriter,
    /// The handlers' ends, open for as long as they use them.
    theirs: (PipeWriter, PipeReader),
}

impl Handlers {
    fn new() -> Handlers {
        let (entered, report) = pipe().unwrap();
        let (wait, leave) = pipe().unwrap();
        ENTERED.store(report.as_raw_fd(), Ordering::SeqCst);
        LEAVE.store(wait.as_raw_fd(), Ordering::SeqCst);
        Handlers { entered, leave, theirs: (report, wait) }
    }

    /// Sends the signal and waits until its handler runs.
    fn enter(&self, thread: i32, signal: i32) {
        send(thread, signal);
        assert_eq!(plain_read(self.entered.as_raw_fd()), Ok(1));
    }

    fn leave(&self) {
        LEAVE_FLAG.store(true, Ordering::SeqCst);
        assert!(plain_write(self.leave.as_raw_fd()));
    }
}

/// Blocks itself on a pipe.
extern "C" fn reads(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    plain_write(ENTERED.load(Ordering::SeqCst));
    // The stop signal may come now: the read must not notice.
    if let Err(errno) = plain_read(LEAVE.load(Ordering::SeqCst)) {
        DISTURBED.store(errno, Ordering::SeqCst);
    }
}

/// Never sleeps.
extern "C" fn spins(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    plain_write(ENTERED.load(Ordering::SeqCst));
    while !LEAVE_FLAG.load(Ordering::SeqCst) {
        std::hint::spin_loop();
    }
}

/// Waits on the thread's flag until it is stopped.
extern "C" fn sleeps(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    plain_write(ENTERED.load(Ordering::SeqCst));
    if sleep_or_stop(Duration::MAX).is_ok() {
        DISTURBED.store(-1, Ordering::SeqCst);
    }
}

/// Waits on the thread's flag for a moment.
extern "C" fn naps(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    if sleep_or_stop(Duration::from_millis(1)).is_err() {
        DISTURBED.store(-1, Ordering::SeqCst);
    }
    plain_write(ENTERED.load(Ordering::SeqCst));
}

/// Returns at once.
extern "C" fn returns(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    plain_write(ENTERED.load(Ordering::SeqCst));
}

fn joined<T>(handle: JoinHandle<T>) -> T {
    let Ok(result) = handle.join_timeout(limit()) else { panic!("request lost") };
    assert_eq!(DISTURBED.load(Ordering::SeqCst), 0, "errno in a foreign handler");
    result.expect("no panic")
}

/// A request while `handler` runs on top of each kind of marked call.
fn request_under(handler: Handler, flags: i32, masked: &[i32]) {
    let kinds: [fn() -> bool; 3] = [
        || pipe().is_ok_and(|(mut reader, _writer)| reader.read_or_stop(&mut [0]).is_err()),
        || UdpSocket::bind("127.0.0.1:0").unwrap().recv_from_or_stop(&mut [0]).is_err(),
        || sleep_or_stop(Duration::from_secs(3_600)).is_err(),
    ];
    catch(libc::SIGUSR1, handler, flags, masked);
    let handlers = Handlers::new();
    for marked in kinds {
        for _ in 0..20 {
            LEAVE_FLAG.store(false, Ordering::SeqCst);
            let (handle, thread) = blocked(&WAITS, marked);
            handlers.enter(thread, libc::SIGUSR1);
            assert!(handle.request_stop());
            assert!(!handle.is_finished());
            handlers.leave();
            assert!(joined(handle), "the marked call was not stopped");
            // `spins` has left it there.
            while waiting(&handlers.theirs.1) > 0 {
                plain_read(handlers.theirs.1.as_raw_fd()).unwrap();
            }
        }
    }
}

per_backend! {
    fn one_that_blocks_itself_with_restart() {
        request_under(reads, libc::SA_RESTART, &[]);
    }

    fn one_that_blocks_itself_without_restart() {
        request_under(reads, 0, &[]);
    }

    fn one_that_spins_with_restart() {
        request_under(spins, libc::SA_RESTART, &[]);
    }

    fn one_that_spins_without_restart() {
        request_under(spins, 0, &[]);
    }

    fn one_that_holds_off_the_stop_signal() {
        request_under(reads, libc::SA_RESTART, &[STOP]);
        request_under(spins, 0, &[STOP]);
    }

    /// It is to make none (docs/limits.md); but what does not depend on the handler's own
    /// place in the code is not lost: the wake-up of its wait does not stand for both.
    fn one_that_waits_on_the_flag_itself() {
        let kinds: [fn() -> bool; 3] = [
            || sleep_or_stop(Duration::MAX).is_err(),
            || Semaphore::new(0).acquire_or_stop().is_err(),
            || park_or_stop().is_err(),
        ];
        for flags in [libc::SA_RESTART, 0] {
            catch(libc::SIGUSR1, sleeps, flags, &[]);
            let handlers = Handlers::new();
            for marked in kinds {
                let (handle, thread) = blocked(&WAITS, marked);
                handlers.enter(thread, libc::SIGUSR1);
                wait_for_sleep_in(thread, libc::SYS_futex);
                assert!(handle.request_stop());
                assert!(joined(handle), "the marked call was not stopped");
            }
        }
    }

    /// And has done so when the request is made.
    fn one_that_has_waited_on_the_flag() {
        catch(libc::SIGUSR1, naps, libc::SA_RESTART, &[]);
        let handlers = Handlers::new();
        let (handle, thread) = blocked(&WAITS, || Semaphore::new(0).acquire_or_stop().is_err());
        handlers.enter(thread, libc::SIGUSR1);
        wait_until_blocked_in(thread, &[libc::SYS_futex_waitv]);
        assert!(handle.request_stop());
        assert!(joined(handle), "the marked call was not stopped");
    }

    fn two_on_top_of_each_other() {
        catch(libc::SIGUSR1, reads, libc::SA_RESTART, &[]);
        catch(libc::SIGUSR2, reads, libc::SA_RESTART, &[]);
        let handlers = Handlers::new();
        for _ in 0..20 {
            let (mut reader, _writer) = pipe().unwrap();
            let (handle, thread) = blocked(&WAITS, move || reader.read_or_stop(&mut [0]).is_err());
            handlers.enter(thread, libc::SIGUSR1);
            wait_for_sleep_in(thread, libc::SYS_read);
            handlers.enter(thread, libc::SIGUSR2);
            assert!(handle.request_stop());
            wait_for_sleep_in(thread, libc::SYS_read);
            handlers.leave();
            handlers.leave();
            assert!(joined(handle));
        }
    }

    fn the_handler_itself_requests() {
        extern "C" fn requests(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
            Stopper::current().request_stop();
        }
        for flags in [libc::SA_RESTART, 0] {
            catch(libc::SIGUSR1, requests, flags, &[]);
            for _ in 0..100 {
                let (mut reader, _writer) = pipe().unwrap();
                let (handle, thread) = blocked(&WAITS, move || reader.read_or_stop(&mut [0]).is_err());
                send(thread, libc::SIGUSR1);
                assert!(joined(handle));
            }
        }
    }

    fn without_a_request_the_call_goes_on() {
        catch(libc::SIGUSR1, returns, libc::SA_RESTART, &[]);
        let handlers = Handlers::new();
        let (mut reader, writer) = pipe().unwrap();
        let (handle, thread) =
            blocked(&WAITS, move || reader.read_or_stop(&mut [0]).map(|result| result.unwrap()));
        for _ in 0..100 {
            handlers.enter(thread, libc::SIGUSR1);
            wait_until_blocked_in(thread, &WAITS);
        }
        assert!(plain_write(writer.as_raw_fd()));
        assert_eq!(joined(handle), Ok(1));
    }

    fn without_a_request_a_sleep_keeps_its_deadline() {
        // The kernel never restarts it, with either flag.
        catch(libc::SIGUSR1, returns, 0, &[]);
        let handlers = Handlers::new();
        let interrupt = |thread| {
            handlers.enter(thread, libc::SIGUSR1);
            wait_until_blocked_in(thread, &WAITS);
        };
        // Far longer than it takes to interrupt it once, on this processor.
        let asked = {
            let (handle, thread) = blocked(&WAITS, || sleep_or_stop(Duration::MAX));
            let start = Instant::now();
            (0..10).for_each(|_| interrupt(thread));
            let took = start.elapsed();
            assert!(handle.stop_and_join().unwrap().is_err());
            Duration::from_secs(1).max(20 * took)
        };
        let (handle, thread) = blocked(&WAITS, move || {
            let start = Instant::now();
            (sleep_or_stop(asked), start.elapsed())
        });
        // One that began anew each time would last half as long again.
        let start = Instant::now();
        while start.elapsed() < asked / 2 {
            interrupt(thread);
        }
        let (outcome, lasted) = joined(handle);
        assert_eq!(outcome, Ok(()));
        assert!(lasted >= asked && lasted < asked * 3 / 2, "{lasted:?} of {asked:?}");
    }

    fn under_a_shield_it_is_interrupted_although_a_stop_is_requested() {
        catch(libc::SIGUSR1, returns, 0, &[]);
        let handlers = Handlers::new();
        let (mut reader, _writer) = pipe().unwrap();
        let (handle, thread) = blocked(&WAITS, move || {
            shield(|| reader.read_or_stop(&mut [0])).map(|result| result.map_err(|error| error.kind()))
        });
        assert!(handle.request_stop());
        handlers.enter(thread, libc::SIGUSR1);
        assert_eq!(joined(handle), Ok(Err(ErrorKind::Interrupted)));
    }

    fn without_restart_the_call_is_interrupted_as_a_plain_one() {
        catch(libc::SIGUSR1, returns, 0, &[]);
        let handlers = Handlers::new();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (handle, thread) = blocked(&WAITS, move || {
            socket.recv_from_or_stop(&mut [0]).map(|result| result.map_err(|error| error.kind()))
        });
        handlers.enter(thread, libc::SIGUSR1);
        let outcome = joined(handle).expect("no stop is requested");
        assert_eq!(outcome.expect_err("interrupted"), ErrorKind::Interrupted);
    }

    fn without_restart_a_unix_connect_is_no_connection() {
        // To a listener whose queue is full.
        catch(libc::SIGUSR1, returns, 0, &[]);
        let handlers = Handlers::new();
        let path = std::env::temp_dir().join(format!("stop-tests-connect-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        // SAFETY: two integers. A queue of 0 has room for one (listen(2), Linux).
        assert_eq!(unsafe { libc::listen(listener.as_raw_fd(), 0) }, 0);
        let _filler = UnixStream::connect(&path).unwrap();
        let theirs = path.clone();
        let (handle, thread) = blocked(&WAITS, move || UnixStream::connect_or_stop(theirs));
        handlers.enter(thread, libc::SIGUSR1);
        let outcome = joined(handle).expect("no stop is requested");
        assert_eq!(outcome.expect_err("interrupted").kind(), ErrorKind::Interrupted);
        std::fs::remove_file(path).unwrap();
    }
}
