//! All threads at once: those that come and go, many of them, and those of a parent.

use super::start;
use std::io::pipe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use stop_tests::{part_of, per_backend};
use stopruntime::ext::{ReadOrStop, sleep_or_stop};
use stopruntime::report::Activity;
use stopruntime::thread::{Builder, Group};
use stopruntime::{Stopper, threads};

per_backend! {
    fn it_has_the_threads_that_the_runtime_knows() {
        assert_eq!(threads().len(), 0);
        let _main = Stopper::current();
        let (sender, receiver) = mpsc::channel();
        // One of std's, from when it hands out its stopper on.
        let other = std::thread::Builder::new().name("other".into()).spawn(move || {
            sender.send(Stopper::current()).unwrap();
            sleep_or_stop(Duration::MAX).is_err()
        });
        let stopper = receiver.recv().unwrap();
        let first = Builder::new().name("a name of more than 15".into());
        let first = first.spawn(|| sleep_or_stop(Duration::MAX).is_err()).unwrap();
        while first.report().id.is_none() {
            std::thread::yield_now();
        }
        let report = threads();
        assert_eq!(report.len(), 3);
        assert!(report.is_sorted_by_key(|thread| thread.id));
        let one = |name: &str| report.iter().filter(|thread| thread.name == name).count();
        assert_eq!([one("other"), one("a name of more"), one("it")], [1, 1, 0], "{report}");
        let own = report.iter().filter(|thread| matches!(thread.activity, Activity::Reports));
        assert_eq!(own.count(), 1);
        assert_eq!(report.to_string().lines().count(), 3);
        assert_eq!(first.report().name, "a name of more than 15");
        stopper.request_stop();
        assert!(other.unwrap().join().unwrap());
        assert!(first.stop_and_join().unwrap());
        assert_eq!(threads().len(), 1);
    }

    fn threads_that_end_meanwhile() {
        static ENDS: AtomicBool = AtomicBool::new(false);
        let churns: Vec<_> = (0..2).map(|_| start(|| {
            let mut started = 0;
            while !ENDS.load(Ordering::Relaxed) {
                let short = start(|| stopruntime::check().is_ok());
                let long = start(|| sleep_or_stop(Duration::MAX).is_err());
                assert!(short.join().unwrap() && long.stop_and_join().unwrap());
                started += 2;
            }
            started
        })).collect();
        while threads().len() < 2 {
            std::thread::yield_now();
        }
        for _ in 0..part_of(2000) {
            let report = threads();
            // The two, and at most two of each.
            assert!((2..=6).contains(&report.len()), "{report}");
            for thread in &report {
                assert!(thread.name == "it" || thread.name.is_empty(), "{report}");
                assert!(thread.id.is_some(), "{report}");
            }
        }
        ENDS.store(true, Ordering::Relaxed);
        for churn in churns {
            assert!(churn.join().unwrap() > 0);
        }
        assert_eq!(threads().len(), 0);
    }

    fn a_thousand_threads() {
        let count = if part_of(1000) == 1000 { 1000 } else { 200 };
        let mut group = Group::new();
        let (mut reader, writer) = pipe().unwrap();
        for _ in 1..count {
            group.spawn_named("many", || sleep_or_stop(Duration::MAX).is_err());
        }
        group.spawn_named("late", move || reader.read_or_stop(&mut [0]).is_err());
        while threads().iter().filter(|thread| matches!(thread.activity, Activity::Waits(_))).count() != count {
            std::thread::yield_now();
        }
        let report = threads();
        assert_eq!(report.to_string().lines().count(), count);
        group.request_stop();
        assert_eq!(group.join_all().into_iter().filter(|stopped| *stopped.as_ref().unwrap()).count(), count);
        drop(writer);
        assert_eq!(threads().len(), 0);
    }

    fn a_group_says_what_its_threads_do() {
        let mut group = Group::new();
        let (sender, receiver) = mpsc::channel::<()>();
        group.spawn_named("receives for a long time", move || receiver.recv().is_err());
        group.spawn_named("stops", || sleep_or_stop(Duration::MAX).is_err());
        group.request_stop_because("reload");
        let overdue = loop {
            let overdue = group.join_timeout(Duration::from_millis(1)).unwrap_err();
            if overdue.threads().len() == 1 && overdue.to_string().contains("; its call is not marked") {
                break overdue;
            }
        };
        let text = overdue.to_string();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("threads have not ended:"));
        let line = lines.next().unwrap();
        let id = overdue.report()[0].id.unwrap();
        let begin = format!("receives for a long time ({id}): waits in futex (not marked) on the word");
        assert!(line.starts_with(&begin), "{line}");
        assert!(line.ends_with(" ago: reload; its call is not marked"), "{line}");
        assert_eq!(lines.next(), None);
        assert!(format!("{overdue:?}").contains(line));
        drop(sender);
        assert_eq!(group.join_all().len(), 2);
    }

    fn a_forked_child_has_its_own_thread_alone() {
        let _main = Stopper::current();
        let it = start(|| sleep_or_stop(Duration::MAX).is_err());
        while threads().len() != 2 {
            std::thread::yield_now();
        }
        let mut status = 0;
        // SAFETY: the child makes a report, which allocates: no other thread of the parent
        // does, and it ends.
        #[allow(unsafe_code)]
        let waited = unsafe {
            let child = libc::fork();
            if child == 0 {
                let report = threads();
                let own = report.len() == 1 && report[0].id == Some(libc::getpid());
                let of_parents = it.report().to_string();
                let told = of_parents.contains("a thread of the process that has forked this one");
                libc::_exit(i32::from(!(own && told)));
            }
            libc::waitpid(child, &raw mut status, 0) == child
        };
        assert!(waited);
        assert_eq!(status, 0);
        assert!(it.stop_and_join().unwrap());
    }

    /// As root such a program may read the file all the same.
    fn without_the_right_to_read_the_call_it_says_so() {
        // SAFETY: numbers. A process that has given up its rights is not dumpable.
        #[allow(unsafe_code)]
        let given_up = unsafe { libc::geteuid() == 0 && libc::setuid(65534) == 0 };
        if !given_up {
            return stop_tests::not_tested("a call that cannot be read", "not the superuser");
        }
        let it = start(|| sleep_or_stop(Duration::MAX).is_err());
        let end = format!("/syscall: {}", std::io::Error::from_raw_os_error(libc::EACCES));
        let mut line = String::new();
        stop_tests::proc::wait_for("the line", || {
            line = it.report().to_string();
            println!("{line}");
            line.contains("): cannot be looked at: it sleeps")
        });
        assert!(line.contains("; /proc/self/task/") && line.ends_with(&end), "{line}");
        it.request_stop();
        assert!(it.join().unwrap());
    }

    fn without_a_descriptor_it_says_so() {
        let it = start(|| sleep_or_stop(Duration::MAX).is_err());
        while !matches!(it.report().activity, Activity::Waits(_)) {
            std::thread::yield_now();
        }
        let lowered = libc::rlimit { rlim_cur: 0, rlim_max: 1024 };
        let mut before = lowered;
        // SAFETY: limits of this process.
        #[allow(unsafe_code)]
        unsafe {
            assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut before), 0);
            let lowered = libc::rlimit { rlim_max: before.rlim_max, ..lowered };
            assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const lowered), 0);
        }
        let line = it.report().to_string();
        // SAFETY: as above.
        #[allow(unsafe_code)]
        unsafe {
            assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const before), 0);
        }
        assert!(line.starts_with("it ("), "{line}");
        assert!(line.contains("): cannot be looked at: /proc/self/task/"), "{line}");
        assert!(line.ends_with("(os error 24)"), "{line}");
        assert!(it.stop_and_join().unwrap());
    }
}
