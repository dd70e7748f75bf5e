//! The queue between the halves of a channel: a deque under a lock that is held for a
//! few instructions, and the threads that wait on either side of it.
//!
//! A message of a rendezvous channel stands in the queue under its ticket until a
//! receiver takes it; its sender waits for that, and takes it back if it is stopped
//! first. Tickets grow towards the back, so it is found by binary search.

use super::lock::{Guard, Lock};
use super::state::State;
use super::waiters::{Waiters, Wakeups};
use crate::sync::wait::Wait;
use core::mem::ManuallyDrop;
use std::collections::VecDeque;
use std::sync::mpsc::{RecvTimeoutError, SendError, TryRecvError, TrySendError};
use std::time::Instant;

pub(super) struct Queue<T> {
    /// No user code runs under the lock, so it leaves the state whole.
    state: Lock<State<T>>,
    /// A message has come, or the last sender has gone.
    filled: Wakeups,
    /// A message has been taken, or the last receiver has gone. The first is for
    /// room; of a rendezvous each sender has the one that its ticket falls to, so
    /// that a taken message wakes hardly any sender except its own.
    emptied: [Wakeups; WORDS],
}

const WORDS: usize = 8;

impl<T> Queue<T> {
    pub(super) fn new(bound: Option<usize>) -> Queue<T> {
        let rendezvous = bound == Some(0);
        let state = State {
            messages: VecDeque::new(),
            limit: bound.filter(|_| !rendezvous).unwrap_or(usize::MAX),
            rendezvous,
            next_ticket: 0,
            senders: 1,
            receivers: 1,
            waiting_to_send: Waiters::default(),
            waiting_to_receive: Waiters::default(),
        };
        Queue { state: Lock::new(state), filled: Wakeups::default(), emptied: Default::default() }
    }

    fn emptied(&self, ticket: u64) -> &Wakeups {
        &self.emptied[(ticket % WORDS as u64) as usize]
    }

