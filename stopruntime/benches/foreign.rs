//! What a region of foreign code costs, before the stop and after it:
//! `cargo bench -p stopruntime --bench foreign`.
//!
//! All rows are interleaved, round by round, in one process, because these figures mean
//! something only as ratios; of each the best and the median of the rounds is printed.
//! Backend and way are those in force (`STOPRUNTIME_BACKEND`, `STOPRUNTIME_FOREIGN`).

#![allow(missing_docs, unsafe_code)]

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};
use stopruntime::{Stopper, foreign};

const ROUNDS: usize = 101;

/// A row: how many turns a round has, and a round.
type Row<'row> = (&'static str, u32, Box<dyn FnMut(u32) -> Duration + 'row>);

fn timed(turns: u32, mut turn: impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..turns {
        turn();
    }
    start.elapsed()
}

/// A round in a region in which everything is stopped.
fn armed(turns: u32, turn: impl FnMut()) -> Duration {
    let job = Stopper::new();
    job.request_stop();
    foreign(|| job.run(|| timed(turns, turn))).unwrap()
}

#[inline]
fn getppid() {
    // SAFETY: a call without arguments.
    unsafe { libc::getppid() };
}

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    println!("backend: {}; {}\n", stopruntime::backend(), stopruntime::foreign_support());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let far = listener.accept().unwrap().0;
    let (pipe, _writer) = std::io::pipe().unwrap();
    let mut rows = before_the_stop();
    rows.extend(after_it(&listener, &near, &far, &pipe));
    print(&mut rows);
}

fn before_the_stop() -> Vec<Row<'static>> {
    const MANY: u32 = 10_000;
    vec![
        ("nothing", MANY, Box::new(|turns| timed(turns, || black_box(())))),
        (
            "region around nothing",
            MANY,
            Box::new(|turns| timed(turns, || foreign(|| black_box(())).unwrap())),
        ),
        ("getppid", MANY, Box::new(|turns| timed(turns, getppid))),
        (
            "getppid, in a region",
            MANY,
            Box::new(|turns| foreign(|| timed(turns, getppid)).unwrap()),
        ),
        (
            "getppid, after a region that was stopped",
            MANY,
            Box::new(|turns| {
                armed(1, getppid);
                timed(turns, getppid)
            }),
        ),
    ]
}

fn after_it<'row>(
    listener: &'row TcpListener,
    near: &'row TcpStream,
    far: &'row TcpStream,
    pipe: &'row std::io::PipeReader,
) -> Vec<Row<'row>> {
    const SOME: u32 = 200;
    let canceled = |result: std::io::Result<usize>| {
        assert_eq!(result.unwrap_err().raw_os_error(), Some(libc::ECANCELED));
    };
    vec![
        ("stopped: getppid, which runs", SOME, Box::new(|turns| armed(turns, getppid))),
        (
            "stopped: read of a pipe",
            SOME,
            Box::new(move |turns| armed(turns, || canceled((&mut &*pipe).read(&mut [0])))),
        ),
        (
            "stopped: read of a socket",
            SOME,
            Box::new(move |turns| armed(turns, || canceled((&mut &*near).read(&mut [0])))),
        ),
        (
            "stopped: accept",
            SOME,
            Box::new(move |turns| armed(turns, || canceled(listener.accept().map(|(_, _)| 0)))),
        ),
        (
            "stopped: write to a socket",
            SOME,
            Box::new(move |turns| {
                let time = armed(turns, || assert_eq!((&mut &*near).write(&[0]).unwrap(), 1));
                let mut sent = vec![0; turns as usize];
                (&mut &*far).read_exact(&mut sent).unwrap();
                time
            }),
        ),
        (
            "write to a socket",
            SOME,
            Box::new(move |turns| {
                let time = timed(turns, || assert_eq!((&mut &*near).write(&[0]).unwrap(), 1));
                let mut sent = vec![0; turns as usize];
                (&mut &*far).read_exact(&mut sent).unwrap();
                time
            }),
        ),
        ("stopped: sigprocmask", SOME, Box::new(|turns| armed(turns, mask))),
        ("sigprocmask", SOME, Box::new(|turns| timed(turns, mask))),
        (
            "a region that is stopped and left",
            SOME,
            Box::new(|turns| {
                let job = Stopper::new();
                job.request_stop();
                timed(turns, || foreign(|| job.run(|| black_box(()))).unwrap())
            }),
        ),
    ]
}

/// Asks for the mask, and blocks a signal.
fn mask() {
    // SAFETY: two sets of this function's.
    unsafe {
        let mut set: libc::sigset_t = core::mem::zeroed();
        let mut before: libc::sigset_t = core::mem::zeroed();
        libc::sigaddset(&raw mut set, libc::SIGUSR1);
        assert_eq!(libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, &raw mut before), 0);
    }
}

fn print(rows: &mut [Row<'_>]) {
    let mut times = vec![Vec::new(); rows.len()];
    for _ in 0..ROUNDS {
        for ((_, turns, round), times) in rows.iter_mut().zip(&mut times) {
            times.push(round(*turns).as_secs_f64() * 1e9 / f64::from(*turns));
        }
    }
    println!("{:<44} {:>9} {:>9}", "ns", "best", "median");
    for ((name, ..), times) in rows.iter().zip(&mut times) {
        times.sort_by(f64::total_cmp);
        println!("{name:<44} {:>9.1} {:>9.1}", times[0], times[ROUNDS / 2]);
    }
}
