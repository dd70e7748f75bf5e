//! A shield hides what is around it, and nothing inside of it.

use super::{READS, quiet, reads, stopped};
use std::io::{self, Write};
use std::sync::mpsc;
use std::time::Duration;
use stop_tests::{per_backend, thread_id, wait_until_blocked_in};
use stopruntime::{Stopper, check, deadline, shield, stop_requested, within};

per_backend! {
    fn scopes_inside_of_a_shield_stop() {
        let (reader, mut writer) = quiet();
        let (outer, inner) = (Stopper::new(), Stopper::new());
        let (sender, receiver) = mpsc::channel();
        let worker = std::thread::spawn({
            let (outer, inner) = (outer.clone(), inner.clone());
            move || {
                outer.run(|| {
                    shield(|| {
                        sender.send(thread_id()).unwrap();
                        reads(&reader);
                        inner.run(|| stopped(&reader));
                        assert!(check().is_ok());
                        assert!(stop_requested());
                        shield(|| assert!(check().is_ok()));
                        reads(&reader);
                    });
                    assert!(check().is_err());
                });
                assert!(check().is_ok());
            }
        });
        let id = receiver.recv().unwrap();
        let own = |()| wait_until_blocked_in(id, &READS);
        own(());
        outer.request_stop();
        own(());
        writer.write_all(b"x").unwrap();
        own(());
        inner.request_stop();
        own(());
        outer.request_stop();
        own(());
        writer.write_all(b"x").unwrap();
        worker.join().unwrap();
    }

    fn a_request_of_the_thread_is_held() {
        let (reader, mut writer) = quiet();
        let (sender, receiver) = mpsc::channel();
        let worker = std::thread::spawn(move || {
            sender.send((thread_id(), Stopper::current())).unwrap();
            shield(|| {
                reads(&reader);
                let limit = || Ok::<_, io::Error>(Err(stopped(&reader))?);
                let error = within::<(), _>(Duration::from_millis(1), limit).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            });
            stopped(&reader);
        });
        let (id, stopper) = receiver.recv().unwrap();
        wait_until_blocked_in(id, &READS);
        stopper.request_stop();
        wait_until_blocked_in(id, &READS);
        writer.write_all(b"x").unwrap();
        worker.join().unwrap();
    }

    fn a_deadline_is_held_and_comes_back() {
        let (reader, mut writer) = quiet();
        let result = within(Duration::from_millis(1), || {
            assert!(deadline().is_some());
            shield(|| {
                assert_eq!(deadline(), None);
                while !stop_requested() {
                    std::thread::yield_now();
                }
                assert!(check().is_ok());
                writer.write_all(b"x").unwrap();
                reads(&reader);
            });
            Ok::<_, io::Error>(Err(stopped(&reader))?)
        });
        let error: io::Error = Result::<(), _>::unwrap_err(result);
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(check().is_ok());
    }

    fn a_shield_before_the_first_marked_call() {
        let (reader, mut writer) = quiet();
        let (sender, receiver) = mpsc::channel();
        let worker = std::thread::spawn(move || {
            shield(|| {
                shield(|| {
                    let stopper = Stopper::current();
                    sender.send((thread_id(), stopper)).unwrap();
                    reads(&reader);
                });
                reads(&reader);
            });
            stopped(&reader);
        });
        let (id, stopper) = receiver.recv().unwrap();
        for _ in 0..2 {
            wait_until_blocked_in(id, &READS);
            stopper.request_stop();
            writer.write_all(b"x").unwrap();
        }
        worker.join().unwrap();
    }
}