    /// Runs `unlocked`, then waits for one more wake-up; without the lock.
    #[cold]
    fn sleep<'queue, W: Wait>(
        &'queue self,
        wakeups: &Wakeups,
        waiters: fn(&mut State<T>) -> &mut Waiters,
        mut state: Guard<'queue, State<T>>,
        deadline: Option<Instant>,
        unlocked: impl FnOnce(),
    ) -> (Guard<'queue, State<T>>, Result<(), W::Stop>) {
        waiters(&mut state).enter();
        let counted = wakeups.counted();
        drop(state);
        unlocked();
        let waited = wakeups.wait_for_more::<W>(counted, deadline);
        let mut state = self.state.lock();
        waiters(&mut state).leave();
        (state, waited)
    }

    fn wait_to_send<'queue, W: Wait>(
        &'queue self,
        wakeups: &Wakeups,
        state: Guard<'queue, State<T>>,
        unlocked: impl FnOnce(),
    ) -> (Guard<'queue, State<T>>, Result<(), W::Stop>) {
        self.sleep::<W>(wakeups, |state| &mut state.waiting_to_send, state, None, unlocked)
    }

    #[inline]
    pub(super) fn send<W: Wait>(&self, message: T) -> Result<Result<(), SendError<T>>, W::Stop> {
        W::check()?;
        let mut state = self.state.lock();
        while state.is_full() && state.receivers != 0 {
            let (again, waited) = self.wait_to_send::<W>(&self.emptied[0], state, || ());
            waited?;
            state = again;
        }
        if state.receivers == 0 {
            return Ok(Err(SendError(message)));
        }
        let ticket = state.push(message);
        let to_wake = state.waiting_to_receive.pick_one();
        if state.rendezvous {
            return self.hand_over::<W>(state, ticket, to_wake);
        }
        drop(state);
        if to_wake {
            self.filled.wake_one();
        }
        Ok(Ok(()))
    }

    /// Waits until a receiver has taken the message, or takes it back. First
    /// wakes a receiver, if there is one to wake.
    #[cold]
    fn hand_over<'queue, W: Wait>(
        &'queue self,
        mut state: Guard<'queue, State<T>>,
        ticket: u64,
        mut to_wake: bool,
    ) -> Result<Result<(), SendError<T>>, W::Stop> {
        while state.holds(ticket) {
            if state.receivers == 0 {
                return Ok(state
                    .withdraw(ticket)
                    .map_or(Ok(()), |message| Err(SendError(message))));
            }
            let (mut again, waited) = self.wait_to_send::<W>(self.emptied(ticket), state, || {
                // mutant: sender-wakes-receiver-before-waiting
                if core::mem::take(&mut to_wake) {
                    self.filled.wake_one();
                }
            });
            if let Err(stop) = waited {
                // mutant: stopped-rendezvous-takes-message-back
                let message = again.withdraw(ticket);
                // What it owns may be an end of this very channel.
                // mutant: withdrawn-message-dropped-unlocked
                drop(again);
                // Taken at the same time: it was sent.
                // mutant: taken-message-was-sent
                return if message.is_some() { Err(stop) } else { Ok(Ok(())) };
            }
            state = again;
        }
        Ok(Ok(()))
    }

    pub(super) fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        let mut state = self.state.lock();
        let full = if state.rendezvous {
            state.messages.len() >= state.waiting_to_receive.count()
        } else {
            state.is_full()
        };
        if state.receivers == 0 {
            return Err(TrySendError::Disconnected(message));
        }
        if full {
            return Err(TrySendError::Full(message));
        }
        state.push(message);
        let to_wake = state.waiting_to_receive.pick_one();
        drop(state);
        if to_wake {
            self.filled.wake_one();
        }
        Ok(())
    }

    /// Takes the first message, or gives the state back.
    #[inline]
    fn take<'queue>(
        &self,
        mut state: Guard<'queue, State<T>>,
    ) -> Result<T, Guard<'queue, State<T>>> {
        let Some((ticket, message)) = state.messages.pop_front() else { return Err(state) };
        // Of a rendezvous one sender waits for this very message.
        let all = state.rendezvous;
        let senders = &mut state.waiting_to_send;
        let to_wake = if all { senders.pick_all() } else { senders.pick_one() };
        drop(state);
        match (to_wake, all) {
            (false, _) => {}
            (true, false) => self.emptied[0].wake_one(),
            // mutant: sender-of-taken-message-woken
            (true, true) => self.emptied(ticket).wake_all(),
        }
        Ok(message)
    }

    /// A rendezvous' message that came without waiting because a receiver was
    /// there, if none is there for it now: for one that is stopped.
    fn take_promised(&self, state: Guard<'_, State<T>>) -> Option<T> {
        let promised = state.rendezvous && state.messages.len() > state.waiting_to_receive.count();
        // mutant: try-sent-message-received
        if promised { self.take(state).ok() } else { None }
    }

    #[inline]
    pub(super) fn recv<W: Wait>(
        &self,
        deadline: Option<Instant>,
    ) -> Result<Result<T, RecvTimeoutError>, W::Stop> {
        W::check()?;
        match self.take(self.state.lock()) {
            Ok(message) => Ok(Ok(message)),
            Err(state) => self.wait_to_receive::<W>(state, deadline),
        }
    }

    /// With the state of a queue that has no message.
    #[cold]
    fn wait_to_receive<'queue, W: Wait>(
        &'queue self,
        mut state: Guard<'queue, State<T>>,
        deadline: Option<Instant>,
    ) -> Result<Result<T, RecvTimeoutError>, W::Stop> {
        loop {
            if state.senders == 0 {
                return Ok(Err(RecvTimeoutError::Disconnected));
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(Err(RecvTimeoutError::Timeout));
            }
            let (again, waited) = self.sleep::<W>(
                &self.filled,
                |state| &mut state.waiting_to_receive,
                state,
                deadline,
                || (),
            );
            if let Err(stop) = waited {
                return self.take_promised(again).map_or(Err(stop), |message| Ok(Ok(message)));
            }
            state = match self.take(again) {
                Ok(message) => return Ok(Ok(message)),
                Err(state) => state,
            };
        }
    }

    pub(super) fn try_recv(&self) -> Result<T, TryRecvError> {
        match self.take(self.state.lock()) {
            Ok(message) => Ok(message),
            Err(state) if state.senders == 0 => Err(TryRecvError::Disconnected),
            Err(_) => Err(TryRecvError::Empty),
        }
    }

    pub(super) fn add_sender(&self) {
        self.state.lock().senders += 1;
    }

    pub(super) fn add_receiver(&self) {
        self.state.lock().receivers += 1;
    }

    pub(super) fn drop_sender(&self) {
        let mut state = self.state.lock();
        state.senders -= 1;
        let to_wake = state.senders == 0 && state.waiting_to_receive.pick_all();
        drop(state);
        if to_wake {
            self.filled.wake_all();
        }
    }

    pub(super) fn drop_receiver(&self) {
        let mut state = self.state.lock();
        state.receivers -= 1;
        if state.receivers != 0 {
            return;
        }
        let to_wake = state.waiting_to_send.pick_all();
        // Those of a rendezvous are taken back by their senders.
        let left = (!state.rendezvous).then(|| core::mem::take(&mut state.messages));
        drop(state);
        if to_wake {
            // mutant: last-receiver-wakes-all-senders
            self.emptied.iter().for_each(Wakeups::wake_all);
        }
        // mutant: panics-of-messages-apart
        drop_one_by_one(left.unwrap_or_default());
    }
}

/// Drops the messages. If a destructor panics, those behind it are leaked, as std
/// leaks them: a second panic while the first unwinds would end the process.
fn drop_one_by_one<T>(messages: VecDeque<(u64, T)>) {
    let mut messages = ManuallyDrop::new(messages);
    while let Some(message) = messages.pop_front() {
        drop(message);
    }
    drop(ManuallyDrop::into_inner(messages));
}
