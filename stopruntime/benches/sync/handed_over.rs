//! Waits that block: two threads on one core hand something to each other and back, so
//! that each turn is two waits and two wake-ups.
//!
//! The stop-checked columns wait on the thread's flag as well, which the plain ones do
//! not: the price of that is their ratio.

use super::{row, sync};
use std::thread;
use stopruntime::sync as ours;

#[path = "../table/mod.rs"]
mod table;

pub(super) fn bench() {
    // The other threads inherit it.
    table::pin(0);
    semaphore();
    channel();
}

/// A thread that makes the other one's turns until the bench ends, and what makes ours.
fn between(
    mut theirs: impl FnMut() + Send + 'static,
    mine: impl FnMut() + 'static,
) -> impl FnMut(u32) {
    // For ever: without it the other thread's channels would have no other end.
    let mine = Box::leak(Box::new(mine));
    thread::spawn(move || {
        loop {
            theirs();
        }
    });
    move |turns| {
        for _ in 0..turns {
            mine();
        }
    }
}

/// Of two places that never go away.
fn permits<T: Sync + 'static>(places: [T; 2], take: fn(&T), give: fn(&T)) -> impl FnMut(u32) {
    let [there, back] = Box::leak(Box::new(places));
    let (there, back) = (&*there, &*back);
    between(
        move || {
            take(there);
            give(back);
        },
        move || {
            give(there);
            take(back);
        },
    )
}

fn semaphore() {
    let semaphores = || [ours::Semaphore::new(0), ours::Semaphore::new(0)];
    let mut stopped = permits(
        semaphores(),
        |place| place.acquire_or_stop().unwrap().forget(),
        ours::Semaphore::release,
    );
    let mut plain =
        permits(semaphores(), |place| place.acquire().forget(), ours::Semaphore::release);
    let mut std = permits(
        [const { (sync::Mutex::new(0_u32), sync::Condvar::new()) }; 2],
        |(permits, changed)| {
            let permits = permits.lock().unwrap();
            *changed.wait_while(permits, |permits| *permits == 0).unwrap() -= 1;
        },
        |(permits, changed)| {
            *permits.lock().unwrap() += 1;
            changed.notify_one();
        },
    );
    row(
        "Semaphore: hand-over on one core",
        &mut [
            ("stopruntime, or_stop", &mut stopped),
            ("stopruntime", &mut plain),
            ("std's Mutex and Condvar", &mut std),
        ],
    );
}

/// A message there and back.
macro_rules! messages {
    ($channel:expr, $take:ident $($unwrap:ident)?) => {{
        let ((there, theirs), (back, mine)) = ($channel, $channel);
        between(
            move || {
                theirs.$take().unwrap()$(.$unwrap())?;
                back.send(()).unwrap();
            },
            move || {
                there.send(()).unwrap();
                mine.$take().unwrap()$(.$unwrap())?;
            },
        )
    }};
}

fn channel() {
    let mut stopped = messages!(ours::mpsc::channel(), recv_or_stop unwrap);
    let mut plain = messages!(ours::mpsc::channel(), recv);
    let mut std = messages!(sync::mpsc::channel(), recv);
    let mut crossbeam = messages!(crossbeam_channel::unbounded(), recv);
    row(
        "unbounded channel: hand-over on one core",
        &mut [
            ("stopruntime, or_stop", &mut stopped),
            ("stopruntime", &mut plain),
            ("std", &mut std),
            ("crossbeam-channel", &mut crossbeam),
        ],
    );
}
