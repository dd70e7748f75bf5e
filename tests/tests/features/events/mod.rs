//! `log` and `tracing`: what is told, on which thread, how often.

mod recorder;

use recorder::{Told, begin, fields, told};
use std::io::{Read, pipe};
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};
use stop_tests::proc::wait_for;
use stop_tests::{per_backend, thread_id};
use stopruntime::ext::{ReadOrStop, sleep_or_stop};
use stopruntime::thread::Builder;
use stopruntime::{Stopper, check, foreign, shield, thread, within};

const INFO: &str = "INFO";
const DEBUG: &str = "DEBUG";

/// A line with the time in it left out.
fn without_time(text: &str) -> String {
    let Some((before, after)) = text.split_once(" s after ") else { return text.to_owned() };
    let (before, time) = before.rsplit_once(' ').unwrap();
    assert!(time.parse::<f64>().is_ok_and(|time| time < 100.0), "{text}");
    format!("{before} after {after}")
}

/// What was told on this thread.
fn told_on(thread: i32) -> Vec<(&'static str, String)> {
    let told = told().into_iter().filter(|told| told.on == thread);
    told.map(|Told { level, text, .. }| (level, without_time(&text))).collect()
}

per_backend! {
    fn a_request_and_a_stop() {
        begin();
        let it = thread::spawn(|| {
            for _ in 0..3 {
                sleep_or_stop(Duration::MAX).unwrap_err();
                check().unwrap_err();
            }
            thread_id()
        });
        it.request_stop_because("reload");
        let (own, thread) = (thread_id(), it.join().unwrap());
        let expected = [
            (INFO, format!("stop requested by thread {own}: reload")),
            (DEBUG, format!("thread {thread} stopped after the request: reload")),
        ];
        assert_eq!(told_on(thread), expected);
        // Nothing by the requester, and nothing twice.
        assert_eq!(told().len(), 2);
        let fields = fields();
        let [first, second] = ["requested", "stopped"].map(|event| {
            format!("event={event:?}; thread={thread}; by={own}; reason=\"reload\"; after; ")
        });
        assert_eq!(fields, [first, second]);
    }

    fn a_request_of_many_is_told_once() {
        begin();
        let service = Stopper::new();
        let started = [0; 3].map(|_| {
            let session = service.child();
            Builder::new().under(&session).spawn(|| {
                sleep_or_stop(Duration::MAX).unwrap_err();
                thread_id()
            }).unwrap()
        });
        service.request_stop();
        let threads = started.map(|thread| thread.join().unwrap());
        let told = told();
        assert_eq!(told.len(), 4, "{told:?}");
        let request = format!("stop requested by thread {}", thread_id());
        assert_eq!(told.iter().filter(|told| told.text == request).count(), 1, "{told:?}");
        for thread in threads {
            let stopped = (DEBUG, format!("thread {thread} stopped after the request"));
            assert!(told_on(thread).contains(&stopped), "{told:?}");
        }
    }

    fn a_request_in_a_signal_handler_tells_nothing_there() {
        static TO_STOP: OnceLock<Stopper> = OnceLock::new();
        extern "C" fn handler(_: libc::c_int) {
            TO_STOP.get().unwrap().request_stop_because("SIGUSR1");
        }
        begin();
        let it = thread::spawn(|| {
            sleep_or_stop(Duration::MAX).unwrap_err();
            thread_id()
        });
        TO_STOP.get_or_init(|| it.stopper());
        let handler = handler as extern "C" fn(libc::c_int);
        // SAFETY: the handler requests a stop, which is async-signal-safe.
        #[allow(unsafe_code)]
        unsafe {
            libc::signal(libc::SIGUSR1, handler as libc::sighandler_t);
            libc::raise(libc::SIGUSR1);
        }
        let thread = it.join().unwrap();
        assert!(told_on(thread_id()).is_empty());
        let request = (INFO, format!("stop requested by thread {}: SIGUSR1", thread_id()));
        assert_eq!(told_on(thread)[0], request);
        assert_eq!(told().len(), 2);
    }

    fn a_scope_out_of_time() {
        begin();
        let limit = Duration::from_millis(1);
        let sleep = || Ok::<_, std::io::Error>(sleep_or_stop(Duration::MAX)?);
        within(limit, sleep).unwrap_err();
        let own = thread_id();
        let once = [
            (DEBUG, format!("thread {own} stopped after its deadline")),
            (INFO, format!("thread {own} has left a scope: out of time")),
        ];
        assert_eq!(told_on(own), once);
        // Each scope by itself; in time, nothing.
        within(limit, sleep).unwrap_err();
        within(Duration::from_secs(60), || Ok::<_, std::io::Error>(check()?)).unwrap();
        assert_eq!(told_on(own), [once.clone(), once].concat());
        let job = Stopper::new();
        job.request_stop_at(Instant::now());
        job.run(check).unwrap_err();
        assert_eq!(told().len(), 5);
    }

    fn a_region_is_told_of_when_it_has_been_left() {
        if stopruntime::foreign_support() == stopruntime::ForeignSupport::None {
            return stop_tests::not_tested("regions", "no way on this processor");
        }
        begin();
        let (mut reader, writer) = pipe().unwrap();
        let it = thread::spawn(move || {
            let read = foreign(|| reader.read(&mut [0]));
            if let Ok(read) = read {
                read.unwrap_err();
            }
            // In a region it waits until that has been left.
            foreign(|| ()).unwrap_err();
            thread_id()
        });
        wait_for("the read", || it.report().to_string().contains("waits in read"));
        it.request_stop();
        let thread = it.join().unwrap();
        let told = told_on(thread);
        let left = (INFO, format!("thread {thread} has left a region of foreign code after a stop"));
        assert_eq!(told[0], left, "{told:?}");
        assert_eq!(told[1].1, format!("stop requested by thread {}", thread_id()), "{told:?}");
        assert_eq!(told[2].1, format!("thread {thread} stopped after the request"), "{told:?}");
        drop(writer);

        // A marked call in a region.
        let it = thread::spawn(|| {
            let told_inside = foreign(|| {
                sleep_or_stop(Duration::MAX).unwrap_err();
                told_on(thread_id()).len()
            });
            (told_inside, thread_id())
        });
        wait_for("the sleep", || it.report().to_string().contains("waits in "));
        it.request_stop();
        let (told_inside, thread) = it.join().unwrap();
        assert_eq!(told_inside, Ok(0));
        assert!(told_on(thread).len() >= 2, "{:?}", told_on(thread));
    }

    fn a_thread_that_is_overdue() {
        begin();
        let service = Stopper::new();
        let (called, hears) = mpsc::channel();
        let _on_overdue = service.on_overdue(Duration::from_millis(1), move |threads| {
            called.send(threads.len()).unwrap();
        });
        let (mut reader, writer) = pipe().unwrap();
        let stuck = Builder::new().name("stuck".into()).under(&service);
        let stuck = stuck.spawn(move || shield(|| reader.read_or_stop(&mut [0]).unwrap().unwrap()));
        let stuck = stuck.unwrap();
        wait_for("the read", || stuck.report().to_string().contains("waits in "));
        service.request_stop();
        assert_eq!(hears.recv(), Ok(1));
        let told = told();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].level, "WARN");
        assert!(told[0].text.starts_with("overdue: stuck"), "{told:?}");
        drop(writer);
        assert_eq!(stuck.join().unwrap(), 0);
    }

    fn what_is_not_asked_for_is_not_told() {
        log::set_max_level(log::LevelFilter::Off);
        Stopper::current().request_stop();
        check().unwrap_err();
        // The first stop has gone by.
        begin();
        check().unwrap_err();
        assert_eq!(told(), []);
    }
}
