//! `Once` and `OnceLock`.

use super::{Waiter, seconds, stop_some_while, stopped_while_it_waits};
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Instant;
use stop_tests::dice::Dice;
use stop_tests::{FUTEXES, on_backends};
use stopruntime::sync::{Once, OnceLock};
use stopruntime::{Stopped, Stopper, stoppable, thread};

/// What an initialiser comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Value,
    Error,
    Panic,
}

impl End {
    fn come(self) -> Result<u32, ()> {
        match self {
            End::Value => Ok(1),
            End::Error => Err(()),
            // Without the message of a panic.
            End::Panic => std::panic::resume_unwind(Box::new(())),
        }
    }
}

/// Starts an initialiser, which runs until the sender is dropped, and then
/// comes to this end.
fn initialiser(cell: &Arc<OnceLock<u32>>, end: End) -> (mpsc::Sender<()>, Waiter<()>) {
    let (running, is_running) = mpsc::channel();
    let (finish, until) = mpsc::channel::<()>();
    let theirs = Arc::clone(cell);
    let waiter = Waiter::start(move || {
        let result = std::panic::catch_unwind(|| {
            theirs.get_or_try_init(|| {
                running.send(()).unwrap();
                until.recv().unwrap_err();
                end.come()
            }) == Ok(&1)
        });
        assert_eq!(result.unwrap_or(false), end == End::Value);
    });
    is_running.recv().unwrap();
    (finish, waiter)
}

