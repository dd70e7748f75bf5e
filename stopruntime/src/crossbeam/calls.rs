//! `recv` and `send` and their kin: crossbeam's own while there is nothing to
//! wait for, then a selection with the stop channel.

use super::hint;
use crate::expansion::{IntoIterOrStop, Iterable, NextOrStop};
use crate::ext::{ReceiverOrStop, SenderOrStop};
use crate::scope::{self, Stopped};
use crossbeam_channel::{
    Receiver, RecvError, RecvTimeoutError, Select, SendError, SendTimeoutError, Sender,
    TryRecvError, TrySendError, select,
};
use std::time::{Duration, Instant};

impl<T> ReceiverOrStop for Receiver<T> {
    type Message = T;
    type Disconnected = RecvError;
    type NotInTime = RecvTimeoutError;

    #[inline]
    fn recv_or_stop(&self) -> Result<Result<T, RecvError>, Stopped> {
        Ok(receive(self, || None)?.map_err(|_| RecvError))
    }

    fn recv_timeout_or_stop(
        &self,
        timeout: Duration,
    ) -> Result<Result<T, RecvTimeoutError>, Stopped> {
        receive(self, || Instant::now().checked_add(timeout))
    }

    fn recv_deadline_or_stop(
        &self,
        deadline: Instant,
    ) -> Result<Result<T, RecvTimeoutError>, Stopped> {
        receive(self, || Some(deadline))
    }
}

/// The deadline is asked for when there is something to wait for.
#[inline]
fn receive<T>(
    receiver: &Receiver<T>,
    deadline: impl FnOnce() -> Option<Instant>,
) -> Result<Result<T, RecvTimeoutError>, Stopped> {
    scope::check()?;
    match take(receiver) {
        Some(outcome) => Ok(outcome),
        None => wait_to_receive(receiver, deadline()),
    }
}

#[cold]
fn wait_to_receive<T>(
    receiver: &Receiver<T>,
    deadline: Option<Instant>,
) -> Result<Result<T, RecvTimeoutError>, Stopped> {
    if let Ok(outcome) = patiently(receiver.capacity(), (), |()| take(receiver).ok_or(())) {
        return Ok(outcome);
    }
    let hint = hint();
    loop {
        scope::check()?;
        select! {
            recv(receiver) -> message => {
                return Ok(message.map_err(|RecvError| RecvTimeoutError::Disconnected));
            }
            recv(hint) -> _ => {}
            default(left(deadline)) => return Ok(Err(RecvTimeoutError::Timeout)),
        }
    }
}

/// A message, or that none will come any more.
#[inline]
fn take<T>(receiver: &Receiver<T>) -> Option<Result<T, RecvTimeoutError>> {
    match receiver.try_recv() {
        Ok(message) => Some(Ok(message)),
        Err(TryRecvError::Disconnected) => Some(Err(RecvTimeoutError::Disconnected)),
        Err(TryRecvError::Empty) => None,
    }
}

impl<T> SenderOrStop for Sender<T> {
    type Message = T;
    type Disconnected = SendError<T>;
    type NotInTime = SendTimeoutError<T>;

    #[inline]
    fn send_or_stop(&self, message: T) -> Result<Result<(), SendError<T>>, Stopped> {
        Ok(send(self, message, || None)?.map_err(|error| SendError(error.into_inner())))
    }

    fn send_timeout_or_stop(
        &self,
        message: T,
        timeout: Duration,
    ) -> Result<Result<(), SendTimeoutError<T>>, Stopped> {
        send(self, message, || Instant::now().checked_add(timeout))
    }

    fn send_deadline_or_stop(
        &self,
        message: T,
        deadline: Instant,
    ) -> Result<Result<(), SendTimeoutError<T>>, Stopped> {
        send(self, message, || Some(deadline))
    }
}

/// As [`receive`].
#[inline]
fn send<T>(
    sender: &Sender<T>,
    message: T,
    deadline: impl FnOnce() -> Option<Instant>,
) -> Result<Result<(), SendTimeoutError<T>>, Stopped> {
    scope::check()?;
    match put(sender, message) {
        Ok(outcome) => Ok(outcome),
        Err(message) => wait_to_send(sender, message, deadline()),
    }
}

#[cold]
fn wait_to_send<T>(
    sender: &Sender<T>,
    message: T,
    deadline: Option<Instant>,
) -> Result<Result<(), SendTimeoutError<T>>, Stopped> {
    let message = match patiently(sender.capacity(), message, |message| put(sender, message)) {
        Ok(outcome) => return Ok(outcome),
        Err(message) => message,
    };
    let hint = hint();
    loop {
        scope::check()?;
        // The message is moved into the send alone, so that a hint leaves it here.
        let mut select = Select::new();
        let sends = select.send(sender);
        select.recv(&hint);
        match select.select_timeout(left(deadline)) {
            Ok(operation) if operation.index() == sends => {
                return Ok(operation.send(sender, message).map_err(SendTimeoutError::from));
            }
            Ok(operation) => drop(operation.recv(&hint)),
            Err(_) => return Ok(Err(SendTimeoutError::Timeout(message))),
        }
    }
}

/// Sends it, says that it never can be, or gives it back.
#[inline]
fn put<T>(sender: &Sender<T>, message: T) -> Result<Result<(), SendTimeoutError<T>>, T> {
    match sender.try_send(message) {
        Ok(()) => Ok(Ok(())),
        Err(TrySendError::Disconnected(message)) => {
            Ok(Err(SendTimeoutError::Disconnected(message)))
        }
        Err(TrySendError::Full(message)) => Err(message),
    }
}

/// Tries a little longer, as crossbeam's own calls do before they sleep, which
/// its selections do at once. With a bound of 0 nothing is gained: another thread has
/// to wait.
fn patiently<W, R>(
    bound: Option<usize>,
    mut waiting: W,
    attempt: impl Fn(W) -> Result<R, W>,
) -> Result<R, W> {
    const SPINS: u32 = 7;
    const YIELDS: u32 = 3;
    let steps = if bound == Some(0) { 0 } else { SPINS + YIELDS };
    for step in 0..steps {
        if step < SPINS {
            (0..1 << step).for_each(|_| core::hint::spin_loop());
        } else {
            std::thread::yield_now();
        }
        match attempt(waiting) {
            Err(still) => waiting = still,
            done => return done,
        }
    }
    Err(waiting)
}

/// For ever, if there is no deadline.
fn left(deadline: Option<Instant>) -> Duration {
    deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()))
}

/// Goes over the messages of a receiver, stop-checked.
#[derive(Debug)]
pub struct Messages<T>(Receiver<T>);

impl<T> NextOrStop for Messages<T> {
    type Item = T;

    fn next_or_stop(&mut self) -> Result<Option<T>, Stopped> {
        Ok(self.0.recv_or_stop()?.ok())
    }
}

macro_rules! messages {
    ($($receiver:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl<T> IntoIterOrStop for $receiver {
            type IntoIter = Messages<T>;

            fn into_iter_or_stop(self) -> Messages<T> {
                Messages(self.clone())
            }
        }
    )*};
}
messages!(Receiver<T>, &Receiver<T>);

impl<T> Iterable for Receiver<T> {
    type Iter<'receiver>
        = Messages<T>
    where
        T: 'receiver;

    fn begin(&self) -> Messages<T> {
        Messages(self.clone())
    }
}
