//! The request and the marked call at the same instant, within nanoseconds: the
//! thread stores its marker and looks at the flag, the requester stores the
//! flag and looks at the marker. Each store is still in its processor's store
//! buffer when the other looks, unless something makes it wait; if neither saw
//! the other, the thread sleeps for ever.
//!
//! So that the thread's store comes late, it stands behind others into lines
//! that are in no cache. On two processors, without the barrier, some hundred
//! runs are enough to see it; on one processor it cannot be.
//!
//! `STOP_TESTS_STOPS` sets the number of runs.

use std::hint::spin_loop;
use std::io::{PipeReader, PipeWriter, pipe};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use stop_tests::cores::{Cores, pin};
use stop_tests::dice::{Dice, runs};
use stop_tests::proc::limit;
use stop_tests::seccomp::deny;
use stop_tests::signals::plain_write;
use stop_tests::{on_backends, per_backend, thread_id};
use stopruntime::ext::ReadOrStop;
use stopruntime::{Backend, Stopper, backend, thread};

/// A line of the cache to itself.
#[repr(align(128))]
#[derive(Default)]
struct OwnLine(AtomicU64);

/// About as many as a store buffer holds.
const LINES: usize = 48;

/// Where both sides meet, and what they store into.
struct Shared {
    gate: OwnLine,
    lines: [OwnLine; LINES],
}

impl Shared {
    fn new() -> Shared {
        let lines = core::array::from_fn(|_| OwnLine::default());
        Shared { gate: OwnLine::default(), lines }
    }

    fn store(&self, value: u64) {
        for line in &self.lines {
            line.0.store(value, Ordering::Relaxed);
        }
    }

    /// Takes the lines out of every cache.
    fn evict(&self) {
        #[cfg(target_arch = "x86_64")]
        for line in &self.lines {
            // SAFETY: an address in a line that is alive.
            unsafe { core::arch::x86_64::_mm_clflush((&raw const *line).cast()) }
        }
    }

    /// Waits until the gate shows this.
    fn pass(&self, value: u64) {
        let mut turns = 0_u32;
        while self.gate.0.load(Ordering::Acquire) != value {
            spin_loop();
            turns += 1;
            if turns.is_multiple_of(10_000) {
                std::thread::yield_now();
            }
        }
    }
}

const READY: u64 = 1;
const OPEN: u64 = 2;

/// A pipe that is never fed.
fn quiet() -> (PipeReader, PipeWriter) {
    pipe().unwrap()
}

fn at_the_same_instant() {
    let cores = Cores::available();
    let (theirs, ours) = (cores.first(), cores.last());
    pin(thread_id(), &[ours]);
    let mut dice = Dice::new();
    let (reader, _writer) = quiet();
    let reader = Arc::new(reader);
    for run in 0..runs(5_000) {
        let shared = Arc::new(Shared::new());
        let (meets, waits_on) = (Arc::clone(&shared), Arc::clone(&reader));
        let handle = thread::spawn(move || {
            pin(thread_id(), &[theirs]);
            let (mut data, writer) = quiet();
            // Once before, so that nothing is new the second time.
            assert!(plain_write(writer.as_raw_fd()));
            assert!(data.read_or_stop(&mut [0]).is_ok());
            meets.gate.0.store(READY, Ordering::Release);
            meets.pass(OPEN);
            meets.store(2);
            (&*waits_on).read_or_stop(&mut [0]).is_err()
        });
        shared.pass(READY);
        shared.store(1);
        shared.evict();
        // Its line is in this processor's cache as well.
        assert!(!handle.stop_requested());
        // About as long as the thread takes to come to its marker: on ppoll it
        // makes a call before, that does not wait.
        let (least, most) = if backend() == Backend::Ppoll { (80, 60) } else { (0, 50) };
        let spins = if dice.chance(4) { dice.below(300) } else { least + dice.below(most) };
        shared.gate.0.store(OPEN, Ordering::Release);
        for _ in 0..spins {
            spin_loop();
        }
        handle.request_stop();
        let Ok(ended) = handle.join_timeout(limit()) else {
            panic!("run {run}: neither saw the other, {spins} turns after the start");
        };
        assert!(ended.unwrap(), "run {run}: nothing feeds it");
    }
}

/// The thread enters a scope, and looks whether it is stopped; the requester stops it, and
/// looks which threads are in it.
fn entering_at_the_same_instant() {
    let cores = Cores::available();
    let (theirs, ours) = (cores.first(), cores.last());
    pin(thread_id(), &[ours]);
    let mut dice = Dice::new();
    let (reader, _writer) = quiet();
    let runs = runs(5_000);
    let shared = Arc::new(Shared::new());
    let jobs: Arc<Vec<_>> = Arc::new((0..runs).map(|_| Stopper::new()).collect());
    let (meets, runs_under) = (Arc::clone(&shared), Arc::clone(&jobs));
    let handle = thread::spawn(move || {
        pin(thread_id(), &[theirs]);
        for (run, job) in (0..).zip(runs_under.iter()) {
            meets.gate.0.store(2 * run + READY, Ordering::Release);
            meets.pass(2 * run + OPEN);
            meets.store(run);
            assert!(job.run(|| (&reader).read_or_stop(&mut [0])).is_err());
        }
    });
    for (run, job) in (0..).zip(jobs.iter()) {
        shared.pass(2 * run + READY);
        shared.store(!run);
        shared.evict();
        // In this processor's cache as well.
        assert!(!job.stop_requested());
        let most = if dice.chance(4) { 300 } else { 60 };
        let spins = dice.below(most);
        shared.gate.0.store(2 * run + OPEN, Ordering::Release);
        for _ in 0..spins {
            spin_loop();
        }
        job.request_stop();
    }
    assert!(handle.join_timeout(limit()).is_ok_and(|ended| ended.is_ok()));
}

per_backend! {
    fn one_sees_the_other() {
        at_the_same_instant();
    }

    fn entering_and_a_request_see_each_other() {
        entering_at_the_same_instant();
    }
}

on_backends! { ["rseq", "handler"];
    fn one_sees_the_other_without_membarrier() {
        deny(libc::SYS_membarrier, libc::ENOSYS);
        at_the_same_instant();
    }
}
