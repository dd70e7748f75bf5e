//! Which scopes can be asked, by which threads, and what is said.

use super::{READS, quiet, reads, stopped, waits};
use std::io::Write;
use std::sync::{OnceLock, mpsc};
use stop_tests::{per_backend, thread_id, wait_until_blocked, wait_until_blocked_in};
use stopruntime::ext::park_or_stop;
use stopruntime::{Cause, Reason, Stopper, check, sync, thread};

const FUTEXES: [libc::c_long; 2] = [libc::SYS_futex, libc::SYS_futex_waitv];

per_backend! {
    fn parents_stop_their_children_and_not_the_other_way_round() {
        let (reader, mut writer) = quiet();
        let service = Stopper::new();
        let sessions: Vec<_> = (0..3).map(|_| service.child().child()).collect();
        thread::scope(|scope| {
            let (sender, receiver) = mpsc::channel();
            for session in &sessions {
                let (sender, reader) = (sender.clone(), &reader);
                scope.spawn(move || {
                    sender.send(thread_id()).unwrap();
                    session.run(|| stopped(reader));
                    sender.send(0).unwrap();
                    reads(reader);
                });
            }
            let ids: Vec<_> = receiver.iter().take(3).collect();
            ids.iter().copied().for_each(|id| wait_until_blocked_in(id, &READS));
            sessions[0].request_stop();
            assert_eq!(receiver.recv(), Ok(0));
            assert!(!service.stop_requested() && !sessions[1].stop_requested());
            service.request_stop();
            assert_eq!(receiver.iter().take(2).sum::<i32>(), 0);
            // Outside of their scopes they wait on.
            ids.iter().copied().for_each(|id| wait_until_blocked_in(id, &READS));
            writer.write_all(b"abc").unwrap();
        });
        assert!(sessions.iter().all(Stopper::stop_requested));
    }

    fn the_outermost_scope_speaks() {
        let (outer, inner) = (Stopper::new(), Stopper::new());
        outer.run(|| {
            inner.run(|| {
                assert!(inner.request_stop_because("inner"));
                assert!(!inner.request_stop_because("again"));
                assert_eq!(check().unwrap_err().reason(), Some(Reason::from("inner")));
                outer.request_stop_because(String::from("outer"));
                let stopped = check().unwrap_err();
                assert_eq!(stopped.cause(), Cause::Requested);
                assert_eq!(stopped.reason(), Some(Reason::from("outer")));
                assert_eq!(stopped.to_string(), "a stop has been requested: outer");
            });
        });
        let stopper = Stopper::current();
        stopper.request_stop();
        assert_eq!(check().unwrap_err().reason(), None);
    }

    fn a_child_of_a_thread_is_stopped_with_it_elsewhere() {
        let (reader, _writer) = quiet();
        let (sender, receiver) = mpsc::channel();
        let parent = Stopper::current();
        let job = parent.child();
        let worker = std::thread::spawn(move || {
            sender.send(thread_id()).unwrap();
            job.run(|| stopped(&reader));
            assert!(check().is_ok());
        });
        wait_until_blocked_in(receiver.recv().unwrap(), &READS);
        parent.request_stop();
        worker.join().unwrap();
        assert!(check().is_err());
    }

    fn another_threads_own_scope_may_be_run() {
        let (reader, _writer) = quiet();
        let (sender, receiver) = mpsc::channel();
        let mine = Stopper::current();
        let worker = std::thread::spawn({
            let mine = mine.clone();
            move || {
                sender.send(thread_id()).unwrap();
                mine.run(|| stopped(&reader));
                assert!(check().is_ok());
            }
        });
        wait_until_blocked_in(receiver.recv().unwrap(), &READS);
        mine.request_stop();
        worker.join().unwrap();
    }

    fn the_innermost_scope_is_the_current_one() {
        let thread = Stopper::current();
        let job = Stopper::new();
        job.run(|| {
            assert!(Stopper::current() == job);
            stopruntime::shield(|| assert!(Stopper::current() == job));
        });
        assert!(Stopper::current() == thread);
    }

    fn waits_in_futexes_and_parks_end() {
        let job = Stopper::new();
        let mutex = sync::Mutex::new(());
        let guard = mutex.lock().unwrap();
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn({
                let sender = sender.clone();
                || {
                    let sender = sender;
                    sender.send(thread_id()).unwrap();
                    assert!(job.run(|| mutex.lock_or_stop().is_err()));
                    assert!(check().is_ok());
                }
            });
            scope.spawn({
                let sender = sender.clone();
                || {
                    let sender = sender;
                    sender.send(thread_id()).unwrap();
                    while job.run(|| park_or_stop().is_ok()) {}
                    assert!(check().is_ok());
                }
            });
            let ids = [receiver.recv().unwrap(), receiver.recv().unwrap()];
            ids.iter().copied().for_each(|id| wait_until_blocked_in(id, &FUTEXES));
            job.request_stop();
        });
        drop(guard);
    }

    /// The handler runs on top of the wait itself.
    fn from_a_signal_handler_for_each_kind() {
        static ASKED: [OnceLock<Stopper>; 4] = [const { OnceLock::new() }; 4];
        extern "C" fn on_signal(_: libc::c_int) {
            // The last one that there is.
            if let Some(stopper) = ASKED.iter().rev().find_map(OnceLock::get) {
                stopper.request_stop_because("a signal");
            }
        }
        // SAFETY: a handler that only requests.
        unsafe { libc::signal(libc::SIGUSR2, on_signal as *const () as libc::sighandler_t) };
        let (reader, _writer) = quiet();
        for (asked, wait) in ASKED.iter().zip(waits()) {
            let parent = Stopper::new();
            assert!(asked.set(parent.clone()).is_ok());
            let (sender, receiver) = mpsc::channel();
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    sender.send(thread_id()).unwrap();
                    let stopped = parent.child().run(|| wait(&reader));
                    assert_eq!(stopped.reason(), Some(Reason::from("a signal")));
                    assert!(check().is_ok());
                });
                let id = receiver.recv().unwrap();
                // In this very call, whatever its number is here.
                let _ = wait_until_blocked(id);
                // SAFETY: numbers.
                unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), id, libc::SIGUSR2) };
            });
        }
    }

    fn ten_thousand_children_cost_nothing() {
        let parent = Stopper::new();
        let children: Vec<_> = (0..10_000).map(|_| parent.child()).collect();
        parent.request_stop();
        assert!(children.iter().all(Stopper::stop_requested));
        // Ten thousand deep: dropped without a frame each.
        let mut deep = Stopper::new();
        let top = deep.clone();
        for _ in 0..10_000 {
            deep = deep.child();
        }
        assert!(!deep.stop_requested());
        top.request_stop();
        deep.run(|| assert!(check().is_err()));
    }

    fn a_thread_may_stand_under_a_scope() {
        let (reader, _writer) = quiet();
        let service = Stopper::new();
        let builder = || thread::Builder::new().under(&service);
        let reader = std::sync::Arc::new(reader);
        let workers = [(); 3].map(|()| {
            let reader = std::sync::Arc::clone(&reader);
            builder().spawn(move || stopped(&reader)).unwrap()
        });
        let alone = workers[0].stopper();
        assert!(alone.request_stop_because("alone"));
        let [first, second, third] = workers;
        assert_eq!(first.join().unwrap().reason(), Some(Reason::from("alone")));
        assert!(!service.stop_requested());
        service.request_stop_because("all");
        for worker in [second, third] {
            assert!(worker.stop_requested());
            assert_eq!(worker.join().unwrap().reason(), Some(Reason::from("all")));
        }
        // One that begins under a stopped scope is stopped.
        let reader = std::sync::Arc::clone(&reader);
        builder().spawn(move || stopped(&reader)).unwrap().join().unwrap();
    }

    fn a_scope_of_threads_stands_under_what_encloses_it() {
        let (reader, _writer) = quiet();
        for which in 0..3 {
            let scopes = [Stopper::new(), Stopper::new(), Stopper::current()];
            scopes[0].run(|| {
                scopes[1].run(|| {
                    thread::scope(|scope| {
                        let (sender, receiver) = mpsc::channel();
                        for _ in 0..2 {
                            let (sender, reader) = (sender.clone(), &reader);
                            scope.spawn(move || {
                                sender.send(thread_id()).unwrap();
                                stopped(reader)
                            });
                        }
                        let ids: Vec<_> = receiver.iter().take(2).collect();
                        ids.iter().copied().for_each(|id| wait_until_blocked_in(id, &READS));
                        scopes[which].request_stop();
                    });
                });
            });
            assert_eq!(check().is_err(), which == 2);
        }
    }
}
