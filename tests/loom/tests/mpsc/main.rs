//! Channels of each bound: what goes in comes out or is left, in order and
//! once; a thread that is stopped has moved nothing; and no thread is left waiting for one that
//! has gone.

#![allow(clippy::similar_names, reason = "senders and receivers")]

mod ends;
mod stops;
mod wakeups;

use std::sync::mpsc::SendError;
use stop_loom::scope::Stopped;
use stop_loom::sync::mpsc::{self, Receiver};
use stop_loom::thread::spawn;
use stop_loom::{Data, model_bounded};

/// Preemptions: what a rendezvous takes more steps for, and wakes all for, comes
/// to a million runs with one more.
fn preemptions(bound: Option<usize>) -> usize {
    if bound == Some(0) { 1 } else { 2 }
}

const BOUNDS: [Option<usize>; 3] = [None, Some(0), Some(1)];

/// The sending half of either channel.
#[derive(Clone)]
enum Sender {
    Free(mpsc::Sender<Data>),
    Bounded(mpsc::SyncSender<Data>),
}

fn channel(bound: Option<usize>) -> (Sender, Receiver<Data>) {
    match bound {
        None => {
            let (sender, receiver) = mpsc::channel();
            (Sender::Free(sender), receiver)
        }
        Some(bound) => {
            let (sender, receiver) = mpsc::sync_channel(bound);
            (Sender::Bounded(sender), receiver)
        }
    }
}

impl Sender {
    fn send(&self, value: usize) -> Result<(), SendError<Data>> {
        match self {
            Sender::Free(sender) => sender.send(Data::new(value)),
            Sender::Bounded(sender) => sender.send(Data::new(value)),
        }
    }

    fn send_or_stop(&self, value: usize) -> Result<Result<(), SendError<Data>>, Stopped> {
        match self {
            Sender::Free(sender) => sender.send_or_stop(Data::new(value)),
            Sender::Bounded(sender) => sender.send_or_stop(Data::new(value)),
        }
    }
}

/// The messages until no sender is left.
fn drain(receiver: &Receiver<Data>) -> Vec<usize> {
    receiver.iter().map(|message| message.get()).collect()
}

#[test]
fn messages_come_in_order() {
    for bound in BOUNDS {
        model_bounded(2, move || {
            let (sender, receiver) = channel(bound);
            let other = spawn(move || {
                sender.send(1).unwrap();
                sender.send(2).unwrap();
            });
            assert_eq!(drain(&receiver), [1, 2]);
            other.join();
        });
    }
}

#[test]
fn messages_of_two_senders_come_once_each() {
    for bound in BOUNDS {
        let outcomes = model_bounded(preemptions(bound), move || {
            let (first, receiver) = channel(bound);
            let second = first.clone();
            let first = spawn(move || first.send(1).unwrap());
            let second = spawn(move || second.send(2).unwrap());
            let received = drain(&receiver);
            first.join();
            second.join();
            received
        });
        assert_eq!(outcomes, [[1, 2], [2, 1]]);
    }
}
