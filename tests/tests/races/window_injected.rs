//! Requests into a window that is wide enough to be hit: the same text with up
//! to 20,000 (on one core 80,000) empty turns between any two instructions, under
//! preemption, migration and signals, which abort it, and without.
//!
//! `STOP_TESTS_STOPS` sets the number of runs.

mod shielded;

use std::collections::BTreeMap;
use std::io::{PipeReader, PipeWriter, pipe};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use stop_tests::cores::{Cores, pin, sleep_sharply};
use stop_tests::dice::{Dice, runs};
use stop_tests::proc::{limit, wait_for};
use stop_tests::signals::{catch, plain_write, send, waiting};
use stop_tests::started::blocked;
use stop_tests::timers::{BLOWS, Storm, count_blows};
use stop_tests::{on_backends, thread_id};
use stopruntime::testing::read_widened;
use stopruntime::thread;

/// Turns of the widest window on a processor that is not emulated.
const SPINS: u64 = 20_000;

/// What the marked reads came to, and whether their byte was there.
type Counts = BTreeMap<(&'static str, bool), u64>;

/// One marked read on this core, met by a request from the calling thread.
fn one_run(dice: &mut Dice, pace: Pace, core: usize, naps: bool, counts: &mut Counts) {
    one_run_in(dice, pace, core, naps, counts, |_| None);
}

/// How wide windows are on this processor, which an emulator may be.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// Turns between two instructions of the widest window.
    widest: u64,
    /// How long that takes, in nanoseconds.
    nanoseconds: u64,
}

impl Pace {
    /// Measured with a reader on this core. Nothing but the quickest of a few
    /// times is of use: the others were delayed.
    fn on(core: usize) -> Pace {
        let window = quickest(|| time_of_a_window(core));
        // The turns of an emulator are quick, and all that a requester does
        // between the instant that it has chosen and its request is slow.
        let times = (20 * quickest(time_of_a_request)).div_ceil(window);
        Pace { widest: times * SPINS, nanoseconds: times * window }
    }

    /// An instant within this falls before, into or behind a window of so many
    /// turns.
    fn width(self, spins: usize) -> u64 {
        self.nanoseconds * spins as u64 / self.widest + 1_000
    }
}

fn quickest(time: impl Fn() -> Duration) -> u64 {
    let nanoseconds = |_| u64::try_from(time().as_nanos()).unwrap();
    (0..8).map(nanoseconds).min().unwrap()
}

/// With [`SPINS`] turns, for a reader that finds its byte.
fn time_of_a_window(core: usize) -> Duration {
    let reads = move || {
        pin(thread_id(), &[core]);
        let (reader, writer): (PipeReader, PipeWriter) = pipe().unwrap();
        assert!(plain_write(writer.as_raw_fd()));
        let start = Instant::now();
        assert_eq!(read_widened(reader.as_fd(), &mut [0], usize::try_from(SPINS).unwrap()), Ok(1));
        start.elapsed()
    };
    std::thread::spawn(reads).join().unwrap()
}

/// That finds a reader asleep.
fn time_of_a_request() -> Duration {
    let (reader, _writer): (PipeReader, PipeWriter) = pipe().unwrap();
    let (handle, _) = blocked(&[libc::SYS_read], move || read_widened(reader.as_fd(), &mut [0], 0));
    let start = Instant::now();
    assert!(handle.request_stop());
    let took = start.elapsed();
    assert!(handle.join().unwrap().is_err(), "there is no data");
    took
}

