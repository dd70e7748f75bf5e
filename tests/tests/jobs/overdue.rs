//! Being told of threads that do not stop.

use std::io::{Read, pipe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use stop_tests::per_backend;
use stop_tests::proc::wait_for;
use stopruntime::ext::sleep_or_stop;
use stopruntime::report::Obstacle;
use stopruntime::thread::{self, Builder, JoinHandle};
use stopruntime::{Stopper, shield};

const SOON: Duration = Duration::from_millis(20);

per_backend! {
    fn it_tells_of_those_that_are_left() {
        let service = Stopper::new();
        let (told, hears) = mpsc::channel();
        let _on_overdue = service.on_overdue(SOON, move |threads| told.send(threads).unwrap());
        let (reader, writer) = pipe().unwrap();
        let [mut first, mut second] = [reader.try_clone().unwrap(), reader];
        let named = |name: &str| Builder::new().name(name.into());
        // One under it, one in a job of it, and one that stops.
        let stuck = named("stuck").under(&service).spawn(move || first.read(&mut [0]).unwrap());
        let (stuck, job) = (stuck.unwrap(), service.child());
        let in_a_job =
            named("in a job").spawn(move || job.run(|| shield(|| second.read(&mut [0]).unwrap())));
        let in_a_job = in_a_job.unwrap();
        let stops =
            named("stops").under(&service).spawn(|| sleep_or_stop(Duration::MAX).is_err());
        let reads = |it: &JoinHandle<usize>| it.report().to_string().contains("waits in read");
        wait_for("both reads", || reads(&stuck) && reads(&in_a_job));
        let before = Instant::now();
        service.request_stop_because("reload");
        assert!(stops.unwrap().join().unwrap());
        let threads = hears.recv().unwrap();
        assert!(before.elapsed() >= SOON);
        let find = |name: &str| threads.iter().find(|thread| thread.name == name);
        let (stuck_line, job_line) = (find("stuck").unwrap(), find("in a job").unwrap());
        assert_eq!(stuck_line.obstacles, [Obstacle::NotMarked], "{threads}");
        assert_eq!(job_line.obstacles, [Obstacle::Shielded], "{threads}");
        // The one that stops may take its time, on a busy machine.
        assert_eq!(threads.iter().filter(|thread| thread.name != "stops").count(), 2, "{threads}");
        assert!(threads.to_string().contains(" s ago: reload; "), "{threads}");
        drop(writer);
        assert_eq!((stuck.join().unwrap(), in_a_job.join().unwrap()), (0, 0));
        assert!(hears.recv().is_err(), "it runs once");
    }

    fn it_is_silent_if_all_have_ended_in_time() {
        let service = Stopper::new();
        let is_told = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&is_told);
        // Long enough for the sleeper to end on a busy machine.
        let later = Duration::from_secs(1);
        let _on_overdue = service.on_overdue(later, move |_| theirs.store(true, Ordering::Relaxed));
        // What is told after it, on the same thread.
        let (told, hears) = mpsc::channel();
        let other = Stopper::new();
        let _late = other.on_overdue(later + SOON, move |_| told.send(()).unwrap());
        let sleeper = Builder::new().under(&service).spawn(|| sleep_or_stop(Duration::MAX).is_err());
        let (sender, receiver) = mpsc::channel::<()>();
        let stuck = Builder::new().under(&other).spawn(move || receiver.recv().is_err());
        service.request_stop();
        assert!(sleeper.unwrap().join().unwrap());
        other.request_stop();
        hears.recv().unwrap();
        assert!(!is_told.load(Ordering::Relaxed));
        drop(sender);
        assert!(stuck.unwrap().join().unwrap());
    }

    fn of_a_scope_that_is_stopped_the_time_begins_at_once() {
        let service = Stopper::new();
        // Past its deadline, and requested: whatever stops it.
        service.request_stop_at(Instant::now());
        let (sender, receiver) = mpsc::channel::<()>();
        let stuck = Builder::new().under(&service).spawn(move || receiver.recv().is_err()).unwrap();
        while stuck.report().id.is_none() {
            thread::yield_now();
        }
        for limit in [Duration::ZERO, SOON] {
            let (told, hears) = mpsc::channel();
            let before = Instant::now();
            let on_overdue = service.on_overdue(limit, move |threads| told.send(threads).unwrap());
            assert_eq!(hears.recv().unwrap().len(), 1);
            assert!(before.elapsed() >= limit);
            drop(on_overdue);
        }
        // Not for ever: it is never told, and withdrawn.
        drop(service.on_overdue(Duration::MAX, |_| unreachable!()));
        let withdrawn = service.on_overdue(SOON, |_| unreachable!());
        drop(withdrawn);
        drop(sender);
        assert!(stuck.join().unwrap());
    }

    fn a_thread_by_its_own_scope() {
        let (sender, receiver) = mpsc::channel::<()>();
        let stuck = thread::spawn(move || receiver.recv().is_err());
        let (told, hears) = mpsc::channel();
        let _on_overdue = stuck.stopper().on_overdue(SOON, move |threads| told.send(threads).unwrap());
        stuck.request_stop();
        assert_eq!(hears.recv().unwrap()[0].id, stuck.report().id);
        drop(sender);
        assert!(stuck.join().unwrap());
    }
}
