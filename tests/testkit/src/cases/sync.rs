//! Waiting for other threads: `stopruntime::sync`.

use super::ends::Shared;
use super::{Case, Fixture, MESSAGE, Moved, Outcome, expect, text};
use libc::{SYS_futex, SYS_futex_waitv};
use std::io;
use std::sync::{Arc, PoisonError};
use std::thread;
use stopruntime::Stopped;
use stopruntime::sync::mpsc::{channel, sync_channel};
use stopruntime::sync::{Condvar, Mutex, OnceLock, RwLock, Semaphore, SemaphoreGuard};

pub(super) const CASES: &[Case] = &[
    of("sync::Mutex::lock", || Ok(locking())),
    of("sync::RwLock::read", || Ok(reading())),
    of("sync::RwLock::write", || Ok(writing())),
    of("sync::OnceLock::get_or_init", || Ok(initialising())).before_a_stop(),
    of("sync::Condvar::wait_while", || Ok(waiting())).before_a_stop(),
    of("sync::Semaphore::acquire", || Ok(acquiring())),
    of("sync::mpsc::Receiver::recv", || Ok(receiving())),
    of("sync::mpsc::SyncSender::send", sending),
];

const fn of(name: &'static str, arrange: fn() -> io::Result<Fixture>) -> Case {
    Case::new(name, &[SYS_futex_waitv, SYS_futex], arrange)
}

/// Of a call that does not fail.
fn outcome(result: Result<(), Stopped>, done: &'static str) -> Outcome {
    outcome_of(result.map(|()| done))
}

/// As [`outcome`], of one that returns something.
fn outcome_of(result: Result<&'static str, Stopped>) -> Outcome {
    match result {
        Ok(done) => Outcome::Completed(done.into()),
        Err(stopped) => Outcome::Stopped(Moved { progress: stopped.progress(), taken: Vec::new() }),
    }
}

/// A thread that holds something until it is told to let go.
struct Holder {
    let_go: std::sync::mpsc::Sender<()>,
    thread: thread::JoinHandle<()>,
}

impl Holder {
    /// `hold` says when it has it, and then holds it until the receiver fails.
    fn start<H>(hold: H) -> Holder
    where
        H: FnOnce(&dyn Fn()) + Send + 'static,
    {
        let (said, says_so) = std::sync::mpsc::channel();
        let (let_go, until) = std::sync::mpsc::channel::<()>();
        let thread = thread::spawn(move || {
            hold(&|| {
                said.send(()).expect("the arrangement waits for it");
                // Ends when the other end is dropped.
                until.recv().unwrap_err();
            });
        });
        says_so.recv().expect("the holder says so");
        Holder { let_go, thread }
    }

    fn end(self) -> io::Result<()> {
        drop(self.let_go);
        self.thread.join().map_err(|_| io::Error::other("the holder panicked"))
    }
}

/// What another thread holds until the feed.
fn locking() -> Fixture {
    let mutex = Arc::new(Mutex::new(()));
    let (held, plain, free) = (mutex.clone(), mutex.clone(), mutex.clone());
    let holder = Holder::start(move |hold| {
        let _guard = held.lock();
        hold();
    });
    Fixture {
        marked: Box::new(move || outcome(mutex.lock_or_stop().map(drop), "locked")),
        feed: Box::new(move || holder.end().map(|()| "locked".into())),
        plain: Box::new(move |_| {
            drop(plain.lock());
            Ok("locked".into())
        }),
        verify: Box::new(move |_| expect(free.try_lock().is_ok(), || "still locked".into())),
        keep: Box::new(()),
    }
}

/// What another thread writes until the feed.
fn reading() -> Fixture {
    let lock = Arc::new(RwLock::new(()));
    let (held, plain, free) = (lock.clone(), lock.clone(), lock.clone());
    let holder = Holder::start(move |hold| {
        let _guard = held.write();
        hold();
    });
    Fixture {
        marked: Box::new(move || outcome(lock.read_or_stop().map(drop), "read")),
        feed: Box::new(move || holder.end().map(|()| "read".into())),
        plain: Box::new(move |_| {
            drop(plain.read());
            Ok("read".into())
        }),
        verify: Box::new(move |_| expect(free.try_write().is_ok(), || "still locked".into())),
        keep: Box::new(()),
    }
}

/// What another thread reads until the feed.
fn writing() -> Fixture {
    let lock = Arc::new(RwLock::new(()));
    let (held, plain, free) = (lock.clone(), lock.clone(), lock.clone());
    let holder = Holder::start(move |hold| {
        let _guard = held.read();
        hold();
    });
    Fixture {
        marked: Box::new(move || outcome(lock.write_or_stop().map(drop), "written")),
        feed: Box::new(move || holder.end().map(|()| "written".into())),
        plain: Box::new(move |_| {
            drop(plain.write());
            Ok("written".into())
        }),
        verify: Box::new(move |_| expect(free.try_write().is_ok(), || "still locked".into())),
        keep: Box::new(()),
    }
}

