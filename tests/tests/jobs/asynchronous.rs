//! A scope as async code uses one, in the way of `tokio_util`'s `CancellationToken`: on
//! tokio, and on an executor that does nothing else.

use super::callbacks::block_on;
use super::{quiet, stopped};
use std::future::{pending, ready};
use std::pin::{Pin, pin};
use std::thread;
use std::time::{Duration, Instant};
use stop_tests::per_backend;
use stopruntime::{Cause, Stopper};

/// On both executors: a thread of the executor's starts it, and this one waits for it.
fn on_each(test: fn() -> Pin<Box<dyn Future<Output = ()> + Send>>) {
    block_on(test());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(test());
    runtime.block_on(runtime.spawn(test())).unwrap();
}

/// Requests from another thread, which begins when the future has been polled.
async fn asked_while<F: Future>(scope: Stopper, future: F) -> F::Output {
    let mut future = pin!(future);
    let mut asks = None;
    std::future::poll_fn(|context| {
        let polled = future.as_mut().poll(context);
        if asks.is_none() {
            assert!(polled.is_pending(), "nothing has been requested");
            let scope = scope.clone();
            asks = Some(thread::spawn(move || assert!(scope.request_stop())));
        }
        polled
    })
    .await
}

per_backend! {
    fn a_task_waits_for_its_scope_and_for_those_above_it() {
        on_each(|| Box::pin(async {
            let service = Stopper::new();
            let session = service.child();
            asked_while(session.clone(), session.stopped()).await;
            assert!(!service.stop_requested());
            let other = service.child();
            asked_while(service, other.stopped()).await;
            // Stopped already.
            session.stopped().await;
        }));
    }

    fn a_task_runs_until_its_scope_is_stopped() {
        on_each(|| Box::pin(async {
            let job = Stopper::new();
            assert_eq!(job.run_until_stopped(ready(1)).await, Some(1));
            let other = job.clone();
            assert_eq!(asked_while(other, job.run_until_stopped(pending::<()>())).await, None);
            assert_eq!(job.run_until_stopped(ready(1)).await, None);
        }));
    }

    fn a_task_is_woken_by_a_deadline() {
        on_each(|| Box::pin(async {
            let job = Stopper::new();
            let deadline = Instant::now() + Duration::from_millis(5);
            job.request_stop_at(deadline);
            job.stopped().await;
            assert!(Instant::now() >= deadline);
        }));
    }

    fn a_guard_that_a_task_holds_stops_the_blocking_thread() {
        on_each(|| Box::pin(async {
            let owner = Stopper::new().stop_on_drop();
            let job = Stopper::clone(&owner);
            let worker = thread::spawn(move || {
                let (reader, _writer) = quiet();
                job.run(|| stopped(&reader)).cause()
            });
            drop(owner);
            assert_eq!(worker.join().unwrap(), Cause::Requested);
        }));
    }
}
