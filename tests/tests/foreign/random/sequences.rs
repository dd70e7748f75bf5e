//! Random sequences of calls, in regions and outside, before a stop and after it, in
//! shields and behind them: each gives what a model of the table says, and has the effect
//! that it reports. What would wait for ever is made only where it is ended.

#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "small numbers")]

use crate::both_ways;
use crate::kit::{CANCELED, armed, assert_clean, errno, is_dispatch};
use std::io::pipe;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::ptr::null_mut;
use stop_tests::dice::{Dice, runs};
use stopruntime::{Stopper, foreign, shield};

type Outcome = Result<isize, i32>;

const AGAIN: Outcome = Err(libc::EAGAIN);
const ENDED: Outcome = Err(CANCELED);

/// A pipe or a pair of sockets, and how many bytes are in it.
struct Queue {
    reader: OwnedFd,
    writer: OwnedFd,
    is_pipe: bool,
    waits: bool,
    bytes: isize,
}

/// An eventfd.
struct Counter {
    descriptor: OwnedFd,
    waits: bool,
    value: isize,
}

struct World {
    dice: Dice,
    queues: Vec<Queue>,
    counters: Vec<Counter>,
}

/// A call, by timer once more if a tick has met it.
fn made(mut call: impl FnMut() -> isize) -> Outcome {
    loop {
        match call() {
            -1 if errno() == libc::EINTR && !is_dispatch() => {}
            -1 => return Err(errno()),
            raw => return Ok(raw),
        }
    }
}

/// What it gives has to be what it gives outside, none if it waits there, or, where
/// something is stopped and each call is handed over, `ended`. The timer may find a call
/// that would not have waited.
fn check(is_stopped: bool, found: Outcome, outside: Option<Outcome>, ended: Outcome) {
    match outside {
        _ if is_stopped && is_dispatch() => assert_eq!(found, ended),
        Some(outside) => {
            assert!(
                found == outside || is_stopped && found == ended && ended == ENDED,
                "{found:?}"
            );
        }
        None => assert_eq!(found, ENDED),
    }
}

/// An hour, if it is ended.
fn sleep(is_stopped: bool) {
    let time = libc::timespec { tv_sec: if is_stopped { 3600 } else { 0 }, tv_nsec: 1 };
    // SAFETY: a time.
    let slept = made(|| unsafe { libc::nanosleep(&raw const time, null_mut()) as isize });
    assert_eq!(slept, Ok(0));
}

