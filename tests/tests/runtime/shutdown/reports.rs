//! A signal that asks what the threads do.

use super::daemon::{Daemon, is_daemon, say};
use nix::sys::signal::{Signal, raise};
use std::io::{ErrorKind, Read, pipe};
use std::os::unix::process::ExitStatusExt;
use std::sync::mpsc;
use std::time::Duration;
use stop_testkit::emulated::is_emulated;
use stop_tests::per_backend;
use stop_tests::proc::wait_for;
use stopruntime::ext::sleep_or_stop;
use stopruntime::report::Obstacle;
use stopruntime::shutdown::Shutdown;
use stopruntime::thread::Builder;

per_backend! {
    fn each_signal_is_answered() {
        let (reader, writer) = pipe().unwrap();
        let mut theirs = reader.try_clone().unwrap();
        let stuck = Builder::new().name("stuck".into()).spawn(move || theirs.read(&mut [0]).unwrap());
        let stuck = stuck.unwrap();
        // Otherwise it may not have begun, and no report knows it.
        wait_for("a thread that has begun", || stuck.report().id.is_some());
        let (said, hears) = mpsc::channel();
        let signals = [libc::SIGUSR2, libc::SIGUSR1];
        let guard = Shutdown::new().report_on(signals, move |threads| said.send(threads).unwrap());
        let guard = guard.install().unwrap();
        for signal in [Signal::SIGUSR2, Signal::SIGUSR1, Signal::SIGUSR2] {
            raise(signal).unwrap();
            let threads = hears.recv().unwrap();
            assert!(threads.iter().any(|thread| thread.name == "stuck"), "{threads}");
        }
        // What keeps it is said before and after the request.
        let is_said = || loop {
            raise(Signal::SIGUSR2).unwrap();
            let threads = hears.recv().unwrap();
            let stuck = threads.iter().find(|thread| thread.name == "stuck").unwrap();
            if is_emulated() || stuck.obstacles == [Obstacle::NotMarked] {
                break stuck.to_string();
            }
        };
        assert!(is_emulated() || is_said().contains("; would not stop: its call is not marked"));
        stuck.request_stop();
        assert!(is_emulated() || is_said().contains("; stop requested"));
        assert_eq!((guard.signal(), guard.stopper().stop_requested()), (None, false));
        drop((reader, writer));
        stuck.join().unwrap();
    }

    /// Neither by a report that takes for ever, nor by one that panics.
    fn a_report_holds_up_no_stop() {
        if is_daemon() {
            let mut reports = 0;
            let shutdown = Shutdown::new().report_on([libc::SIGUSR2], move |_| {
                reports += 1;
                say(&format!("report {reports}"));
                assert!(reports > 1, "the first one panics");
                sleep_or_stop(Duration::MAX).unwrap();
            });
            std::panic::set_hook(Box::new(|_| say("panicked")));
            let guard = shutdown.install().unwrap();
            guard.on_cold(|| say("cold"));
            let _on_stop = guard.stopper().on_stop(|| say("warm"));
            say("ready");
            loop {
                std::thread::park();
            }
        }
        let mut daemon = Daemon::start();
        daemon.signal(Signal::SIGUSR2);
        daemon.says("report 1");
        daemon.says("panicked");
        daemon.signal(Signal::SIGUSR2);
        daemon.says("report 2");
        daemon.signal(Signal::SIGUSR2);
        daemon.signal(Signal::SIGTERM);
        daemon.says("warm");
        daemon.signal(Signal::SIGUSR2);
        daemon.signal(Signal::SIGTERM);
        daemon.says("cold");
        assert_eq!(daemon.ends().code(), Some(128 + libc::SIGTERM));
    }

    /// When it is wanted most: it counts as none of the three.
    fn a_report_while_the_program_ends() {
        if is_daemon() {
            let shutdown = Shutdown::new().report_on([libc::SIGUSR2], |_| say("report"));
            let guard = shutdown.install().unwrap();
            let _on_stop = guard.stopper().on_stop(|| say("warm"));
            say("ready");
            loop {
                std::thread::park();
            }
        }
        let mut daemon = Daemon::start();
        daemon.signal(Signal::SIGTERM);
        daemon.says("warm");
        for _ in 0..4 {
            daemon.signal(Signal::SIGUSR2);
            daemon.says("report");
        }
        daemon.signal(Signal::SIGTERM);
        assert_eq!(daemon.ends().code(), Some(128 + libc::SIGTERM));
    }

    fn after_the_guard_it_kills_as_before() {
        if is_daemon() {
            let shutdown = || Shutdown::new().signals([]).report_on([libc::SIGUSR2], |_| say("report"));
            drop(shutdown().install().unwrap());
            let guard = shutdown().install().unwrap();
            raise(Signal::SIGUSR2).unwrap();
            // Waits until it has been made.
            drop(guard);
            say("ready");
            loop {
                std::thread::park();
            }
        }
        let daemon = Daemon::start_saying("report");
        let mut daemon = daemon;
        daemon.says("ready");
        daemon.signal(Signal::SIGUSR2);
        assert_eq!(daemon.ends().signal(), Some(libc::SIGUSR2));
    }

    fn a_signal_is_for_one_thing() {
        let report = |signals: [i32; 1]| Shutdown::new().reload_on([libc::SIGHUP]).report_on(signals, |_| ());
        for signal in [libc::SIGINT, libc::SIGHUP, libc::SIGKILL, libc::SIGURG, 34] {
            let error = report([signal]).install().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput, "{signal}");
        }
        drop(report([libc::SIGUSR2]).install().unwrap());
    }
}
