//! Scopes for code that checks by the crate `enough`.

use enough::{Stop, StopReason};
use std::time::Duration;
use stop_tests::per_backend;
use stopruntime::{Checkpoint, Stopper, TimedOut, shield, within};

/// Computes until it is to stop.
fn compute(stop: &dyn Stop) -> StopReason {
    assert!(stop.may_stop());
    loop {
        if let Err(reason) = stop.check() {
            assert!(stop.should_stop());
            return reason;
        }
    }
}

per_backend! {
    fn a_computation_is_stopped_with_its_scope() {
        let job = Stopper::new();
        assert!(job.should_stop() == Checkpoint.should_stop() && !job.should_stop());
        std::thread::scope(|scope| {
            let runs = scope.spawn(|| {
                assert_eq!(job.run(|| compute(&Checkpoint)), StopReason::Cancelled);
                assert!(Checkpoint.check().is_ok());
            });
            // On a thread that does not run under it.
            let looks = scope.spawn(|| compute(&job.child()));
            job.request_stop();
            runs.join().unwrap();
            assert_eq!(looks.join().unwrap(), StopReason::Cancelled);
        });
        job.run(|| shield(|| assert!(Checkpoint.check().is_ok() && job.should_stop())));
    }

    fn a_computation_has_its_time() {
        let limit = Duration::from_millis(5);
        assert_eq!(
            within(limit, || Err::<(), _>(Ended::from(compute(&Checkpoint)))),
            Err(Ended::TimedOut),
        );
        let job = Stopper::new();
        job.request_stop_at(std::time::Instant::now() + limit);
        assert_eq!(compute(&job), StopReason::TimedOut);
    }
}

#[derive(Debug, PartialEq)]
enum Ended {
    Stopped(StopReason),
    TimedOut,
}

impl From<StopReason> for Ended {
    fn from(reason: StopReason) -> Ended {
        Ended::Stopped(reason)
    }
}

impl From<TimedOut> for Ended {
    fn from(_: TimedOut) -> Ended {
        Ended::TimedOut
    }
}
