//! One request for many handles, of threads and of scopes.

use super::{READS, quiet, stopped, wait_for_rest_of, waits};
use std::sync::mpsc;
use stop_tests::started::blocked;
use stop_tests::{per_backend, thread_id, wait_until_blocked_in};
use stopruntime::thread::{self, Group};
use stopruntime::{Cause, Stopper, request_stop_all};

/// What the kinds of waits sleep in.
const WAITS: [libc::c_long; 4] =
    [libc::SYS_read, libc::SYS_ppoll, libc::SYS_futex, libc::SYS_futex_waitv];

per_backend! {
    fn threads_in_each_kind_of_wait() {
        const EACH: usize = 40;
        let kinds = waits();
        let handles: Vec<_> = (0..EACH * kinds.len())
            .map(|number| {
                let (reader, writer) = quiet();
                let wait = kinds[number % kinds.len()];
                let waits = move || {
                    let stopped = wait(&reader);
                    drop(writer);
                    stopped
                };
                blocked(&WAITS, waits).0
            })
            .collect();
        assert_eq!(request_stop_all(&handles), EACH * kinds.len());
        assert_eq!(request_stop_all(&handles), 0);
        for handle in handles {
            assert_eq!(handle.join().unwrap().cause(), Cause::Requested);
        }
    }

    /// One of them has threads under it, another a child.
    fn scopes() {
        let jobs = [Stopper::new(), Stopper::new(), Stopper::new()];
        let (reader, _writer) = quiet();
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            for job in [jobs[0].clone(), jobs[0].clone(), jobs[2].child()] {
                let (sender, reader) = (sender.clone(), &reader);
                scope.spawn(move || {
                    sender.send(thread_id()).unwrap();
                    job.run(|| stopped(reader));
                    assert!(stopruntime::check().is_ok());
                });
            }
            receiver.iter().take(3).for_each(|id| wait_until_blocked_in(id, &READS));
            assert_eq!(request_stop_all(&jobs), 3);
        });
    }

    fn callbacks_run() {
        let (job, other) = (Stopper::new(), Stopper::new());
        let (sender, receiver) = mpsc::channel();
        let _on_stop = job.on_stop(move || sender.send(()).unwrap());
        // Else it would look at what there is by itself.
        wait_for_rest_of("stop-callbacks");
        assert_eq!(request_stop_all([&job, &other, &job]), 2);
        assert_eq!(receiver.recv(), Ok(()));
    }

    fn groups_and_threads_that_have_ended() {
        let mut groups: Vec<Group<_>> = (0..2).map(|_| Group::new()).collect();
        for group in &mut groups {
            let (reader, writer) = quiet();
            group.spawn(move || {
                stopped(&reader);
                drop(writer);
            });
        }
        assert_eq!(request_stop_all(&groups), 2);
        drop(groups);
        let ended = thread::spawn(|| ());
        while !ended.is_finished() {
            std::thread::yield_now();
        }
        assert_eq!(request_stop_all([&ended]), 1);
        ended.join().unwrap();
        assert_eq!(request_stop_all::<Stopper>([]), 0);
    }
}
