//! What happens when a scope is stopped: callbacks, futures, guards.

mod expanded;

use super::wait_for_rest_of;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};
use stop_tests::{part_of, per_backend};
use stopruntime::{OnStop, Stopper};

/// Unparks its thread.
struct Unpark(thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on this thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
    }
}

per_backend! {
    fn a_callback_runs_once_on_another_thread() {
        let service = Stopper::new();
        let (sender, receiver) = mpsc::channel();
        // Of a scope that is stopped by the one above it.
        let _on_stop = service.child().on_stop(move || sender.send(thread::current().id()).unwrap());
        assert!(receiver.try_recv().is_err());
        // Else it would look at what there is by itself.
        wait_for_rest_of("stop-callbacks");
        service.request_stop();
        service.request_stop();
        assert_ne!(receiver.recv().unwrap(), thread::current().id());
        assert!(receiver.recv().is_err());
    }

    fn of_a_stopped_scope_it_runs_at_once() {
        let job = Stopper::new();
        job.request_stop();
        let ran = Arc::new(AtomicBool::new(false));
        let here = thread::current().id();
        let theirs = Arc::clone(&ran);
        let on_stop =
            job.on_stop(move || theirs.store(thread::current().id() == here, Ordering::Relaxed));
        assert!(ran.load(Ordering::Relaxed));
        drop(on_stop);
    }

    fn a_withdrawn_one_does_not_run() {
        let job = Stopper::new();
        let held = Arc::new(());
        let on_stop = job.on_stop({
            let held = Arc::clone(&held);
            move || {
                drop(held);
                unreachable!("withdrawn")
            }
        });
        drop(on_stop);
        assert_eq!(Arc::strong_count(&held), 1);
        job.request_stop();
        // One that comes after it has run.
        let (sender, receiver) = mpsc::channel();
        let other = Stopper::new();
        let _other = other.on_stop(move || sender.send(()).unwrap());
        other.request_stop();
        receiver.recv().unwrap();
    }

    fn withdrawing_one_that_runs_waits_for_it() {
        for _ in 0..part_of(200) {
            let job = Stopper::new();
            let (begun, has_begun) = mpsc::channel();
            let (go, gone) = mpsc::channel::<()>();
            let ended = Arc::new(AtomicBool::new(false));
            let theirs = Arc::clone(&ended);
            let on_stop = job.on_stop(move || {
                begun.send(()).unwrap();
                gone.recv().unwrap();
                theirs.store(true, Ordering::Relaxed);
            });
            job.request_stop();
            has_begun.recv().unwrap();
            let goes = thread::spawn(move || go.send(()).unwrap());
            drop(on_stop);
            assert!(ended.load(Ordering::Relaxed));
            goes.join().unwrap();
        }
    }

    fn a_callback_may_withdraw_itself() {
        let job = Stopper::new();
        let place: Arc<Mutex<Option<OnStop>>> = Arc::default();
        let (sender, receiver) = mpsc::channel();
        let theirs = Arc::clone(&place);
        *place.lock().unwrap() = Some(job.on_stop(move || {
            drop(theirs.lock().unwrap().take());
            sender.send(()).unwrap();
        }));
        job.request_stop();
        receiver.recv().unwrap();
    }

    fn a_panic_in_one_does_not_keep_the_next_from_running() {
        let job = Stopper::new();
        let (sender, receiver) = mpsc::channel();
        let _first = job.on_stop(|| panic!("in a callback"));
        let _second = job.on_stop(move || sender.send(()).unwrap());
        job.request_stop();
        receiver.recv().unwrap();
    }

    fn a_callback_may_borrow() {
        let ran = AtomicU32::new(0);
        let job = Stopper::new();
        let twice = |job: &Stopper| {
            job.with_on_stop(|| {
                ran.fetch_add(1, Ordering::Relaxed);
            }, || job.request_stop())
        };
        assert!(twice(&job));
        // It has run when this returns, or will not.
        let after = ran.load(Ordering::Relaxed);
        assert!(!twice(&job));
        assert_eq!(ran.load(Ordering::Relaxed), after + 1);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let fresh = Stopper::new();
            fresh.with_on_stop(|| {
                ran.fetch_add(100, Ordering::Relaxed);
            }, || {
                panic!("in the body")
            })
        }));
        assert!(panicked.is_err());
        assert!(ran.load(Ordering::Relaxed) < 100);
    }

    fn requests_and_withdrawals_at_the_same_instant() {
        let mut ran = 0;
        for _ in 0..part_of(5_000) {
            let job = Stopper::new();
            let barrier = Barrier::new(2);
            let called = AtomicU32::new(0);
            thread::scope(|scope| {
                scope.spawn(|| {
                    barrier.wait();
                    job.request_stop();
                });
                job.with_on_stop(|| {
                called.fetch_add(1, Ordering::Relaxed);
            }, || {
                    barrier.wait();
                });
                ran += called.load(Ordering::Relaxed);
            });
            assert!(called.load(Ordering::Relaxed) <= 1);
        }
        println!("{ran} ran");
    }

    fn a_deadline_calls_too() {
        let job = Stopper::new();
        let (sender, receiver) = mpsc::channel();
        let _on_stop = job.child().on_stop(move || sender.send(Instant::now()).unwrap());
        let at = Instant::now() + Duration::from_millis(5);
        job.request_stop_at(at);
        assert!(receiver.recv().unwrap() >= at);
        // One that had it before.
        let job = Stopper::new();
        let at = Instant::now() + Duration::from_millis(5);
        job.request_stop_at(at);
        let (sender, receiver) = mpsc::channel();
        let _on_stop = job.on_stop(move || sender.send(Instant::now()).unwrap());
        assert!(receiver.recv().unwrap() >= at);
    }

    fn a_future_is_ready_when_the_scope_is_stopped() {
        let job = Stopper::new();
        let stopper = job.clone();
        let asks = thread::spawn(move || stopper.request_stop());
        block_on(job.stopped());
        block_on(job.child().stopped());
        asks.join().unwrap();
        // Dropped, it leaves no waker.
        let waker = Arc::new(Unpark(thread::current()));
        let other = Stopper::new();
        {
            let mut stopped = pin!(other.stopped());
            let waker = Waker::from(Arc::clone(&waker));
            assert!(stopped.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            assert!(stopped.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        assert_eq!(Arc::strong_count(&waker), 1);
    }

    fn a_guard_stops_its_scope() {
        let guard = Stopper::new().stop_on_drop();
        let job = Stopper::clone(&guard);
        assert!(!guard.stop_requested());
        drop(guard);
        assert!(job.stop_requested());
        let kept = Stopper::new().stop_on_drop().into_stopper();
        assert!(!kept.stop_requested());
    }

    fn a_forked_child_has_callbacks_of_its_own() {
        let job = Stopper::new();
        let (sender, _receiver) = mpsc::channel();
        let inherited = job.on_stop(move || sender.send(()).unwrap());
        // SAFETY: the child makes few calls, of this thread alone, and ends.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let own = Stopper::new();
            let ran = own.clone();
            let _on_stop = own.on_stop(move || {
                ran.request_stop_because("ran");
            });
            own.request_stop();
            drop(inherited);
            let (sender, receiver) = mpsc::channel();
            let other = Stopper::new();
            let _other = other.on_stop(move || sender.send(()).unwrap());
            other.request_stop();
            let fine = receiver.recv_timeout(Duration::from_secs(60)).is_ok();
            // SAFETY: ends the child.
            unsafe { libc::_exit(i32::from(!fine)) };
        }
        let mut status = 0;
        // SAFETY: a place for the status.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert_eq!(status, 0);
    }
}
