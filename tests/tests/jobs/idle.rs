//! What scopes cost that are not stopped, and scopes on a kernel without membarrier(2).

use super::{quiet, reads, stopped};
use std::fs;
use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};
use stop_tests::{on_backends, per_backend};
use stopruntime::ext::sleep_or_stop;
use stopruntime::{Cause, Stopper, TimedOut, check, within};

const HOUR: Duration = Duration::from_secs(3600);

/// How often the thread that watches over deadlines has slept; `proc_pid_status(5)`.
fn sleeps() -> u64 {
    let tasks = fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    let is_it = |name: String| name.trim() == "stop-deadlines";
    let mut tasks = tasks.filter(|path| fs::read_to_string(path.join("comm")).is_ok_and(is_it));
    let status = fs::read_to_string(tasks.next().expect("it runs").join("status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.unwrap().trim().parse().unwrap()
}

per_backend! {
    fn limits_that_are_renewed_wake_nothing() {
        const RENEWALS: u64 = 100_000;
        let renew = || {
            let result: Result<_, TimedOut> = within(HOUR, || Ok(()));
            assert!(result.is_ok());
        };
        // Starts the thread, and waits for it.
        let sleep = || Ok::<_, io::Error>(sleep_or_stop(HOUR)?);
        assert!(within(Duration::from_millis(1), sleep).is_err());
        let before = sleeps();
        let threads = [(); 2].map(|()| thread::spawn(move || (0..RENEWALS).for_each(|_| renew())));
        for thread in threads {
            thread.join().unwrap();
        }
        let woken = sleeps() - before;
        // A few rounds before it sleeps for good, and a renewal that it meets half done.
        assert!(woken < RENEWALS / 1_000, "{woken} times");
    }
}

on_backends! {
    ["rseq without membarrier", "handler without membarrier", "ppoll without membarrier"];

    fn without_membarrier_a_job_is_stopped_and_the_next_is_not() {
        let (reader, mut writer) = quiet();
        thread::scope(|scope| {
            for _ in 0..100 {
                let job = Stopper::new();
                let other = job.clone();
                let asks = scope.spawn(move || other.request_stop());
                assert_eq!(job.run(|| stopped(&reader)).cause(), Cause::Requested);
                assert!(asks.join().unwrap());
                writer.write_all(&[1]).unwrap();
                reads(&reader);
            }
        });
        assert!(check().is_ok());
    }

    fn without_membarrier_a_limit_ends_its_calls_alone() {
        let (reader, mut writer) = quiet();
        for _ in 0..20 {
            let limit = Duration::from_millis(2);
            let begin = Instant::now();
            let result = within(limit, || Err::<(), _>(io::Error::from(stopped(&reader))));
            assert_eq!(result.unwrap_err().kind(), io::ErrorKind::TimedOut);
            assert!(begin.elapsed() >= limit);
            writer.write_all(&[1]).unwrap();
            reads(&reader);
        }
    }
}