/// The same; the reader exposes itself, by its id, to `weather`.
fn one_run_in(
    dice: &mut Dice,
    pace: Pace,
    core: usize,
    naps: bool,
    counts: &mut Counts,
    weather: fn(i32) -> Option<Storm>,
) {
    let (reader, writer): (PipeReader, PipeWriter) = pipe().unwrap();
    let reader = Arc::new(reader);
    // The sleep alone takes longer than most windows.
    let widest = if naps { 4 * pace.widest } else { pace.widest };
    let spins = usize::try_from(dice.below(widest)).unwrap() >> dice.below(3);
    let width = pace.width(spins);
    let (with_data, early) = (dice.chance(2), dice.chance(2));
    if with_data && early {
        assert!(plain_write(writer.as_raw_fd()));
    }
    let gate = Arc::new(Gate::default());
    let (theirs, their_gate) = (Arc::clone(&reader), Arc::clone(&gate));
    let handle = thread::spawn(move || {
        pin(thread_id(), &[core]);
        let _weather = weather(thread_id());
        their_gate.pass();
        read_widened(theirs.as_fd(), &mut [0], spins)
    });
    gate.pass();
    if naps {
        // On the same core only a sleeper comes in between soon enough.
        std::thread::sleep(Duration::from_nanos(dice.below(width)));
    } else {
        dice.spin(width);
    }
    if with_data && !early {
        dice.spin(width / 2);
        assert!(plain_write(writer.as_raw_fd()));
    }
    assert!(handle.request_stop());
    let ended = handle.join_timeout(limit());
    assert!(ended.is_ok(), "request lost: {spins} spins, data: {with_data}");
    let outcome = ended.expect("it has ended").expect("no panic");
    let left = waiting(&*reader);
    let expected_left = i32::from(with_data && outcome.is_err());
    assert_eq!(left, expected_left, "{outcome:?} with data: {with_data}");
    assert!(matches!(outcome, Ok(1) | Err(_)), "{outcome:?}");
    let name = if outcome.is_ok() { "read" } else { "stopped" };
    *counts.entry((name, with_data)).or_default() += 1;
}

/// Lets two threads go on at the same instant, both awake.
#[derive(Default)]
struct Gate(AtomicU32);

impl Gate {
    fn pass(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
        while self.0.load(Ordering::Acquire) < 2 {
            std::thread::yield_now();
        }
    }
}

/// Whether the runs have met both sides of the race.
fn met(counts: &Counts) -> bool {
    ["stopped", "read"].iter().all(|name| counts.get(&(name, true)).is_some_and(|met| *met > 0))
}

/// A part of the runs may be enough, if it has met both sides.
fn goes_on(made: u64, all: u64, counts: &Counts) -> bool {
    made < runs(all) || made < all && !met(counts)
}

/// The runs must have met both sides of the race.
fn check(pace: Pace, counts: &Counts) {
    eprintln!("{pace:?} {counts:?}");
    let count = |name, data| counts.get(&(name, data)).copied().unwrap_or(0);
    assert_eq!(count("read", false), 0);
    assert!(count("stopped", false) > 0);
    assert!(count("stopped", true) > 0, "no request came before the data was taken");
    assert!(count("read", true) > 0, "no request came after the data was taken");
}

