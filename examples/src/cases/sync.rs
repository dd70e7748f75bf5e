//! Waiting for other threads: `stopruntime::sync`.

use super::ends::Shared;
use super::{Case, Fixture, MESSAGE, Moved, Outcome, expect, text};
use libc::{SYS_futex, SYS_futex_waitv};
use std::io;
use std::sync::{Arc, PoisonError};
use std::thread;
use stopruntime::Stopped;
use stopruntime::sync::mpsc::{channel, sync_channel};
use stopruntime::sync::{Condvar, Mutex, Semaphore, SemaphoreGuard};

pub(super) const CASES: &[Case] = &[
    of("sync::Mutex::lock", || Ok(locking())),
    of("sync::Condvar::wait_while", || Ok(waiting())),
    of("sync::Semaphore::acquire", || Ok(acquiring())),
    of("sync::mpsc::Receiver::recv", || Ok(receiving())),
    of("sync::mpsc::SyncSender::send", sending),
];

const fn of(name: &'static str, arrange: fn() -> io::Result<Fixture>) -> Case {
    Case::new(name, &[SYS_futex], arrange).on_ppoll(&[SYS_futex_waitv])
}

/// Of a call that does not fail.
fn outcome(result: Result<(), Stopped>, done: &str) -> Outcome {
    match result {
        Ok(()) => Outcome::Completed(done.into()),
        Err(stopped) => Outcome::Stopped(Moved { progress: stopped.progress(), taken: Vec::new() }),
    }
}

/// What another thread holds until the feed.
fn locking() -> Fixture {
    let mutex = Arc::new(Mutex::new(()));
    let (held, plain, free) = (mutex.clone(), mutex.clone(), mutex.clone());
    let (locked, is_locked) = std::sync::mpsc::channel();
    let (unlock, until) = std::sync::mpsc::channel::<()>();
    let holder = thread::spawn(move || {
        let _guard = held.lock();
        locked.send(()).expect("the arrangement waits for it");
        // Ends when the other end is dropped.
        until.recv().unwrap_err();
    });
    is_locked.recv().expect("the holder says so");
    Fixture {
        marked: Box::new(move || outcome(mutex.lock_or_stop().map(drop), "locked")),
        feed: Box::new(move || {
            drop(unlock);
            holder.join().map_err(|_| io::Error::other("the holder panicked"))?;
            Ok("locked".into())
        }),
        plain: Box::new(move |_| {
            drop(plain.lock());
            Ok("locked".into())
        }),
        verify: Box::new(move |_| expect(free.try_lock().is_ok(), || "still locked".into())),
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
