//! The queue between the halves of a channel: a deque under a lock that is
//! held for a few instructions, and two condition variables.
//!
//! A message of a rendezvous channel stands in the queue under its ticket until
//! a receiver takes it; its sender waits for that, and takes it back if it is
//! stopped first. Tickets grow towards the back, so a message has been taken
//! when the front is past it.

use crate::sync::condvar::Condvar;
use crate::sync::mutex::{Mutex, MutexGuard};
use crate::sync::wait::Wait;
use std::collections::VecDeque;
use std::sync::PoisonError;
use std::sync::mpsc::{RecvTimeoutError, SendError, TryRecvError, TrySendError};
use std::time::Instant;

pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    /// A message has come, or the last sender has gone.
    filled: Condvar,
    /// A message has been taken, or the last receiver has gone.
    emptied: Condvar,
}

struct State<T> {
    messages: VecDeque<(u64, T)>,
    bound: Option<usize>,
    next_ticket: u64,
    senders: usize,
    receivers: usize,
    waiting_to_send: usize,
    waiting_to_receive: usize,
}

impl<T> State<T> {
    fn push(&mut self, message: T) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.messages.push_back((ticket, message));
        ticket
    }

    fn is_full(&self) -> bool {
        self.bound.is_some_and(|bound| self.messages.len() >= bound.max(1))
    }

    fn holds(&self, ticket: u64) -> bool {
        self.messages.front().is_some_and(|(front, _)| *front <= ticket)
            && self.messages.iter().any(|(other, _)| *other == ticket)
    }

    fn withdraw(&mut self, ticket: u64) -> Option<T> {
        let at = self.messages.iter().position(|(other, _)| *other == ticket)?;
        self.messages.remove(at).map(|(_, message)| message)
    }
}

impl<T> Queue<T> {
    pub(super) fn new(bound: Option<usize>) -> Queue<T> {
        let state = State {
            messages: VecDeque::new(),
            bound,
            next_ticket: 0,
            senders: 1,
            receivers: 1,
            waiting_to_send: 0,
            waiting_to_receive: 0,
        };
        Queue { state: Mutex::new(state), filled: Condvar::new(), emptied: Condvar::new() }
    }

    /// No user code runs under the lock, so a poisoned state is whole.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'queue, W: Wait>(
        on: &Condvar,
        state: MutexGuard<'queue, State<T>>,
        deadline: Option<Instant>,
    ) -> Result<MutexGuard<'queue, State<T>>, W::Stop> {
        let waited = on.wait_as::<W, State<T>>(state, deadline)?;
        Ok(waited.unwrap_or_else(PoisonError::into_inner).0)
    }

    pub(super) fn send<W: Wait>(&self, message: T) -> Result<Result<(), SendError<T>>, W::Stop> {
        W::check()?;
        let mut state = self.state();
        let rendezvous = state.bound == Some(0);
        while state.receivers != 0 && !rendezvous && state.is_full() {
            state.waiting_to_send += 1;
            match Self::wait::<W>(&self.emptied, state, None) {
                Ok(again) => state = again,
                Err(stop) => {
                    self.state().waiting_to_send -= 1;
                    return Err(stop);
                }
            }
            state.waiting_to_send -= 1;
        }
        if state.receivers == 0 {
            return Ok(Err(SendError(message)));
        }
        let ticket = state.push(message);
        if state.waiting_to_receive != 0 {
            self.filled.notify_one();
        }
        if rendezvous { self.hand_over::<W>(state, ticket) } else { Ok(Ok(())) }
    }

    /// Waits until a receiver has taken the message, or takes it back.
    fn hand_over<'queue, W: Wait>(
        &'queue self,
        mut state: MutexGuard<'queue, State<T>>,
        ticket: u64,
    ) -> Result<Result<(), SendError<T>>, W::Stop> {
        while state.holds(ticket) {
            if state.receivers == 0 {
                let message = state.withdraw(ticket);
                return Ok(message.map_or(Ok(()), |message| Err(SendError(message))));
            }
            state.waiting_to_send += 1;
            match Self::wait::<W>(&self.emptied, state, None) {
                Ok(again) => state = again,
                Err(stop) => {
                    let mut state = self.state();
                    state.waiting_to_send -= 1;
                    let message = state.withdraw(ticket);
                    // What it owns may be an end of this very channel.
                    drop(state);
                    // Taken at the same time: it was sent.
                    return if message.is_some() { Err(stop) } else { Ok(Ok(())) };
                }
            }
            state.waiting_to_send -= 1;
        }
        Ok(Ok(()))
    }

    pub(super) fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let mut state = self.state();
        let full = match state.bound {
            Some(0) => state.messages.len() >= state.waiting_to_receive,
            _ => state.is_full(),
        };
        if state.receivers == 0 {
            return Err(TrySendError::Disconnected(message));
        }
        if full {
            return Err(TrySendError::Full(message));
        }
        state.push(message);
        if state.waiting_to_receive != 0 {
            self.filled.notify_one();
        }
        Ok(())
    }

    fn take(&self, state: &mut State<T>) -> Option<T> {
        let (_, message) = state.messages.pop_front()?;
        if state.waiting_to_send != 0 {
            // Of a rendezvous one sender waits for this very message.
            if state.bound == Some(0) {
                self.emptied.notify_all();
            } else {
                self.emptied.notify_one();
            }
        }
        Some(message)
    }

    /// A rendezvous' message that came without waiting because a receiver was
    /// there, if none is there for it now: for one that is stopped.
    fn take_promised(&self, mut state: MutexGuard<'_, State<T>>) -> Option<T> {
        let promised = state.bound == Some(0) && state.messages.len() > state.waiting_to_receive;
        if promised { self.take(&mut state) } else { None }
    }

    pub(super) fn recv<W: Wait>(
        &self,
        deadline: Option<Instant>,
    ) -> Result<Result<T, RecvTimeoutError>, W::Stop> {
        W::check()?;
        let mut state = self.state();
        loop {
            if let Some(message) = self.take(&mut state) {
                return Ok(Ok(message));
            }
            if state.senders == 0 {
                return Ok(Err(RecvTimeoutError::Disconnected));
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(Err(RecvTimeoutError::Timeout));
            }
            state.waiting_to_receive += 1;
            match Self::wait::<W>(&self.filled, state, deadline) {
                Ok(again) => state = again,
                Err(stop) => {
                    let mut state = self.state();
                    state.waiting_to_receive -= 1;
                    return self.take_promised(state).map_or(Err(stop), |message| Ok(Ok(message)));
                }
            }
            state.waiting_to_receive -= 1;
        }
    }

    pub(super) fn try_recv(&self) -> Result<T, TryRecvError> {
        let mut state = self.state();
        match self.take(&mut state) {
            Some(message) => Ok(message),
            None if state.senders == 0 => Err(TryRecvError::Disconnected),
            None => Err(TryRecvError::Empty),
        }
    }

    pub(super) fn add_sender(&self) {
        self.state().senders += 1;
    }

    pub(super) fn add_receiver(&self) {
        self.state().receivers += 1;
    }

    pub(super) fn drop_sender(&self) {
        let mut state = self.state();
        state.senders -= 1;
        if state.senders == 0 {
            self.filled.notify_all();
        }
    }

    pub(super) fn drop_receiver(&self) {
        let mut state = self.state();
        state.receivers -= 1;
        if state.receivers != 0 {
            return;
        }
        self.emptied.notify_all();
        // Those of a rendezvous are taken back by their senders.
        if state.bound != Some(0) {
            let left = core::mem::take(&mut state.messages);
            drop(state);
            drop(left);
        }
    }
}
