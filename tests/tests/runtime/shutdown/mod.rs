//! `shutdown`: each stage in a process of its own that gets real signals, and what is
//! there before, beside and after it.

mod daemon;
mod proven;
mod reload;
mod reports;

use daemon::{Daemon, is_daemon, say};
use nix::sys::signal::{SigSet, Signal, raise};
use std::io::{ErrorKind, pipe};
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use stop_tests::per_backend;
use stopruntime::ext::{ReadOrStop, sleep_or_stop};
use stopruntime::shutdown::{Guard, Shutdown};

/// As a daemon that says what it does: blocks for ever in a call that is not marked.
fn stuck(guard: &Guard) -> ! {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let _on_stop = guard.stopper().on_stop(|| say("warm"));
    accepts(&listener)
}

/// Blocks for ever in a call that is not marked, and says nothing of its stop.
fn accepts(listener: &TcpListener) -> ! {
    say("ready");
    loop {
        let _ = listener.accept();
    }
}

per_backend! {
    fn the_first_signal_ends_main_quietly_with_the_chosen_code() {
        if is_daemon() {
            let code = Shutdown::new().exit_code(7).run(|guard| {
                let (mut reader, _writer) = pipe()?;
                say("ready");
                let read = reader.read_or_stop(&mut [0]);
                assert_eq!(read.as_ref().unwrap_err().reason().unwrap().as_str(), "SIGINT");
                assert_eq!(guard.signal(), Some(libc::SIGINT));
                read?.map(drop)
            });
            std::process::exit(if code == ExitCode::from(7) { 7 } else { 1 });
        }
        let daemon = Daemon::start();
        daemon.signal(Signal::SIGINT);
        assert_eq!(daemon.ends().code(), Some(7));
    }

    fn a_signal_that_comes_when_main_has_returned_goes_cold() {
        if is_daemon() {
            let _code = Shutdown::new().run(|guard| {
                guard.on_cold(|| say("cold"));
                say("ready");
                sleep_or_stop(Duration::MAX)
            });
            say("returned");
            loop {
                std::thread::park();
            }
        }
        let mut daemon = Daemon::start();
        daemon.signal(Signal::SIGTERM);
        daemon.says("returned");
        daemon.signal(Signal::SIGINT);
        daemon.says("cold");
        assert_eq!(daemon.ends().code(), Some(128 + libc::SIGINT));
    }

    fn main_in_a_plain_join_ends_with_its_threads() {
        if is_daemon() {
            let guard = Shutdown::new().install().unwrap();
            let root = guard.stopper();
            let thread = std::thread::spawn(move || root.run(|| {
                say("ready");
                sleep_or_stop(Duration::MAX).is_err()
            }));
            assert!(thread.join().unwrap());
            std::process::exit(8);
        }
        let daemon = Daemon::start();
        daemon.signal(Signal::SIGTERM);
        assert_eq!(daemon.ends().code(), Some(8));
    }

    fn the_second_signal_goes_cold() {
        if is_daemon() {
            let guard = Shutdown::new().install().unwrap();
            guard.sync(pipe().unwrap().0); // cannot be synced: no matter
            guard.on_cold(|| panic!("reported"));
            guard.on_cold(|| say("cold"));
            std::panic::set_hook(Box::new(|_| say("panicked")));
            stuck(&guard);
        }
        let mut daemon = Daemon::start();
        daemon.signal(Signal::SIGTERM);
        daemon.says("warm");
        daemon.signal(Signal::SIGINT);
        daemon.says("panicked");
        daemon.says("cold");
        assert_eq!(daemon.ends().code(), Some(128 + libc::SIGINT));
    }

    fn the_limit_goes_cold() {
        if is_daemon() {
            let guard = Shutdown::new().within(Duration::from_millis(20)).install().unwrap();
            guard.on_cold(|| say("cold"));
            // A callback might come later than the limit.
            accepts(&TcpListener::bind("127.0.0.1:0").unwrap());
        }
        let mut daemon = Daemon::start();
        daemon.signal(Signal::SIGTERM);
        daemon.says("cold");
        assert_eq!(daemon.ends().code(), Some(128 + libc::SIGTERM));
    }

    fn the_third_signal_kills() {
        if is_daemon() {
            let guard = Shutdown::new().install().unwrap();
            guard.on_cold(|| {
                say("cold");
                sleep_or_stop(Duration::MAX).unwrap();
            });
            stuck(&guard);
        }
        let mut daemon = Daemon::start();
        daemon.signal(Signal::SIGTERM);
        daemon.says("warm");
        daemon.signal(Signal::SIGTERM);
        daemon.says("cold");
        daemon.signal(Signal::SIGINT);
        assert_eq!(daemon.ends().signal(), Some(libc::SIGINT));
    }

    /// As many frames of the kernel's do not fit on the alternate stack.
    fn of_signals_that_come_at_once_each_is_handled_by_itself() {
        if is_daemon() {
            let signals = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM];
            let numbers = signals.map(|signal| signal as libc::c_int);
            let guard = Shutdown::new().signals(numbers).install().unwrap();
            guard.on_cold(|| sleep_or_stop(Duration::MAX).unwrap());
            let set: SigSet = signals.into_iter().collect();
            set.thread_block().unwrap();
            let _raised = signals.map(|signal| raise(signal).unwrap());
            say("ready");
            set.thread_unblock().unwrap();
        }
        // The kernel delivers the lowest number first.
        assert_eq!(Daemon::start().ends().signal(), Some(libc::SIGTERM));
    }

    fn after_the_guard_a_signal_kills_as_before() {
        if is_daemon() {
            drop(Shutdown::new().install().unwrap());
            say("ready");
            loop {
                std::thread::park();
            }
        }
        let daemon = Daemon::start();
        daemon.signal(Signal::SIGTERM);
        assert_eq!(daemon.ends().signal(), Some(libc::SIGTERM));
    }

    fn after_the_guard_the_actions_are_those_of_before() {
        // Caught and ignored signals, a bit each.
        let actions = || {
            let status = std::fs::read_to_string("/proc/self/status").unwrap();
            let is_action = |line: &&str| line.starts_with("SigCgt:") || line.starts_with("SigIgn:");
            status.lines().filter(is_action).map(str::to_owned).collect::<Vec<_>>()
        };
        let _ = stopruntime::backend();
        // SAFETY: ignored from now on; no handler.
        #[allow(unsafe_code)]
        unsafe {
            let _before = libc::signal(libc::SIGINT, libc::SIG_IGN);
        }
        let before = actions();
        assert_eq!(before.len(), 2);
        let shutdown = || Shutdown::new().reload_on([libc::SIGHUP]);
        let guard = shutdown().install().unwrap();
        assert_ne!(actions(), before);
        drop(guard);
        assert_eq!(actions(), before);
        // A program that ends by itself has them back as well.
        let _code = shutdown().run(|_| Ok::<_, stopruntime::Stopped>(()));
        assert_eq!(actions(), before);
    }

    fn a_forked_child_is_killed_as_before() {
        let guard = Shutdown::new().install().unwrap();
        let mut status = 0;
        // SAFETY: the child makes async-signal-safe calls only; a local to write to.
        #[allow(unsafe_code)]
        let (child, waited) = unsafe {
            let child = libc::fork();
            if child == 0 {
                loop {
                    libc::pause();
                }
            }
            assert_eq!(libc::kill(child, libc::SIGTERM), 0);
            (child, libc::waitpid(child, &raw mut status, 0))
        };
        assert_eq!(waited, child);
        assert_eq!(ExitStatus::from_raw(status).signal(), Some(libc::SIGTERM));
        assert_eq!(guard.signal(), None);
    }

    fn what_cannot_be_used_is_refused() {
        for (signals, words) in [
            (vec![], "needs a signal"),
            (vec![libc::SIGTERM, libc::SIGKILL], "signal 9 cannot be used for a shutdown: choose"),
            (vec![libc::SIGURG], "signal 23 cannot be used for a shutdown: it is the runtime's own"),
            (vec![34], "signal 34 "),
            (vec![-1], "signal -1 "),
        ] {
            let error = Shutdown::new().signals(signals).install().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(words), "{error}");
        }
        let guard = Shutdown::new().install().unwrap();
        let error = Shutdown::new().install().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        drop(guard);
        drop(Shutdown::new().install().unwrap());
    }

    fn beside_ctrlc() {
        let (sender, receiver) = mpsc::channel();
        ctrlc::set_handler(move || sender.send(()).unwrap()).unwrap();
        let guard = Shutdown::new().install().unwrap();
        raise(Signal::SIGINT).unwrap();
        assert!(guard.stopper().run(|| sleep_or_stop(Duration::MAX)).is_err());
        receiver.recv().unwrap();
        drop(guard);
        // It has its signals for itself again.
        raise(Signal::SIGINT).unwrap();
        receiver.recv().unwrap();
    }

    fn under_and_over_signal_hook() {
        let count = Arc::new(AtomicUsize::new(0));
        let register = |signal| {
            let count = count.clone();
            let action = move || {
                let _ = count.fetch_add(1, Ordering::SeqCst);
            };
            // SAFETY: an atomic operation is async-signal-safe.
            #[allow(unsafe_code)]
            unsafe { signal_hook::low_level::register(signal, action) }.unwrap();
        };
        register(libc::SIGINT); // before ours
        for round in 0..2 {
            let guard = Shutdown::new().install().unwrap();
            if round == 0 {
                register(libc::SIGTERM); // over ours: stays when ours goes, and calls it
            }
            let signal = Signal::SIGTERM;
            raise(signal).unwrap();
            assert!(guard.stopper().run(|| sleep_or_stop(Duration::MAX)).is_err());
            assert_eq!(guard.signal(), Some(signal as i32));
            drop(guard);
            raise(Signal::SIGINT).unwrap();
            raise(Signal::SIGTERM).unwrap();
            assert_eq!(count.load(Ordering::SeqCst), 3 * (round + 1));
        }
    }
}
