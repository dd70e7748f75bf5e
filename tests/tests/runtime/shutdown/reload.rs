//! A signal that restarts a part of the program.

use super::daemon::{Daemon, is_daemon, say};
use nix::sys::signal::{Signal, raise};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use stop_tests::per_backend;
use stopruntime::ext::sleep_or_stop;
use stopruntime::shutdown::{Guard, Shutdown};
use stopruntime::{Stopped, Stopper, thread};

fn shutdown() -> Shutdown {
    Shutdown::new().reload_on([libc::SIGHUP, libc::SIGUSR1])
}

fn wait() -> Result<(), Stopped> {
    sleep_or_stop(Duration::MAX)
}

/// What has stopped it.
fn reason(stopped: Result<(), Stopped>) -> String {
    stopped.unwrap_err().reason().expect("there is one").as_str().to_owned()
}

per_backend! {
    fn it_is_run_again_until_the_program_is_to_stop() {
        if is_daemon() {
            let mut runs = 0;
            let code = shutdown().exit_code(9).run(|guard| {
                guard.run_reloading(|| {
                    runs += 1;
                    say(&format!("run {runs}"));
                    let stopped = wait();
                    say(&reason(stopped));
                    // With an error that carries the stop, and without one.
                    if runs % 2 == 0 { Ok(()) } else { stopped }
                })?;
                // The last run has ended with a success.
                Err::<(), _>(stopruntime::check().unwrap_err())
            });
            std::process::exit(if code == ExitCode::from(9) { 9 } else { 1 });
        }
        let mut daemon = Daemon::start_saying("run 1");
        for run in 2..=4 {
            let signal = if run == 3 { Signal::SIGUSR1 } else { Signal::SIGHUP };
            daemon.signal(signal);
            daemon.says(signal.as_str());
            daemon.says(&format!("run {run}"));
        }
        daemon.signal(Signal::SIGINT);
        daemon.says("SIGINT");
        assert_eq!(daemon.ends().code(), Some(9));
    }

    /// It kills where there is no guard, and counts as none of the three.
    fn a_reload_does_nothing_once_the_program_is_to_stop() {
        if is_daemon() {
            let guard = shutdown().install().unwrap();
            let _on_stop = guard.stopper().on_stop(|| say("warm"));
            guard.on_cold(|| {
                say("cold");
                std::thread::sleep(Duration::MAX);
            });
            say("ready");
            loop {
                std::thread::park();
            }
        }
        let mut daemon = Daemon::start();
        let hang_up = |times| (0..times).for_each(|_| daemon.signal(Signal::SIGHUP));
        hang_up(5);
        daemon.signal(Signal::SIGTERM);
        daemon.says("warm");
        daemon.signal(Signal::SIGHUP);
        daemon.signal(Signal::SIGTERM);
        daemon.says("cold");
        daemon.signal(Signal::SIGHUP);
        daemon.signal(Signal::SIGUSR1);
        daemon.signal(Signal::SIGINT);
        assert_eq!(daemon.ends().signal(), Some(libc::SIGINT));
    }

    fn a_reload_while_it_cleans_up_is_not_lost() {
        let guard = shutdown().install().unwrap();
        let mut runs = 0;
        let ended: Result<&str, Stopped> = guard.run_reloading(|| {
            runs += 1;
            if runs == 1 {
                raise(Signal::SIGHUP).unwrap();
                assert_eq!(reason(wait()), "SIGHUP");
                raise(Signal::SIGHUP).unwrap();
            }
            Ok("done")
        });
        // The second one is seen before the second run begins, or in it.
        assert!(ended == Ok("done") && (2..=3).contains(&runs), "{ended:?}, {runs}");
        assert_eq!(guard.signal(), None);
        assert!(!guard.stopper().stop_requested());
    }

    fn another_error_ends_it() {
        let guard = shutdown().install().unwrap();
        let error = guard.run_reloading(|| {
            raise(Signal::SIGHUP).unwrap();
            assert_eq!(reason(wait()), "SIGHUP");
            Err::<(), _>(io::Error::from(io::ErrorKind::NotFound))
        });
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    fn threads_outside_go_on_and_all_runs_are_restarted() {
        fn serve(guard: &Guard, runs: &AtomicUsize) -> Result<(), Stopped> {
            guard.run_reloading(|| {
                // What it starts is under its scope.
                thread::scope(|scope| {
                    let inner = scope.spawn(|| {
                        let _ = runs.fetch_add(1, Ordering::SeqCst);
                        wait()
                    });
                    inner.join().unwrap()
                })
            })
        }
        let guard = shutdown().install().unwrap();
        let runs = AtomicUsize::new(0);
        let until = |count| {
            stop_tests::proc::wait_for("the runs", || runs.load(Ordering::SeqCst) == count);
        };
        std::thread::scope(|scope| {
            let outside = scope.spawn(|| guard.stopper().run(wait));
            let serving = [(), ()].map(|()| scope.spawn(|| guard.stopper().run(|| serve(&guard, &runs))));
            for round in 1..=3 {
                until(2 * round);
                assert!(!outside.is_finished());
                raise(Signal::SIGHUP).unwrap();
            }
            until(8);
            raise(Signal::SIGTERM).unwrap();
            for run in serving {
                assert_eq!(reason(run.join().unwrap()), "SIGTERM");
            }
            assert_eq!(reason(outside.join().unwrap()), "SIGTERM");
        });
        assert_eq!(runs.load(Ordering::SeqCst), 8);
        assert!(!Stopper::current().stop_requested());
    }

    fn a_signal_for_both_is_refused() {
        let error = Shutdown::new().reload_on([libc::SIGTERM]).install().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains("signal 15 "), "{error}");
        let error = Shutdown::new().reload_on([libc::SIGSEGV]).install().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }

    fn after_the_guard_a_reload_kills_as_before() {
        if is_daemon() {
            // It was ignored if nohup(1) has started the tests. SAFETY: no function.
            unsafe { libc::signal(libc::SIGHUP, libc::SIG_DFL) };
            drop(shutdown().install().unwrap());
            say("ready");
            loop {
                std::thread::park();
            }
        }
        let daemon = Daemon::start();
        daemon.signal(Signal::SIGHUP);
        assert_eq!(daemon.ends().signal(), Some(libc::SIGHUP));
    }
}
