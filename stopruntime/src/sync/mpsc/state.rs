//! What the lock of a queue protects.

use super::waiters::Waiters;
use std::collections::VecDeque;

pub(super) struct State<T> {
    pub(super) messages: VecDeque<(u64, T)>,
    /// No more messages than this; a rendezvous has no limit.
    pub(super) limit: usize,
    pub(super) rendezvous: bool,
    pub(super) next_ticket: u64,
    pub(super) senders: usize,
    pub(super) receivers: usize,
    pub(super) waiting_to_send: Waiters,
    pub(super) waiting_to_receive: Waiters,
}

impl<T> State<T> {
    pub(super) fn push(&mut self, message: T) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.messages.push_back((ticket, message));
        ticket
    }

    pub(super) fn is_full(&self) -> bool {
        self.messages.len() >= self.limit
    }

    pub(super) fn holds(&self, ticket: u64) -> bool {
        self.messages.binary_search_by_key(&ticket, |(other, _)| *other).is_ok()
    }

    pub(super) fn withdraw(&mut self, ticket: u64) -> Option<T> {
        let at = self.messages.binary_search_by_key(&ticket, |(other, _)| *other).ok()?;
        self.messages.remove(at).map(|(_, message)| message)
    }
}