impl World {
    fn new(dice: Dice) -> World {
        let mut queues = Vec::new();
        let mut counters = Vec::new();
        for waits in [true, false] {
            let (reader, writer) = pipe().unwrap();
            let queue =
                |reader, writer, is_pipe| Queue { reader, writer, is_pipe, waits, bytes: 0 };
            queues.push(queue(reader.into(), writer.into(), true));
            let (reader, writer) = UnixStream::pair().unwrap();
            queues.push(queue(reader.into(), writer.into(), false));
            let flags = if waits { 0 } else { libc::EFD_NONBLOCK };
            // SAFETY: a new descriptor.
            let descriptor = unsafe { OwnedFd::from_raw_fd(libc::eventfd(0, flags)) };
            counters.push(Counter { descriptor, waits, value: 0 });
        }
        for queue in queues.iter().filter(|queue| !queue.waits) {
            // SAFETY: numbers.
            unsafe { libc::fcntl(queue.reader.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
        }
        World { dice, queues, counters }
    }

    fn steps(&mut self, is_stopped: bool) {
        for _ in 0..self.dice.below(12) {
            match self.dice.below(8) {
                0..3 => self.transfer(is_stopped),
                3..5 => self.count(is_stopped),
                5 | 6 => self.poll(is_stopped),
                _ => sleep(is_stopped),
            }
        }
    }

    fn transfer(&mut self, is_stopped: bool) {
        let length = self.dice.below(40) as usize + 1;
        let is_read = self.dice.chance(2);
        let at = self.dice.below(self.queues.len() as u64) as usize;
        let queue = &mut self.queues[at];
        let mut bytes = [0_u8; 40];
        if is_read {
            let some = queue.bytes.min(length as isize);
            let outside = match some {
                0 if queue.waits => None,
                0 => Some(AGAIN),
                some => Some(Ok(some)),
            };
            if outside.is_none() && !is_stopped {
                return;
            }
            let ended = if queue.is_pipe && !queue.waits && some > 0 { Ok(some) } else { ENDED };
            // SAFETY: room for so many bytes.
            let read = || unsafe {
                libc::read(queue.reader.as_raw_fd(), bytes.as_mut_ptr().cast(), length)
            };
            let found = made(read);
            check(is_stopped, found, outside, ended);
            queue.bytes -= found.unwrap_or(0);
        } else if queue.bytes < 100 {
            // SAFETY: so many bytes.
            let found = made(|| unsafe {
                libc::write(queue.writer.as_raw_fd(), bytes.as_ptr().cast(), length)
            });
            // There is room, and goodbyes are few.
            assert_eq!(found, Ok(length as isize));
            queue.bytes += length as isize;
        }
    }

    fn count(&mut self, is_stopped: bool) {
        let at = self.dice.below(2) as usize;
        let counter = &mut self.counters[at];
        let descriptor = counter.descriptor.as_raw_fd();
        let mut value = 3_u64;
        let place = (&raw mut value).cast();
        if self.dice.chance(2) {
            // SAFETY: a number.
            assert_eq!(made(|| unsafe { libc::write(descriptor, place, 8) }), Ok(8));
            counter.value += 3;
        } else if counter.value > 0 || !counter.waits || is_stopped {
            // SAFETY: room for a number.
            let found = made(|| unsafe { libc::read(descriptor, place, 8) });
            let expected = match counter.value {
                0 if counter.waits => ENDED,
                0 => AGAIN,
                _ => Ok(8),
            };
            assert_eq!(found, expected);
            if found.is_ok() {
                assert_eq!(value as isize, counter.value);
                counter.value = 0;
            }
        }
    }

    /// Of all of them, for no time or for ever.
    fn poll(&mut self, is_stopped: bool) {
        let queues = self.queues.iter().map(|queue| (&queue.reader, queue.bytes));
        let counters = self.counters.iter().map(|counter| (&counter.descriptor, counter.value));
        let all: Vec<_> = queues.chain(counters).collect();
        let ready = all.iter().filter(|(_, there)| *there > 0).count() as isize;
        let time = -i32::from(self.dice.chance(2));
        let (outside, ended) = match (ready, time) {
            (0, -1) if !is_stopped => return,
            // The pipes and sockets.
            (0, -1) => (None, Ok(self.queues.len() as isize)),
            _ => (Some(Ok(ready)), Ok(ready)),
        };
        let entry = |descriptor: &OwnedFd| libc::pollfd {
            fd: descriptor.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        let mut entries: Vec<_> = all.iter().map(|(descriptor, _)| entry(descriptor)).collect();
        // SAFETY: so many entries.
        let found =
            made(|| unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as _, time) as isize });
        check(is_stopped, found, outside, ended);
        if found.is_ok() {
            let reported = entries.iter().filter(|entry| entry.revents != 0).count() as isize;
            assert_eq!(Ok(reported), found);
        }
    }

    fn play(&mut self) {
        let job = Stopper::new();
        for _ in 0..=self.dice.below(5) {
            match self.dice.below(5) {
                0 => self.steps(false),
                1 => foreign(|| self.steps(false)).unwrap(),
                2 => armed(|| {
                    self.steps(true);
                    assert!(foreign(|| ()).is_err());
                    self.steps(true);
                }),
                3 => armed(|| {
                    self.steps(true);
                    shield(|| self.steps(false));
                    self.steps(true);
                }),
                _ => foreign(|| {
                    let is_stopped = job.stop_requested();
                    job.run(|| self.steps(is_stopped));
                    self.steps(false);
                    job.request_stop();
                    job.run(|| self.steps(true));
                    self.steps(false);
                })
                .unwrap(),
            }
        }
        assert_clean();
    }
}

both_ways! {
    fn calls_of_all_kinds() {
        let mut dice = Dice::new();
        for _ in 0..runs(if is_dispatch() { 2_000 } else { 200 }) {
            World::new(Dice::of(dice.below(u64::MAX))).play();
        }
    }
}
