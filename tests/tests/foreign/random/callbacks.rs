//! Marked calls of a callback, on a thread whose calls are still handed over for a scope
//! that was left, as the stop that is theirs comes.

use crate::both_ways;
use crate::kit::assert_clean;
use std::io::pipe;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use stop_tests::dice::{Dice, runs};
use stopruntime::ext::{ReadOrStop, WriteOrStop};
use stopruntime::{Stopper, foreign};

both_ways! {
    fn marked_calls() {
        let shared = Arc::new((Mutex::new(Stopper::new()), AtomicU64::new(0)));
        let rounds = runs(4_000);
        let requester = std::thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let mut dice = Dice::new();
                for round in 1..=rounds {
                    while shared.1.load(SeqCst) < round {
                        std::hint::spin_loop();
                    }
                    let job = shared.0.lock().unwrap().clone();
                    dice.spin(6_000);
                    job.request_stop();
                }
            }
        });
        let (reader, _writer) = pipe().unwrap();
        let (_reader, writer) = pipe().unwrap();
        let left = Stopper::new();
        left.request_stop();
        for round in 1..=rounds {
            let job = Stopper::new();
            *shared.0.lock().unwrap() = job.clone();
            let result = job.run(|| foreign(|| {
                left.run(|| std::hint::black_box(()));
                shared.1.store(round, SeqCst);
                // One that waits, and one that is made until it is stopped.
                if round % 2 == 0 {
                    return (&reader).read_or_stop(&mut [0]).map(|result| result.map(drop));
                }
                loop {
                    left.run(|| std::hint::black_box(()));
                    let length = (&writer).write_or_stop(&[])?;
                    assert!(matches!(length, Ok(0)), "{round}: {length:?}");
                }
            }));
            // No error of the call's, and no stop that is lost.
            assert!(matches!(result, Ok(Err(_)) | Err(_)), "{round}: {result:?}");
        }
        requester.join().unwrap();
        assert_clean();
    }
}