/// What another thread initialises until the feed.
fn initialising() -> Fixture {
    let cell = Arc::new(OnceLock::new());
    let (held, plain, made) = (cell.clone(), cell.clone(), cell.clone());
    let holder = Holder::start(move |hold| {
        held.get_or_init(|| {
            hold();
            "theirs"
        });
    });
    Fixture {
        marked: Box::new(move || outcome_of(cell.get_or_init_or_stop(|| "ours").copied())),
        feed: Box::new(move || holder.end().map(|()| "theirs".into())),
        plain: Box::new(move |_| Ok((*plain.get_or_init(|| "ours")).into())),
        verify: Box::new(move |_| {
            expect(made.get() == Some(&"theirs"), || format!("it holds {made:?}"))
        }),
        keep: Box::new(()),
    }
}

fn waiting() -> Fixture {
    let pair = Arc::new((Mutex::new(0_u32), Condvar::new()));
    let (source, plain, left) = (pair.clone(), pair.clone(), pair.clone());
    Fixture {
        marked: Box::new(move || {
            let (count, changed) = &*pair;
            let guard = count.lock().unwrap_or_else(PoisonError::into_inner);
            let woken = changed.wait_while_or_stop(guard, |count| *count == 0);
            outcome(woken.map(|guard| *guard.unwrap_or_else(PoisonError::into_inner) -= 1), "woken")
        }),
        feed: Box::new(move || {
            *source.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            source.1.notify_one();
            Ok("woken".into())
        }),
        plain: Box::new(move |_| {
            let guard = plain.0.lock().unwrap_or_else(PoisonError::into_inner);
            let guard = plain.1.wait_while(guard, |count| *count == 0);
            *guard.unwrap_or_else(PoisonError::into_inner) -= 1;
            Ok("woken".into())
        }),
        verify: Box::new(move |_| {
            let count = *left.0.lock().unwrap_or_else(PoisonError::into_inner);
            expect(count == 0, || format!("the count is {count}"))
        }),
        keep: Box::new(()),
    }
}

fn acquiring() -> Fixture {
    let semaphore = Arc::new(Semaphore::new(0));
    let (source, plain, left) = (semaphore.clone(), semaphore.clone(), semaphore.clone());
    Fixture {
        marked: Box::new(move || {
            outcome(semaphore.acquire_or_stop().map(SemaphoreGuard::forget), "acquired")
        }),
        feed: Box::new(move || {
            source.release();
            Ok("acquired".into())
        }),
        plain: Box::new(move |_| {
            plain.acquire().forget();
            Ok("acquired".into())
        }),
        verify: Box::new(move |_| {
            let permits = left.available();
            expect(permits == 0, || format!("{permits} permits are left"))
        }),
        keep: Box::new(()),
    }
}

fn receiving() -> Fixture {
    let (sender, receiver) = channel();
    let receiver = Shared::new(receiver);
    let (plain, left) = (receiver.clone(), receiver.clone());
    Fixture {
        marked: Box::new(move || {
            let message = receiver.lock().recv_or_stop();
            Outcome::of(message.map(|message| message.map_err(io::Error::other)), Ok)
        }),
        feed: Box::new(move || {
            sender.send(text(MESSAGE)).map_err(io::Error::other)?;
            Ok(text(MESSAGE))
        }),
        plain: Box::new(move |_| plain.lock().recv().map_err(io::Error::other)),
        verify: Box::new(move |_| {
            let more = left.lock().try_recv();
            expect(more.is_err(), || format!("left over: {more:?}"))
        }),
        keep: Box::new(()),
    }
}

/// Into a channel that has no room; the feed makes room.
fn sending() -> io::Result<Fixture> {
    let (sender, receiver) = sync_channel(1);
    sender.send("filler").map_err(io::Error::other)?;
    let (sender, receiver) = (Shared::new(sender), Shared::new(receiver));
    let (plain, left) = (sender.clone(), receiver.clone());
    Ok(Fixture {
        marked: Box::new(move || {
            let sent = sender.lock().send_or_stop("message");
            Outcome::of(sent.map(|sent| sent.map_err(io::Error::other)), |()| Ok("sent".into()))
        }),
        feed: Box::new(move || {
            let first = receiver.lock().recv().map_err(io::Error::other)?;
            expect(first == "filler", || format!("{first:?} came first"))?;
            Ok("sent".into())
        }),
        plain: Box::new(move |_| {
            plain.lock().send("message").map_err(io::Error::other)?;
            Ok("sent".into())
        }),
        verify: Box::new(move |_| {
            let queue = left.lock();
            let got = [queue.try_recv().ok(), queue.try_recv().ok()];
            expect(got == [Some("message"), None], || format!("received: {got:?}"))
        }),
        keep: Box::new(()),
    })
}
