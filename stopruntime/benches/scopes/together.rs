//! One request to many threads: until it returns, and until the last of them is past its
//! blocked call.

use crate::table::{Spread, Table};
use std::io::{self, PipeReader};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};
use stopruntime::Stopper;
use stopruntime::ext::ReadOrStop;

const ROUNDS: usize = 7;
const COLUMNS: [&str; 4] = ["thread::scope", "a job each", "Stopper::run", "each by itself"];

pub(crate) fn bench() -> io::Result<()> {
    let (reader, _writer) = io::pipe()?;
    let mut table = Table::new("together", "µs a thread, of one request", &COLUMNS);
    for threads in [10, 100, 1_000] {
        let mut times = [const { (Vec::new(), Vec::new()) }; 4];
        for round in 0..=ROUNDS {
            for (way, times) in times.iter_mut().enumerate() {
                let (returned, past) = stop(threads, way, &reader);
                let each = |time: Duration| time.as_secs_f64() * 1e6 / threads as f64;
                if round > 0 {
                    way_times(times, each(returned), each(past));
                }
            }
        }
        table.row(
            &format!("{threads}: returns"),
            &times.each_ref().map(|(times, _)| Spread::of(times.clone())),
        );
        let past = times.each_ref().map(|(_, times)| Spread::of(times.clone()));
        table.row(&format!("{threads}: all past the call"), &past);
        let of = |column: usize| past[column].expect("rounds").low;
        crate::goal("jobs of one service to thread::scope", of(1) / of(0), 1.1);
    }
    table.keep()
}

fn way_times(times: &mut (Vec<f64>, Vec<f64>), returned: f64, past: f64) {
    times.0.push(returned);
    times.1.push(past);
}

/// Stops so many threads that read, in the way of the column with this number.
fn stop(threads: usize, way: usize, reader: &PipeReader) -> (Duration, Duration) {
    let ids: Vec<_> = (0..threads).map(|_| AtomicI32::new(0)).collect();
    let own = Mutex::new(Vec::new());
    let past = Mutex::new(None);
    let service = Stopper::new();
    let read = |number: usize, scope: Option<Stopper>| {
        if way == 3 {
            own.lock().expect("no panic").push(Stopper::current());
        }
        // SAFETY: takes no argument.
        ids[number].store(unsafe { libc::gettid() }, Ordering::Release);
        let read = |mut reader: &PipeReader| assert!(reader.read_or_stop(&mut [0]).is_err());
        scope.map_or_else(|| read(reader), |scope| scope.run(|| read(reader)));
        let now = Instant::now();
        let mut past = past.lock().expect("no panic");
        *past = (*past).max(Some(now));
    };
    let mut start = Instant::now();
    let mut returned = Duration::ZERO;
    let mut ask = |request: &dyn Fn()| {
        ids.iter().for_each(wait_until_asleep);
        start = Instant::now();
        request();
        returned = start.elapsed();
    };
    let small = || stopruntime::thread::Builder::new().stack_size(64 * 1024);
    let read = &read;
    stopruntime::thread::scope(|scope| {
        for number in 0..threads {
            let job = match way {
                1 => Some(service.child()),
                2 => Some(service.clone()),
                _ => None,
            };
            small().spawn_scoped(scope, move || read(number, job)).expect("a thread");
        }
        ask(&|| match way {
            0 => assert!(scope.request_stop()),
            1 | 2 => assert!(service.request_stop()),
            _ => own.lock().expect("no panic").iter().for_each(|own| assert!(own.request_stop())),
        });
    });
    let past = past.lock().expect("no panic").expect("there was one");
    (returned, past - start)
}

fn wait_until_asleep(id: &AtomicI32) {
    loop {
        let id = id.load(Ordering::Acquire);
        let stat = fs::read_to_string(format!("/proc/self/task/{id}/stat")).unwrap_or_default();
        if stat.rsplit_once(')').is_some_and(|(_, rest)| rest.starts_with(" S")) {
            return;
        }
        thread::yield_now();
    }
}