on_backends! { FUTEXES;
    fn a_wait_for_another_threads_initialiser_is_stopped() {
        let cell = Arc::new(OnceLock::new());
        let (finish, running) = initialiser(&cell, End::Value);
        for form in 0..4 {
            let theirs = Arc::clone(&cell);
            assert!(stopped_while_it_waits(move || match form {
                0 => theirs.get_or_init_or_stop(|| 2).is_err(),
                1 => theirs.get_or_try_init_or_stop(|| Err(())).is_err(),
                2 => theirs.set_or_stop(2).is_err(),
                _ => theirs.wait_or_stop().is_err(),
            }));
        }
        assert_eq!(cell.get(), None);
        drop(finish);
        running.handle.join().unwrap();
        assert_eq!(cell.get(), Some(&1));
    }

    fn what_is_there_goes_before_a_request_that_came_first() {
        let (cell, once) = (OnceLock::from(1), Once::new());
        once.call_once(|| ());
        Stopper::current().request_stop();
        assert_eq!(cell.get_or_init_or_stop(|| 2), Ok(&1));
        assert_eq!(cell.get_or_try_init_or_stop(|| Err(())), Ok(Ok(&1)));
        assert_eq!(cell.set_or_stop(2), Ok(Err(2)));
        assert_eq!(cell.wait_or_stop(), Ok(&1));
        assert!(once.call_once_or_stop(|| unreachable!()).is_ok());
        assert!(once.call_once_force_or_stop(|_| unreachable!()).is_ok());
        assert!(once.wait_or_stop().is_ok() && once.wait_force_or_stop().is_ok());
    }

    fn a_request_that_came_first_lets_no_initialiser_begin() {
        let (cell, once) = (OnceLock::<u32>::new(), Once::new());
        Stopper::current().request_stop();
        assert!(cell.get_or_init_or_stop(|| unreachable!()).is_err());
        assert!(cell.set_or_stop(2).is_err());
        assert!(cell.wait_or_stop().is_err());
        assert!(once.call_once_or_stop(|| unreachable!()).is_err());
        assert!(once.try_call_once_or_stop(|| -> Result<(), ()> { unreachable!() }).is_err());
        assert!(once.wait_or_stop().is_err() && once.wait_force_or_stop().is_err());
        assert!(cell.get().is_none() && !once.is_completed());
    }

    /// A closure that can say that it was stopped half-way does not count as run.
    fn a_closure_that_was_stopped_half_way_is_not_the_one() {
        use stopruntime::sync::mpsc as mpsc_of_ours;
        #[stoppable]
        fn warm_up(once: &Once, numbers: &mpsc_of_ours::Receiver<u32>) -> Result<(), Stopped> {
            #[blocking]
            once.try_call_once(|| -> Result<(), Stopped> {
                blocking!(numbers.recv()).unwrap();
                Ok(())
            })
        }
        let once = Arc::new(Once::new());
        let (sender, numbers) = mpsc_of_ours::channel();
        let (theirs, other) = (Arc::clone(&once), numbers.clone());
        assert!(stopped_while_it_waits(move || warm_up(&theirs, &other)).is_err());
        assert!(!once.is_completed());
        assert_eq!(once.try_call_once(|| Err(1)), Err(1));
        sender.send(3).unwrap();
        assert_eq!(warm_up(&once, &numbers), Ok(()));
        assert!(once.is_completed());
        assert_eq!(once.try_call_once(|| Err(1)), Ok(()));
    }

    /// The next in line runs its own, whether the one before it panicked, failed
    /// or was stopped in a marked call.
    fn the_next_in_line_takes_over() {
        #[stoppable]
        fn open(cell: &OnceLock<u32>, numbers: &mpsc_of_ours::Receiver<u32>) -> Result<u32, Stopped> {
            let number = cell.get_or_try_init(|| {
                #[blocking]
                let number = numbers.recv().unwrap();
                Ok::<u32, Stopped>(number)
            })?;
            Ok(*number)
        }
        use stopruntime::sync::mpsc as mpsc_of_ours;

        for end in [End::Panic, End::Error] {
            let cell = Arc::new(OnceLock::new());
            let (finish, first) = initialiser(&cell, end);
            let theirs = Arc::clone(&cell);
            let second = Waiter::start(move || *theirs.get_or_init_or_stop(|| 2).unwrap());
            second.settle();
            drop(finish);
            first.handle.join().unwrap();
            assert_eq!(second.handle.join().unwrap(), 2, "{end:?}");
        }
        let cell = Arc::new(OnceLock::new());
        let (_sender, receiver) = mpsc_of_ours::channel();
        let theirs = Arc::clone(&cell);
        let first = Waiter::start(move || open(&theirs, &receiver).is_err());
        first.settle();
        let theirs = Arc::clone(&cell);
        let second = Waiter::start(move || *theirs.get_or_init(|| 2));
        second.settle();
        assert!(first.handle.stop_and_join().unwrap());
        assert_eq!(second.handle.join().unwrap(), 2);
    }

    fn a_panic_poisons_a_once_as_std_does() {
        let once = Arc::new(Once::new());
        let theirs = Arc::clone(&once);
        let waiter = Waiter::start(move || theirs.wait_force());
        waiter.settle();
        let theirs = Arc::clone(&once);
        let died = thread::spawn(move || theirs.call_once(|| End::Panic.come().map(drop).unwrap()));
        assert!(died.join().is_err() && !once.is_completed());
        let theirs = Arc::clone(&once);
        assert!(thread::spawn(move || theirs.call_once_or_stop(|| ())).join().is_err());
        let theirs = Arc::clone(&once);
        assert!(thread::spawn(move || theirs.wait()).join().is_err());
        once.call_once_force(|state| assert!(state.is_poisoned()));
        assert!(once.is_completed());
        waiter.handle.join().unwrap();
        once.wait();
        once.call_once_force(|_| unreachable!());
    }

    fn marked_forms_are_stopped() {
        #[stoppable]
        fn get(cell: &OnceLock<u32>) -> Option<u32> {
            #[blocking]
            let number = *cell.get_or_init(|| 2);
            Some(number)
        }
        #[stoppable]
        fn start(once: &Once, started: &AtomicU32) -> Result<(), Stopped> {
            #[blocking]
            once.call_once(|| { started.fetch_add(1, Ordering::Relaxed); });
            Ok(())
        }
        let cell = Arc::new(OnceLock::new());
        let (finish, running) = initialiser(&cell, End::Value);
        let theirs = Arc::clone(&cell);
        assert_eq!(stopped_while_it_waits(move || get(&theirs)), None);
        drop(finish);
        running.handle.join().unwrap();
        assert_eq!(get(&cell), Some(1));

        let (once, started) = (Arc::new(Once::new()), AtomicU32::new(0));
        start(&once, &started).unwrap();
        start(&once, &started).unwrap();
        assert_eq!(started.load(Ordering::Relaxed), 1);
    }

    fn the_value_is_handed_out_and_dropped_once() {
        let value = Arc::new(());
        let mut cell = OnceLock::new();
        assert!(cell.get_mut().is_none() && cell.take().is_none());
        assert_eq!(cell.set(Arc::clone(&value)), Ok(()));
        assert_eq!(cell.set(Arc::clone(&value)), Err(Arc::clone(&value)));
        let copy = cell.clone();
        assert_eq!(copy, cell);
        assert_eq!(Arc::strong_count(&value), 3);
        assert_eq!(cell.take(), Some(Arc::clone(&value)));
        assert_eq!((cell.get(), Arc::strong_count(&value)), (None, 2));
        assert_eq!(cell.get_or_init(|| Arc::clone(&value)), &value);
        drop(copy);
        assert!(cell.into_inner().is_some());
        assert_eq!(Arc::strong_count(&value), 1);
    }

    /// One value, made by one thread, and every thread that is not stopped gets it,
    /// whatever becomes of the initialisers before.
    fn cells_under_random_stops() {
        let mut dice = Dice::new();
        let (mut rounds, mut stopped) = (0_u32, 0_u32);
        let until = Instant::now() + seconds();
        while Instant::now() < until {
            let cell = Arc::new(OnceLock::new());
            let end = match dice.below(3) {
                0 => End::Value,
                1 => End::Error,
                _ => End::Panic,
            };
            let (finish, first) = initialiser(&cell, end);
            let made = Arc::new(AtomicU32::new(0));
            let busy = Arc::new(AtomicBool::new(false));
            let waiters = (0..7).map(|_| {
                let theirs = Arc::clone(&cell);
                let (made, busy) = (Arc::clone(&made), Arc::clone(&busy));
                let only_waits = dice.chance(4);
                Waiter::start(move || {
                    if only_waits {
                        return theirs.wait_or_stop().copied();
                    }
                    theirs.get_or_init_or_stop(|| {
                        assert!(!busy.swap(true, Ordering::SeqCst));
                        std::thread::yield_now();
                        assert!(busy.swap(false, Ordering::SeqCst));
                        made.fetch_add(1, Ordering::SeqCst) + 2
                    }).copied()
                })
            }).collect();
            let let_go = || {
                drop(finish);
                first.settle();
                // No other thread may be left to make one for those that only wait.
                if end != End::Value {
                    cell.get_or_init(|| 2);
                }
            };
            for (outcome, requested) in stop_some_while(&mut dice, waiters, let_go) {
                assert!(outcome.is_ok() || requested);
                assert_eq!(outcome.unwrap_or(cell.get().copied().unwrap()), cell.get().copied().unwrap());
                stopped += u32::from(outcome.is_err());
            }
            first.handle.join().unwrap();
            assert!(made.load(Ordering::SeqCst) <= u32::from(end != End::Value));
            rounds += 1;
        }
        println!("{rounds} rounds, {stopped} stops");
    }
}
