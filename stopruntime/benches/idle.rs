//! What blocked threads cost while nothing happens:
//! `cargo bench -p stopruntime --bench idle`.
//!
//! A thousand threads wait for datagrams that do not come, in a marked call,
//! in a plain one, and in one that ends every 100 ms so that the thread may
//! look at a flag: how often are they woken?

#![allow(unsafe_code, missing_docs)]
#![allow(clippy::cast_precision_loss)]

#[path = "child/mod.rs"]
mod child;
#[path = "table/mod.rs"]
mod table;

use std::io;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};
use stopruntime::stoppable;
use table::Table;

const THREADS: usize = 1_000;
const ROUNDS: usize = 3;
const WATCHED: Duration = Duration::from_secs(3);

fn main() -> io::Result<()> {
    if table::is_test() {
        return Ok(());
    }
    child::of_each_backend(bench)
}

/// How many threads, their ids, and what they share.
struct Waiters {
    ids: Vec<AtomicI32>,
    stop: AtomicBool,
}

#[stoppable]
fn marked(socket: &UnixDatagram) {
    loop {
        #[blocking]
        socket.recv(&mut [0; 16]).expect("a socket");
    }
}

fn plain(socket: &UnixDatagram) {
    socket.recv(&mut [0; 16]).expect("a socket");
}

fn timed_out(socket: &UnixDatagram, stop: &AtomicBool) {
    socket.set_read_timeout(Some(Duration::from_millis(100))).expect("a socket");
    while !stop.load(Ordering::Relaxed) {
        match socket.recv(&mut [0; 16]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            other => assert_eq!(other.expect("a socket"), 16),
        }
    }
}

fn bench() -> io::Result<()> {
    let columns = ["SO_RCVTIMEO 100 ms", "std", "stoppable"];
    let mut table = Table::new("idle", "wake-ups per second of 1,000 blocked threads", &columns);
    let spreads = table::interleave(
        ROUNDS,
        &mut [
            Some(&mut || watch(Kind::TimedOut)),
            Some(&mut || watch(Kind::Plain)),
            Some(&mut || watch(Kind::Marked)),
        ],
    );
    table.row("voluntary context switches", &spreads);
    table.keep()
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    TimedOut,
    Plain,
    Marked,
}

/// Wake-ups a second of so many threads.
fn watch(kind: Kind) -> f64 {
    let waiters = Arc::new(Waiters {
        ids: (0..THREADS).map(|_| AtomicI32::new(0)).collect(),
        stop: AtomicBool::new(false),
    });
    let mut peers = Vec::new();
    let mut threads = Vec::new();
    for index in 0..THREADS {
        let (socket, peer) = UnixDatagram::pair().expect("two descriptors");
        peers.push(peer);
        let waiters = Arc::clone(&waiters);
        let run = move || {
            // SAFETY: takes no argument.
            waiters.ids[index].store(unsafe { libc::gettid() }, Ordering::Release);
            match kind {
                Kind::TimedOut => timed_out(&socket, &waiters.stop),
                Kind::Plain => plain(&socket),
                Kind::Marked => marked(&socket),
            }
        };
        let builder = stopruntime::thread::Builder::new().stack_size(64 * 1024);
        threads.push(builder.spawn(run).expect("a thread"));
    }
    waiters.wait_until_asleep();
    let (start, before) = (Instant::now(), waiters.switches());
    thread::sleep(WATCHED);
    let woken = waiters.switches() - before;
    let seconds = start.elapsed().as_secs_f64();
    waiters.stop.store(true, Ordering::Relaxed);
    for (thread, peer) in threads.into_iter().zip(&peers) {
        match kind {
            Kind::TimedOut => {}
            Kind::Plain => assert_eq!(peer.send(&[7; 16]).expect("a socket"), 16),
            Kind::Marked => assert!(thread.request_stop()),
        }
        thread.join().expect("no panic");
    }
    woken as f64 / seconds
}

impl Waiters {
    fn of_each<T>(&self, file: &str, read: impl Fn(&str) -> T) -> impl Iterator<Item = T> {
        self.ids.iter().map(move |id| {
            let path = format!("/proc/self/task/{}/{file}", id.load(Ordering::Acquire));
            read(&fs::read_to_string(path).unwrap_or_default())
        })
    }

    /// Until each has slept: then it is in its call, or waits in it again.
    fn wait_until_asleep(&self) {
        let asleep =
            |stat: &str| stat.rsplit_once(')').is_some_and(|(_, rest)| rest.starts_with(" S"));
        while !self.of_each("stat", asleep).all(|asleep| asleep) {
            thread::yield_now();
        }
    }

    /// How often the threads have slept so far; `proc_pid_status(5)`.
    fn switches(&self) -> u64 {
        self.of_each("status", |status| {
            let line =
                status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            line.expect("Linux 2.6.23").trim().parse::<u64>().expect("a number")
        })
        .sum()
    }
}
