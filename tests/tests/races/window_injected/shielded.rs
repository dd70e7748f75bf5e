//! Requests into a wide window under a shield: the byte that comes after the request ends
//! the read, and nothing else; the read behind the shield is stopped.

use super::{Gate, Pace};
use std::io::{PipeReader, PipeWriter, pipe};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use stop_tests::cores::{Cores, pin};
use stop_tests::dice::{Dice, runs};
use stop_tests::proc::limit;
use stop_tests::signals::plain_write;
use stop_tests::{on_backends, thread_id};
use stopruntime::testing::read_widened;
use stopruntime::{shield, thread};

on_backends! { ["rseq", "handler"];
    fn under_a_shield() {
        let cores = Cores::available();
        pin(thread_id(), &[cores.last()]);
        let (core, pace) = (cores.first(), Pace::on(cores.first()));
        let mut dice = Dice::new();
        for _ in 0..runs(2_000) {
            let (reader, writer): (PipeReader, PipeWriter) = pipe().unwrap();
            let spins = usize::try_from(dice.below(pace.widest)).unwrap() >> dice.below(3);
            let width = pace.width(spins);
            let gate = Arc::new(Gate::default());
            let their_gate = Arc::clone(&gate);
            let handle = thread::spawn(move || {
                pin(thread_id(), &[core]);
                their_gate.pass();
                let inside = shield(|| read_widened(reader.as_fd(), &mut [0], spins));
                (inside, read_widened(reader.as_fd(), &mut [0], 0))
            });
            gate.pass();
            dice.spin(width);
            assert!(handle.request_stop());
            dice.spin(width / 2);
            assert!(plain_write(writer.as_raw_fd()));
            let Ok(ended) = handle.join_timeout(limit()) else { panic!("it waits on: {spins}") };
            let (inside, behind) = ended.unwrap();
            assert_eq!(inside, Ok(1), "ended under a shield: {spins} spins");
            assert!(behind.is_err(), "not stopped behind it: {spins} spins");
        }
    }
}
