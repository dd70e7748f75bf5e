//! The plain forms of `sync`, small enough for Miri, which looks at each access
//! to the data behind them: `cargo +nightly miri test -p stopruntime --test
//! plain`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;
use stopruntime::sync::{Barrier, Condvar, Mutex, OnceLock, RwLock, Semaphore, mpsc};

const THREADS: usize = 3;
const TURNS: usize = 20;

/// Runs it in some threads at once.
fn together(work: impl Fn(usize) + Sync) {
    thread::scope(|scope| {
        for at in 0..THREADS {
            let work = &work;
            scope.spawn(move || work(at));
        }
    });
}

#[test]
fn a_mutex_orders_its_data() {
    let sum = Mutex::new(0_usize);
    together(|_| (0..TURNS).for_each(|_| *sum.lock().unwrap() += 1));
    assert_eq!(sum.into_inner().unwrap(), THREADS * TURNS);
}

#[test]
fn a_read_write_lock_orders_its_data() {
    let pair = RwLock::new((0_usize, 0_usize));
    together(|_| {
        for _ in 0..TURNS {
            let read = pair.read().unwrap();
            assert_eq!(read.0, read.1);
            drop(read);
            let mut both = pair.write().unwrap();
            both.0 += 1;
            both.1 += 1;
        }
    });
    assert_eq!(pair.into_inner().unwrap(), (THREADS * TURNS, THREADS * TURNS));
}

#[test]
fn a_condvar_hands_over() {
    let (turn, changed) = (Mutex::new(0), Condvar::new());
    together(|at| {
        for _ in 0..TURNS {
            let mine = |turn: &mut usize| *turn % THREADS != at;
            *changed.wait_while(turn.lock().unwrap(), mine).unwrap() += 1;
            changed.notify_all();
        }
    });
    assert_eq!(turn.into_inner().unwrap(), THREADS * TURNS);
}

#[test]
fn a_semaphore_lets_as_many_in_as_it_has_permits() {
    let (places, inside) = (Semaphore::new(2), AtomicU32::new(0));
    together(|_| {
        for _ in 0..TURNS {
            let _permit = places.acquire();
            assert!(inside.fetch_add(1, Ordering::SeqCst) < 2);
            thread::yield_now();
            inside.fetch_sub(1, Ordering::SeqCst);
        }
    });
    assert_eq!(places.available(), 2);
}

#[test]
fn a_barrier_has_one_leader_a_round() {
    let (barrier, leaders) = (Barrier::new(THREADS), AtomicU32::new(0));
    together(|_| {
        for _ in 0..TURNS {
            if barrier.wait().is_leader() {
                leaders.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    assert_eq!(leaders.into_inner() as usize, TURNS);
}

#[test]
fn a_value_is_initialised_once() {
    let (value, calls) = (OnceLock::new(), AtomicU32::new(0));
    together(|_| {
        let made = value.get_or_init(|| {
            calls.fetch_add(1, Ordering::Relaxed);
            vec![1, 2, 3]
        });
        assert_eq!(made.len(), 3);
    });
    assert_eq!(calls.into_inner(), 1);
}

#[test]
fn messages_arrive_once_whatever_the_bound() {
    for bound in [0, 1, 4] {
        let (sender, receiver) = mpsc::sync_channel::<Box<usize>>(bound);
        sums(
            &receiver,
            || {
                let sender = sender.clone();
                move |number| sender.send(Box::new(number)).unwrap()
            },
            || drop(sender.clone()),
        );
        drop(sender);
        assert!(receiver.recv().is_err());
    }
    let (sender, receiver) = mpsc::channel::<Box<usize>>();
    sums(
        &receiver,
        || {
            let sender = sender.clone();
            move |number| sender.send(Box::new(number)).unwrap()
        },
        || drop(sender.clone()),
    );
    // What is left when both ends have gone is dropped with them.
    sender.send(Box::new(1)).unwrap();
    assert!(receiver.recv_timeout(Duration::from_secs(1)).is_ok());
    sender.send(Box::new(2)).unwrap();
}

fn sums<S: FnMut(usize) + Send>(
    receiver: &mpsc::Receiver<Box<usize>>,
    sender: impl Fn() -> S,
    also: impl Fn(),
) {
    let total = Arc::new(AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let mut send = sender();
            scope.spawn(move || (1..=TURNS).for_each(&mut send));
        }
        for _ in 0..2 {
            let (receiver, total) = (receiver.clone(), Arc::clone(&total));
            scope.spawn(move || {
                for _ in 0..THREADS * TURNS / 2 {
                    let number = *receiver.recv().unwrap();
                    total.fetch_add(u32::try_from(number).unwrap(), Ordering::Relaxed);
                }
            });
        }
        also();
    });
    let sum = THREADS * (TURNS * (TURNS + 1) / 2);
    assert_eq!(total.load(Ordering::Relaxed) as usize, sum);
}
