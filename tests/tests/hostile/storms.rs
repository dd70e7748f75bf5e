//! Things that happen to a thread all the time while it makes marked calls:
//! foreign signals, stops of the process, moves to another
//! processor.

use super::flows::{bout, bouts};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use stop_tests::cores::Cores;
use stop_tests::dice::{Dice, runs};
use stop_tests::proc::wait_for_state;
use stop_tests::signals::STOP;
use stop_tests::timers::{BLOWS, Storm, count_blows};
use stop_tests::tracee::{Line, line_to_tracer, start};
use stop_tests::{per_backend, thread_id};

/// Bouts with each kind of call.
const BOUTS: u64 = 24;

/// Bouts in a storm of this signal, and the proof that it blew.
fn in_a_storm(signal: i32, flags: i32) {
    count_blows(signal, flags);
    bouts(runs(BOUTS), &mut Dice::new(), |thread| Storm::on(thread, signal));
    let blows = BLOWS.load(Ordering::Relaxed);
    eprintln!("{blows} signals");
    assert!(blows > 100, "no storm: {blows} signals");
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
        let done = Arc::new(AtomicBool::new(false));
        let (theirs, process) = (Arc::clone(&done), tracee.process());
        let storm = std::thread::spawn(move || {
            let mut dice = Dice::new();
            let mut stops = 0;
            while !theirs.load(Ordering::Relaxed) {
                signal(process, libc::SIGSTOP);
                wait_for_state(process, "T");
                dice.spin(100_000);
                signal(process, libc::SIGCONT);
                // Runs for longer than it stands still, or nothing gets done.
                dice.spin(1_000_000);
                stops += 1;
            }
            stops
        });
        assert_eq!(line.receive_number(), 0, "the bouts in the child");
        done.store(true, Ordering::Relaxed);
        let stops = storm.join().unwrap();
        eprintln!("{stops} stops");
        assert!(stops > 10, "no storm: {stops} stops");
    }

    fn of_moves_between_processors() {
        // With one there is nowhere to go, but the calls are made.
        let cores = Cores::available();
        let requester = thread_id();
        let done = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&done);
        let mover = std::thread::spawn(move || {
            let mut moves = 0;
            while !theirs.load(Ordering::Relaxed) {
                moves += cores.shuffle(requester);
            }
            moves
        });
        bouts(runs(BOUTS), &mut Dice::new(), |_| ());
        done.store(true, Ordering::Relaxed);
        assert!(mover.join().unwrap() > 0);
    }
}

fn signal(process: i32, signal: i32) {
    // SAFETY: two integers; the process is our child, and not reaped.
    assert_eq!(unsafe { libc::kill(process, signal) }, 0);
}

/// In the child: the bouts, and a 0 when they are done.
pub(super) fn bouts_for(mut line: Line) {
    let mut dice = Dice::new();
    for kind in &super::flows::KINDS {
        for _ in 0..runs(BOUTS) {
            bout(kind, &mut dice, |_| ());
        }
    }
    line.send_number(0);
    // Alive until the other side has seen it.
    assert_eq!(line.next_command(), None);
}