on_backends! { ["rseq", "handler"];
    fn on_two_cores() {
        let cores = Cores::available();
        pin(thread_id(), &[cores.last()]);
        let pace = Pace::on(cores.first());
        let (mut dice, mut counts) = (Dice::new(), Counts::new());
        let mut made = 0;
        while goes_on(made, 4_000, &counts) {
            made += 1;
            one_run(&mut dice, pace, cores.first(), false, &mut counts);
        }
        check(pace, &counts);
    }

    fn on_one_core() {
        let core = Cores::available().first();
        pin(thread_id(), &[core]);
        sleep_sharply();
        let pace = Pace::on(core);
        let (mut dice, mut counts) = (Dice::new(), Counts::new());
        let mut made = 0;
        while goes_on(made, 2_000, &counts) {
            made += 1;
            one_run(&mut dice, pace, core, true, &mut counts);
        }
        check(pace, &counts);
    }

    fn preempted() {
        // A thread that wakes up on the same core all the time: windows are
        // left and entered again in the middle.
        let cores = Cores::available();
        let (core, go_on) = (cores.first(), Arc::new(AtomicBool::new(true)));
        let pace = Pace::on(core);
        let theirs = Arc::clone(&go_on);
        let busy = std::thread::spawn(move || {
            let mut dice = Dice::new();
            pin(thread_id(), &[core]);
            sleep_sharply();
            while theirs.load(Ordering::Relaxed) {
                dice.spin(5_000);
                std::thread::sleep(Duration::from_nanos(dice.below(20_000)));
            }
        });
        pin(thread_id(), &[cores.last()]);
        let (mut dice, mut counts) = (Dice::new(), Counts::new());
        let mut made = 0;
        while goes_on(made, 2_000, &counts) {
            made += 1;
            one_run(&mut dice, pace, core, false, &mut counts);
        }
        go_on.store(false, Ordering::Relaxed);
        busy.join().unwrap();
        check(pace, &counts);
    }

    /// A foreign signal sends a thread back to before the flag test as well: what
    /// it enters then is a window again, for the request to find it in.
    fn interrupted_before() {
        extern "C" fn returns(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {}
        catch(libc::SIGUSR1, returns, libc::SA_RESTART, &[]);
        let cores = Cores::available();
        pin(thread_id(), &[cores.last()]);
        let (core, mut dice) = (cores.first(), Dice::new());
        let pace = Pace::on(core);
        for _ in 0..runs(500) {
            let (reader, _writer): (PipeReader, PipeWriter) = pipe().unwrap();
            let spins = usize::try_from(dice.below(5 * pace.widest)).unwrap();
            let width = pace.width(spins);
            let (gate, id) = (Arc::new(Gate::default()), Arc::new(AtomicI32::new(0)));
            let (their_gate, their_id) = (Arc::clone(&gate), Arc::clone(&id));
            let handle = thread::spawn(move || {
                pin(thread_id(), &[core]);
                their_id.store(thread_id(), Ordering::Relaxed);
                their_gate.pass();
                read_widened(reader.as_fd(), &mut [0], spins)
            });
            gate.pass();
            dice.spin(width / 2);
            send(id.load(Ordering::Relaxed), libc::SIGUSR1);
            dice.spin(width / 2);
            assert!(handle.request_stop());
            let Ok(ended) = handle.join_timeout(limit()) else { panic!("request lost: {spins}") };
            assert!(ended.unwrap().is_err(), "there is no data");
        }
    }

    fn met_by_signals() {
        // Foreign ones, ten thousand a second: each aborts the window
        // that it meets, between any two instructions.
        let cores = Cores::available();
        pin(thread_id(), &[cores.last()]);
        count_blows(libc::SIGUSR1, libc::SA_RESTART);
        let pace = Pace::on(cores.first());
        let (mut dice, mut counts) = (Dice::new(), Counts::new());
        let mut made = 0;
        let blows = || BLOWS.load(Ordering::Relaxed);
        while goes_on(made, 1_000, &counts) || made < 1_000 && blows() <= 100 {
            made += 1;
            let weather = |thread| Some(Storm::on(thread, libc::SIGUSR1));
            one_run_in(&mut dice, pace, cores.first(), false, &mut counts, weather);
        }
        eprintln!("{} signals", blows());
        assert!(blows() > 100, "no storm: {} signals", blows());
        check(pace, &counts);
    }

    fn migrated() {
        // With one core there is nowhere to go, but the calls are made.
        let cores = Cores::available();
        let (first, requester) = (cores.first(), thread_id());
        let pace = Pace::on(first);
        let (done, moves) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (theirs, counted) = (Arc::clone(&done), Arc::clone(&moves));
        let mover = std::thread::spawn(move || {
            while !theirs.load(Ordering::Relaxed) {
                counted.fetch_add(cores.shuffle(requester), Ordering::Relaxed);
            }
        });
        wait_for("the first move", || moves.load(Ordering::Relaxed) > 0);
        let (mut dice, mut counts) = (Dice::new(), Counts::new());
        let mut made = 0;
        while goes_on(made, 2_000, &counts) {
            made += 1;
            one_run(&mut dice, pace, first, false, &mut counts);
        }
        done.store(true, Ordering::Relaxed);
        mover.join().unwrap();
        check(pace, &counts);
    }
}
