//! What the program must leave alone, taken away: the stop signal blocked by
//! hand, its handler replaced. What then becomes of a request that meets a
//! marked call that waits is said here for each backend; of one that comes at
//! any other time nothing changes: it is seen by the next marked call, and so
//! is one whose signal did nothing.
//!
//! | in a marked call that waits | `Rseq` | `Handler` | `Ppoll` |
//! |---|---|---|---|
//! | signal blocked | waits on | waits on | stops |
//! | handler: `SIG_IGN`, `SIG_DFL` | waits on | waits on | waits on |
//! | handler: another's, `SA_RESTART` | stops | waits on | stops |
//! | handler: another's, without | stops | stops | stops |
//! | handler: another's that calls ours | stops | stops | stops |

use core::mem::MaybeUninit;
use std::io::{PipeWriter, pipe};
use std::os::fd::AsRawFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use stop_tests::proc::{Rest, limit, rest, wait_for};
use stop_tests::seccomp::deny;
use stop_tests::signals::{STOP, catch, is_masked, mask, plain_write, send};
use stop_tests::{blocked_in, per_backend, thread_id, wait_until_blocked_in};
use stopruntime::ext::ReadOrStop;
use stopruntime::thread::{self, JoinHandle};
use stopruntime::{Backend, Stopped, backend};

const READS: [libc::c_long; 2] = [libc::SYS_read, libc::SYS_ppoll];

type Read = Result<usize, Stopped>;

/// A thread in its second marked read, which waits, and what it comes to: the
/// second and a third read, and whether the signal is blocked in the end.
struct Reader {
    handle: JoinHandle<(Read, Read, bool)>,
    thread: i32,
    writer: PipeWriter,
}

impl Reader {
    /// `between` stands after the first marked read.
    fn start(between: fn()) -> Reader {
        let (mut reader, writer) = pipe().unwrap();
        let (sender, receiver) = mpsc::channel();
        assert!(plain_write(writer.as_raw_fd()));
        let handle = thread::spawn(move || {
            let mut read = || reader.read_or_stop(&mut [0]).map(|result| result.unwrap());
            assert_eq!(read(), Ok(1));
            between();
            sender.send(thread_id()).unwrap();
            (read(), read(), is_masked(STOP))
        });
        let thread = receiver.recv().unwrap();
        wait_until_blocked_in(thread, &READS);
        Reader { handle, thread, writer }
    }

    fn joined(self) -> (Read, Read, bool) {
        let Ok(result) = self.handle.join_timeout(limit()) else { panic!("request lost") };
        result.expect("no panic")
    }

    fn stops(self) -> bool {
        self.joined().0.is_err()
    }

    /// It still waits; its byte is not lost, and the next call stops.
    fn waits_on(self) {
        assert_eq!(blocked_in(self.thread).map(|call| READS.contains(&call)), Some(true));
        assert!(plain_write(self.writer.as_raw_fd()));
        let (second, third, _) = self.joined();
        assert_eq!(second, Ok(1), "woken after all");
        assert!(third.is_err(), "the request is still there");
    }
}

/// How often another's handler has run.
static RUNS: AtomicU32 = AtomicU32::new(0);

extern "C" fn anothers(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    RUNS.fetch_add(1, Ordering::SeqCst);
}

type Handler = extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void);

/// What was there before it was replaced.
static OURS: OnceLock<Handler> = OnceLock::new();

extern "C" fn calls_ours(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    RUNS.fetch_add(1, Ordering::SeqCst);
    if let Some(ours) = OURS.get() {
        ours(signal, info, context);
    }
}

/// Replaces the handler of the stop signal, as any code may. sigaction(2).
fn replace(handler: usize, flags: i32) {
    // SAFETY: zeroed is a valid action; the handlers above are signal-safe and
    // of the type that SA_SIGINFO asks for, as ours is.
    unsafe {
        let mut action: libc::sigaction = core::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = flags;
        let mut before = MaybeUninit::<libc::sigaction>::zeroed();
        assert_eq!(libc::sigaction(STOP, &raw const action, before.as_mut_ptr()), 0);
        let before = before.assume_init();
        if OURS.get().is_none() && before.sa_flags & libc::SA_SIGINFO != 0 {
            let ours = core::mem::transmute::<usize, Handler>(before.sa_sigaction);
            OURS.set(ours).expect("it is not set");
        }
    }
}

/// A request while this handler is installed instead of ours.
fn request_under(handler: usize, flags: i32) -> Reader {
    let reader = Reader::start(|| {});
    replace(handler, flags);
    let runs = RUNS.load(Ordering::SeqCst);
    assert!(reader.handle.request_stop());
    if handler != libc::SIG_IGN && handler != libc::SIG_DFL {
        wait_for("another's handler", || RUNS.load(Ordering::SeqCst) > runs);
    }
    reader
}

