//! A group owns its threads: they are stopped together, and end with it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, PoisonError, mpsc};
use std::time::Duration;
use stop_tests::{limit, per_backend, wait_until_blocked_in};
use stopruntime::ext::sleep_or_stop;
use stopruntime::thread::{Builder, Group};
use stopruntime::{Stopper, stop_requested, thread};

const THREADS: usize = 3;

fn sleeps() -> bool {
    sleep_or_stop(Duration::MAX).is_err()
}

/// Starts threads of the group, and comes back when each has begun.
fn start(group: &Group<bool>) {
    let begun = Arc::new(Barrier::new(THREADS + 1));
    for _ in 0..THREADS {
        let begun = Arc::clone(&begun);
        group.spawn(move || {
            begun.wait();
            sleeps()
        });
    }
    begun.wait();
}

fn all_stopped(mut group: Group<bool>) -> usize {
    let results = group.join_timeout(limit()).expect("they have been stopped");
    assert!(group.is_empty());
    results.into_iter().filter(|stopped| *stopped.as_ref().unwrap()).count()
}

per_backend! {
    fn a_request_stops_its_threads_and_those_to_come() {
        let group = Group::new();
        start(&group);
        assert!(group.request_stop());
        assert!(!group.stopper().request_stop());
        start(&group);
        assert_eq!(all_stopped(group), 2 * THREADS);
    }

    fn it_is_stopped_with_the_scope_that_it_is_under() {
        let service = Stopper::new();
        let (group, other) = (Group::under(&service), Group::under(&service));
        start(&group);
        start(&other);
        other.request_stop();
        assert_eq!(all_stopped(other), THREADS);
        assert!(!group.stopper().stop_requested());
        service.request_stop();
        assert_eq!(all_stopped(group), THREADS);
    }

    fn one_thread_is_stopped_alone_or_with_a_scope_of_its_own() {
        let (mut group, session) = (Group::new(), Stopper::new());
        start(&group);
        let alone = group.spawn(sleeps);
        group.spawn_with(Builder::new().under(&session), sleeps).unwrap();
        alone.request_stop();
        session.request_stop();
        let mut ended = 0;
        while ended < 2 {
            ended += group.join_ended().into_iter().filter(|stopped| *stopped.as_ref().unwrap()).count();
            thread::yield_now();
        }
        assert_eq!(group.len(), THREADS);
        group.request_stop();
        assert_eq!(all_stopped(group), THREADS);
    }

    fn dropping_it_stops_and_joins() {
        static ENDED: AtomicUsize = AtomicUsize::new(0);
        let group = Group::new();
        for _ in 0..THREADS {
            group.spawn(|| {
                assert!(sleeps());
                ENDED.fetch_add(1, Ordering::Relaxed);
            });
        }
        drop(group);
        assert_eq!(ENDED.load(Ordering::Relaxed), THREADS);
    }

    fn handles_that_are_taken_are_stopped_with_it_and_not_waited_for() {
        let (sender, receiver) = mpsc::channel::<()>();
        let mut group = Group::new();
        start(&group);
        group.spawn(move || receiver.recv().is_err());
        let handles = group.take_handles();
        assert!(group.is_empty());
        start(&group);
        // Waits for those of the second start, and not for the one that does not stop.
        drop(group);
        drop(sender);
        assert_eq!(handles.len(), THREADS + 1);
        assert!(handles.into_iter().all(|handle| handle.stop_requested() && handle.join().unwrap()));
    }

    fn a_panic_is_a_result_and_leaves_the_others_alone() {
        let mut group = Group::new();
        start(&group);
        group.spawn_named("fails", || panic!("of its own"));
        while group.join_ended().into_iter().filter(Result::is_err).count() == 0 {
            thread::yield_now();
        }
        assert!(!group.stopper().stop_requested());
        group.request_stop();
        assert_eq!(all_stopped(group), THREADS);
    }

    fn a_wait_that_is_too_long_names_the_threads() {
        let mut group = Group::new();
        group.spawn_named("ends", || true);
        group.spawn_named("sleeps", sleeps);
        group.spawn(sleeps);
        let overdue = group.join_timeout(Duration::from_millis(1)).unwrap_err();
        let last = overdue.threads().len() - 1;
        assert_eq!(overdue.threads()[last - 1].name(), Some("sleeps"));
        let lines = overdue.to_string();
        // One that has not begun yet has no id.
        assert!(lines.contains("\nsleeps (") || lines.contains("\nsleeps: "), "{lines}");
        assert_eq!(lines.lines().count(), 1 + overdue.threads().len(), "{lines}");
        assert_eq!(group.len(), 3);
        group.request_stop();
        let results = group.join_timeout(Duration::MAX).unwrap();
        assert!(results.into_iter().all(Result::unwrap));
    }

    fn a_stopped_join_leaves_the_group_whole() {
        let (sender, owner) = mpsc::channel();
        let waiter = thread::spawn(move || {
            let mut group = Group::new();
            start(&group);
            sender.send(stop_tests::thread_id()).unwrap();
            assert!(group.join_all_or_stop().is_err());
            assert_eq!(group.len(), THREADS);
            assert!(!group.stopper().stop_requested() && stop_requested());
            group.request_stop();
            all_stopped(group)
        });
        wait_until_blocked_in(owner.recv().unwrap(), &[libc::SYS_futex, libc::SYS_futex_waitv]);
        assert_eq!(waiter.stop_and_join().unwrap(), THREADS);
    }

    fn a_thread_may_drop_the_group_that_it_is_part_of() {
        let (sender, ended) = mpsc::channel();
        let group = Arc::new(Mutex::new(Some(Group::new())));
        let inside = Arc::clone(&group);
        group.lock().unwrap().as_ref().unwrap().spawn(move || {
            let own = inside.lock().unwrap().take();
            drop(own);
            sender.send(stop_requested()).unwrap();
        });
        assert!(ended.recv_timeout(limit()).unwrap());
    }

    fn a_thread_of_it_does_not_wait_for_itself() {
        let group = Arc::new(Mutex::new(Group::new()));
        let (inside, (sender, failed)) = (Arc::clone(&group), mpsc::channel());
        group.lock().unwrap().spawn(move || {
            let join = || inside.lock().unwrap_or_else(PoisonError::into_inner).join_all();
            let joined = std::panic::catch_unwind(std::panic::AssertUnwindSafe(join));
            sender.send(joined.is_err()).unwrap();
        });
        assert!(failed.recv_timeout(limit()).unwrap());
    }
}
