//! Channels of the crate `crossbeam_channel` whose waits can be stopped, and
//! [`stop_channel`] for its `select!`. Feature `crossbeam-channel`.
//!
//! `receiver.recv()`, `recv_timeout`, `recv_deadline`, `sender.send(…)`,
//! `send_timeout` and `send_deadline` can be marked, as can a loop over a
//! receiver:
//!
//! ```
//! use crossbeam_channel::{Receiver, bounded};
//! use stopruntime::{stoppable, thread};
//!
//! #[stoppable]
//! fn sum(numbers: Receiver<u64>) -> u64 {
//!     let mut sum = 0;
//!     #[blocking(break)]
//!     for number in &numbers {
//!         sum += number;
//!     }
//!     sum
//! }
//!
//! let (sender, receiver) = bounded(0);
//! let adder = thread::spawn(move || sum(receiver));
//! sender.send(2)?;
//! adder.request_stop();
//! assert_eq!(adder.join().unwrap(), 2);
//! # Ok::<(), crossbeam_channel::SendError<u64>>(())
//! ```
//!
//! A call that has to wait selects between its channel and one by which it is told that
//! its thread may have to stop. A select completes one operation, so that a stopped
//! `recv` has taken no message and a stopped `send` has sent none.
//!
//! # Cost
//!
//! With a message or room there, a call is crossbeam's own and a test of the
//! flag. The first that waits starts one thread for the process, which sleeps
//! until something is stopped.

mod calls;

use crate::runtime::attach;
use crate::runtime::scopes::callbacks::{self, What};
use crate::runtime::scopes::cell::ScopeRef;
use crate::runtime::slot;
use crate::scope::Stopper;
use core::cell::RefCell;
use core::convert::Infallible;
use core::sync::atomic::{Ordering, fence};
use crossbeam_channel::{Receiver, bounded};

/// What a thread keeps. A forked child finds its parent's, which it must not use.
#[derive(Default)]
struct Mine {
    process: usize,
    stop: Option<Receiver<Infallible>>,
    hint: Option<Receiver<()>>,
}

thread_local! {
    static MINE: RefCell<Mine> = RefCell::default();
}

/// The thread's own, if it is of this process.
fn kept<R>(channel: impl FnOnce(&mut Mine) -> R) -> Option<R> {
    let process = callbacks::identity();
    // Late in the end of a thread there is nowhere to keep it.
    let kept = MINE.try_with(|mine| {
        let mut mine = mine.borrow_mut();
        if mine.process != process {
            *mine = Mine { process, ..Mine::default() };
        }
        channel(&mut mine)
    });
    kept.ok()
}

/// Returns a channel that disconnects when the innermost scope of the calling code is
/// stopped.
///
/// That is the job that the code is part of ([`Stopper::run`]), or its thread.
///
/// Nothing is ever sent on it. In `select!` and `Select` it is one more operation.
///
/// It is level-triggered: once disconnected it stays so, and one that is asked
/// for after the request is disconnected from the start. `select!` picks one of
/// the operations that are ready at random; `select_biased!` with the stop
/// channel first prefers it.
///
/// It belongs to the scope in which it was asked for, wherever it is used, and
/// disconnects at the end of that thread at the latest, or some time after the last
/// handle of that scope has gone. A [`shield`](crate::shield())
/// does not change it: under a shield, leave it out. In a forked child it
/// does not disconnect: ask for another there.
///
/// # Panics
///
/// If the thread that disconnects these channels cannot be started.
///
/// # Examples
///
/// ```
/// use crossbeam_channel::{Receiver, bounded, select};
/// use stopruntime::crossbeam::stop_channel;
/// use stopruntime::thread;
///
/// fn serve(requests: Receiver<u32>, ticks: Receiver<()>) -> u32 {
///     let stop = stop_channel();
///     let mut served = 0;
///     loop {
///         select! {
///             recv(requests) -> request => match request {
///                 Ok(_) => served += 1,
///                 Err(_) => break served,
///             },
///             recv(ticks) -> _tick => {}
///             recv(stop) -> _ => break served,
///         }
///     }
/// }
/// # let (sender, requests) = bounded(0);
/// # let (_ticker, ticks) = bounded(0);
/// # let server = thread::spawn(move || serve(requests, ticks));
/// # sender.send(1)?;
/// # server.request_stop();
/// # assert_eq!(server.join().unwrap(), 1);
/// # Ok::<(), crossbeam_channel::SendError<u32>>(())
/// ```
#[must_use]
pub fn stop_channel() -> Receiver<Infallible> {
    let scope = Stopper::current().into_scope();
    let is_own = slot::own()
        .is_some_and(|own| core::ptr::from_ref(&own.own) == core::ptr::from_ref(&*scope));
    let open = || stopped_with(&scope);
    let keep = |mine: &mut Mine| mine.stop.get_or_insert_with(open).clone();
    if is_own { kept(keep).unwrap_or_else(open) } else { open() }
}

fn stopped_with(scope: &ScopeRef) -> Receiver<Infallible> {
    // Of those kinds of channels whose two ends lock nothing in common: one
    // from before a fork can be dropped in the child.
    let (sender, receiver) = bounded::<Infallible>(1);
    callbacks::add(scope, What::Drop(Box::new(sender)));
    receiver
}

/// A channel that has a message when the flag of the thread has been set since.
fn hint() -> Receiver<()> {
    kept(|mine| mine.hint.get_or_insert_with(told).clone()).unwrap_or_else(told)
}

fn told() -> Receiver<()> {
    let record = attach::shared();
    let (sender, receiver) = bounded(1);
    callbacks::hint(
        record.scope().clone(),
        Box::new(move || {
            // Full: it has not looked yet.
            let _ = sender.try_send(());
        }),
    );
    record.hinted.store(true, Ordering::SeqCst);
    // Now the flag can be looked at.
    fence(Ordering::SeqCst);
    receiver
}
