//! Things that happen to a thread all the time while it makes marked calls:
//! foreign signals, stops of the process, moves to another
//! processor.

use super::flows::bouts;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use stop_tests::cores::Cores;
use stop_tests::dice::{Dice, runs};
use stop_tests::proc::wait_for;
use stop_tests::signals::STOP;
use stop_tests::timers::{BLOWS, Storm, count_blows};
use stop_tests::tracee::{Line, line_to_tracer, start};
use stop_tests::{per_backend, thread_id, timespec};

/// Bouts with each kind of call.
const BOUTS: u64 = 24;

/// Bouts in a storm of this signal, until enough of it have come: on a busy machine the
/// timers come late.
fn in_a_storm(signal: i32, flags: i32) {
    count_blows(signal, flags);
    let mut dice = Dice::new();
    while BLOWS.load(Ordering::Relaxed) <= 100 {
        bouts(runs(BOUTS), &mut dice, |thread| Storm::on(thread, signal));
    }
    eprintln!("{BLOWS:?} signals");
}

per_backend! {
    fn of_signals_that_restart() {
        in_a_storm(libc::SIGUSR1, libc::SA_RESTART);
    }

    fn of_signals_that_interrupt() {
        in_a_storm(libc::SIGUSR1, 0);
    }

    /// Foreign ones of the very number: requests are merged with them.
    fn of_the_stop_signal_itself() {
        in_a_storm(STOP, libc::SA_RESTART);
    }

    fn of_stops_of_the_process() {
        if let Some(line) = line_to_tracer() {
            return bouts_for(line);
        }
        let (tracee, mut line) = start();
        let (done, stops) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let (theirs, counted) = (Arc::clone(&done), Arc::clone(&stops));
        let process = tracee.process();
        let storm = std::thread::spawn(move || {
            let mut dice = Dice::new();
            while !theirs.load(Ordering::Relaxed) {
                signal(process, libc::SIGSTOP);
                wait_for_its_stop(process);
                dice.spin(100_000);
                signal(process, libc::SIGCONT);
                // Runs for longer than it stands still, or nothing gets done.
                let_it_run(process, Duration::from_nanos(dice.below(1_000_000)));
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        bouts_until(&mut line, || stops.load(Ordering::Relaxed) > 10);
        done.store(true, Ordering::Relaxed);
        storm.join().unwrap();
        eprintln!("{stops:?} stops");
    }

    fn of_moves_between_processors() {
        // With one there is nowhere to go, but the calls are made.
        let cores = Cores::available();
        let requester = thread_id();
        let (done, moves) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (theirs, counted) = (Arc::clone(&done), Arc::clone(&moves));
        let mover = std::thread::spawn(move || {
            while !theirs.load(Ordering::Relaxed) {
                counted.fetch_add(cores.shuffle(requester), Ordering::Relaxed);
            }
        });
        wait_for("the first move", || moves.load(Ordering::Relaxed) > 0);
        bouts(runs(BOUTS), &mut Dice::new(), |_| ());
        done.store(true, Ordering::Relaxed);
        mover.join().unwrap();
    }
}

fn signal(process: i32, signal: i32) {
    // SAFETY: two integers; the process is our child, and not reaped.
    assert_eq!(unsafe { libc::kill(process, signal) }, 0);
}

/// Of a child: waitid(2), as a loop of looks would take the processor from it.
fn wait_for_its_stop(process: i32) {
    let id = process.cast_unsigned();
    // SAFETY: zeroed is a place to be filled in.
    let result = unsafe {
        let mut info: libc::siginfo_t = core::mem::zeroed();
        libc::waitid(libc::P_PID, id, &raw mut info, libc::WSTOPPED | libc::WEXITED | libc::WNOWAIT)
    };
    assert_eq!(result, 0);
}

/// For so much of its own time: on a busy machine it would be stopped again before it has
/// got to a processor. Not for long, as it may sleep.
fn let_it_run(process: i32, time: Duration) {
    let (start, end) = (Instant::now(), time_of(process) + time);
    while time_of(process) < end && start.elapsed() < Duration::from_millis(50) {
        std::thread::sleep(Duration::from_micros(20));
    }
}

/// The processor's time that a process has used; 0 if none can be asked for it.
fn time_of(process: i32) -> Duration {
    let mut clock = 0;
    let mut time = timespec(Duration::ZERO);
    // SAFETY: places for a number and for a time.
    unsafe {
        if libc::clock_getcpuclockid(process, &raw mut clock) == 0 {
            libc::clock_gettime(clock, &raw mut time);
        }
    }
    let nanoseconds = u32::try_from(time.tv_nsec).expect("less than a second");
    Duration::new(time.tv_sec.try_into().expect("not negative"), nanoseconds)
}

/// For the child's bouts, until this is so: what meets them may begin late.
pub(super) fn bouts_until(line: &mut Line, enough: impl Fn() -> bool) {
    loop {
        assert_eq!(line.receive_number(), 0, "the bouts in the child");
        if enough() {
            return;
        }
        line.send(b"m");
    }
}

/// In the child: the bouts, and a 0 when they are done; as often as it is told.
pub(super) fn bouts_for(mut line: Line) {
    let mut dice = Dice::new();
    loop {
        bouts(runs(BOUTS), &mut dice, |_| ());
        line.send_number(0);
        // Alive until the other side has seen it.
        if line.next_command().is_none() {
            return;
        }
    }
}