per_backend! {
    fn a_blocked_signal_leaves_the_call_waiting_until_it_ends_by_itself() {
        let reader = Reader::start(|| mask(libc::SIG_BLOCK, STOP));
        let before = rest(reader.thread);
        assert!(reader.handle.request_stop());
        if backend() == Backend::Ppoll {
            // There it is always blocked, and open while the thread waits.
            let (second, third, masked) = reader.joined();
            assert!(second.is_err() && third.is_err() && masked);
            return;
        }
        let waiting = Rest { pending: 1 << (STOP - 1), ..before };
        for _ in 0..100 {
            assert!(!reader.handle.request_stop());
            assert_eq!(rest(reader.thread), waiting, "it was woken");
        }
        assert!(plain_write(reader.writer.as_raw_fd()));
        let (second, third, masked) = reader.joined();
        assert_eq!(second, Ok(1));
        assert!(third.is_err());
        // The call that meets a request takes its signal, and leaves it open.
        assert!(!masked);
    }

    fn a_blocked_signal_changes_nothing_for_a_thread_that_runs() {
        let (sender, receiver) = mpsc::channel();
        let handle = thread::spawn(move || {
            let (mut reader, writer) = pipe().unwrap();
            assert!(plain_write(writer.as_raw_fd()));
            assert_eq!(reader.read_or_stop(&mut [0]).unwrap().unwrap(), 1);
            mask(libc::SIG_BLOCK, STOP);
            sender.send(()).unwrap();
            while !stopruntime::stop_requested() {
                std::hint::spin_loop();
            }
            reader.read_or_stop(&mut [0]).is_err()
        });
        receiver.recv().unwrap();
        assert!(handle.request_stop());
        let Ok(stopped) = handle.join_timeout(limit()) else { panic!("request lost") };
        assert!(stopped.unwrap());
    }

    fn an_ignored_signal_leaves_the_call_waiting() {
        for handler in [libc::SIG_IGN, libc::SIG_DFL] {
            let reader = request_under(handler, 0);
            let before = rest(reader.thread);
            for _ in 0..100 {
                assert!(!reader.handle.request_stop());
                assert_eq!(rest(reader.thread), before, "it was woken");
            }
            reader.waits_on();
        }
    }

    fn a_foreign_handler_that_restarts_leaves_all_except_rseq_waiting() {
        let reader = request_under(anothers as *const () as usize, libc::SA_SIGINFO | libc::SA_RESTART);
        if backend() == Backend::Rseq {
            assert!(reader.stops());
        } else {
            wait_until_blocked_in(reader.thread, &READS);
            reader.waits_on();
        }
    }

    fn anothers_handler_that_interrupts_stops_the_call() {
        let reader = request_under(anothers as *const () as usize, libc::SA_SIGINFO);
        assert!(reader.stops());
    }

    fn anothers_handler_that_calls_ours_is_as_good_as_ours() {
        for flags in [libc::SA_RESTART, 0] {
            let reader = request_under(calls_ours as *const () as usize, libc::SA_SIGINFO | flags);
            assert!(reader.stops());
        }
    }

    /// Without membarrier a request signals also a thread that runs, and its claim
    /// stays open: foreign signals of the number reach the earlier handler still.
    fn an_earlier_handler_misses_nothing_without_membarrier() {
        catch(STOP, anothers, libc::SA_RESTART, &[]);
        deny(libc::SYS_membarrier, libc::ENOSYS);
        let (sender, receiver) = mpsc::channel();
        let (done, is_done) = mpsc::channel();
        let handle = thread::spawn(move || {
            let (mut reader, writer) = pipe().unwrap();
            assert!(plain_write(writer.as_raw_fd()));
            assert_eq!(reader.read_or_stop(&mut [0]).unwrap().unwrap(), 1);
            sender.send(thread_id()).unwrap();
            while is_done.try_recv().is_err() {
                std::hint::spin_loop();
            }
            reader.read_or_stop(&mut [0]).is_err()
        });
        let thread = receiver.recv().unwrap();
        assert!(handle.request_stop());
        // On Ppoll the signal is held off outside marked calls, no matter what sends it.
        if backend() != Backend::Ppoll {
            // A signal that comes while the request's is pending is one with it.
            wait_for("the request's signal", || rest(thread).pending == 0);
            for _ in 0..20 {
                let runs = RUNS.load(Ordering::SeqCst);
                send(thread, STOP);
                wait_for("the earlier handler", || RUNS.load(Ordering::SeqCst) > runs);
            }
        }
        done.send(()).unwrap();
        let Ok(stopped) = handle.join_timeout(limit()) else { panic!("request lost") };
        assert!(stopped.unwrap());
    }

    fn a_second_request_is_made_good_once_the_handler_is_back() {
        let reader = Reader::start(|| {});
        let (ours, flags) = (sigaction_of_stop(), libc::SA_SIGINFO | libc::SA_RESTART);
        replace(libc::SIG_IGN, 0);
        assert!(reader.handle.request_stop());
        replace(ours, flags);
        wait_until_blocked_in(reader.thread, &READS);
        assert!(!reader.handle.request_stop());
        assert!(reader.stops());
    }
}

/// The handler installed now.
fn sigaction_of_stop() -> usize {
    // SAFETY: a query into a place of the right type.
    unsafe {
        let mut now: libc::sigaction = core::mem::zeroed();
        assert_eq!(libc::sigaction(STOP, core::ptr::null(), &raw mut now), 0);
        now.sa_sigaction
    }
}
