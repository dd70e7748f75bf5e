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
//! A call that has to wait selects between its channel and the stop channel of
//! its thread. A select completes one operation, so that a stopped `recv` has
//! taken no message and a stopped `send` has sent none.
//!
//! # Cost
//!
//! With a message or room there, a call is crossbeam's own and a test of the
//! flag. The first that waits starts one thread for the process, which sleeps
//! until a thread with a stop channel is requested to stop.

mod calls;
pub(crate) mod helper;

use crate::runtime::attach;
use crate::runtime::record::RecordRef;
use core::cell::RefCell;
use core::convert::Infallible;
use core::sync::atomic::Ordering;
use crossbeam_channel::{Receiver, bounded};

thread_local! {
    static MINE: RefCell<Option<Receiver<Infallible>>> = const { RefCell::new(None) };
}

/// Returns a channel that disconnects when a stop of the calling thread is requested.
///
/// Nothing is ever sent on it. In `select!` and `Select` it is one more operation.
///
/// It is level-triggered: once disconnected it stays so, and one that is asked
/// for after the request is disconnected from the start. `select!` picks one of
/// the operations that are ready at random; `select_biased!` with the stop
/// channel first prefers it.
///
/// It belongs to the thread that has asked for it, wherever it is used, and
/// disconnects at the end of that thread at the latest. A [`shield`](crate::shield())
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
    let record = attach::shared();
    let mine = |mine: &RefCell<Option<Receiver<Infallible>>>| {
        let mut mine = mine.borrow_mut();
        match &*mine {
            // In a forked child it is the parent's.
            Some(channel) if record.watched.load(Ordering::Relaxed) => channel.clone(),
            _ => mine.insert(open(&record)).clone(),
        }
    };
    // Late in the end of a thread there is nowhere to keep it.
    MINE.try_with(mine).unwrap_or_else(|_| open(&record))
}

fn open(record: &RecordRef) -> Receiver<Infallible> {
    // Of those kinds of channels whose two ends lock nothing in common: one
    // from before a fork can be dropped in the child.
    let (sender, receiver) = bounded(1);
    helper::add(record.clone(), sender);
    receiver
}
