//! Channels of each bound: what goes in comes out or is left, in order and
//! once; a thread that is stopped has moved nothing; and no thread is left waiting for one that
//! has gone.

#![allow(clippy::similar_names, reason = "senders and receivers")]

use std::sync::Arc;
use std::sync::mpsc::{RecvError, SendError};
use stop_loom::scope::Stopped;
use stop_loom::sync::mpsc::{self, Receiver};
use stop_loom::thread::{JoinHandle, spawn};
use stop_loom::time::{Duration, pass};
use stop_loom::{Data, model_bounded};

/// Preemptions: what a rendezvous takes more steps for, and wakes all for, comes
/// to a million runs with one more.
fn preemptions(bound: Option<usize>) -> usize {
    if bound == Some(0) { 1 } else { 2 }
}

const SECOND: Duration = Duration::from_secs(1);

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

#[test]
fn a_stopped_receiver_has_taken_nothing() {
    for bound in BOUNDS {
        let outcomes = model_bounded(2, move || {
            let (sender, receiver) = channel(bound);
            let theirs = receiver.clone();
            let stopped =
                spawn(move || theirs.recv_or_stop().map(|message| message.unwrap().get()));
            let stopper = stopped.stopper();
            let requester = spawn(move || stopper.request_stop());
            let sending = spawn(move || sender.send(1).unwrap());
            let taken = stopped.join();
            let left = drain(&receiver);
            assert!(requester.join());
            sending.join();
            match taken {
                Ok(message) => assert_eq!((message, left), (1, vec![])),
                Err(Stopped) => assert_eq!(left, [1]),
            }
            taken.is_ok()
        });
        assert_eq!(outcomes, [false, true], "bound {bound:?}");
    }
}

#[test]
fn a_stopped_receiver_leaves_the_message_to_the_next() {
    for bound in BOUNDS {
        let outcomes = model_bounded(2, move || {
            let (sender, receiver) = channel(bound);
            let theirs = receiver.clone();
            let first = spawn(move || theirs.recv_or_stop().is_ok());
            let second = spawn(move || receiver.recv().unwrap().get());
            let stopper = first.stopper();
            let requester = spawn(move || stopper.request_stop());
            sender.send(1).unwrap();
            let taken = first.join();
            if taken {
                sender.send(2).unwrap();
            }
            assert!(requester.join());
            (taken, second.join())
        });
        assert_eq!(outcomes, [(false, 1), (true, 2)], "bound {bound:?}");
    }
}

#[test]
fn a_stopped_sender_has_sent_nothing() {
    for bound in BOUNDS {
        let outcomes = model_bounded(2, move || {
            let (sender, receiver) = channel(bound);
            if bound == Some(1) {
                sender.send(1).unwrap();
            }
            let sending = spawn(move || sender.send_or_stop(2).map(Result::unwrap).is_ok());
            let stopper = sending.stopper();
            let requester = spawn(move || stopper.request_stop());
            let mut received = drain(&receiver);
            assert!(requester.join());
            let sent = sending.join();
            if bound == Some(1) {
                assert_eq!(received.remove(0), 1);
            }
            assert_eq!(received, if sent { vec![2] } else { vec![] });
            sent
        });
        assert_eq!(outcomes, [false, true], "bound {bound:?}");
    }
}

#[test]
fn a_stopped_sender_leaves_the_room_to_the_next() {
    for bound in [0, 1] {
        let outcomes = model_bounded(preemptions(Some(bound)), move || {
            let (sender, receiver) = channel(Some(bound));
            if bound == 1 {
                sender.send(0).unwrap();
            }
            let theirs = sender.clone();
            let first = spawn(move || theirs.send_or_stop(1).map(Result::unwrap).is_ok());
            let second = spawn(move || sender.send(2).unwrap());
            let stopper = first.stopper();
            let requester = spawn(move || stopper.request_stop());
            let mut received = drain(&receiver);
            received.sort_unstable();
            assert!(requester.join());
            second.join();
            let sent = first.join();
            let all = (0..3).filter(|value| [bound == 1, sent, true][*value]);
            assert_eq!(received, all.collect::<Vec<_>>());
            sent
        });
        assert_eq!(outcomes, [false, true], "bound {bound:?}");
    }
}

#[test]
fn receivers_see_the_last_sender_go() {
    let outcomes = model_bounded(2, || {
        let (sender, receiver) = channel(None);
        let theirs = receiver.clone();
        let first = spawn(move || theirs.recv_or_stop().map(|message| message.map(drop)));
        let second = spawn(move || receiver.recv().map(drop));
        let stopper = first.stopper();
        let requester = spawn(move || stopper.request_stop());
        drop(sender);
        assert!(requester.join());
        assert_eq!(second.join(), Err(RecvError));
        let first = first.join();
        assert_ne!(first, Ok(Ok(())));
        first.is_ok()
    });
    assert_eq!(outcomes, [false, true]);
}

#[test]
fn senders_see_the_last_receiver_go() {
    for bound in [0, 1] {
        let outcomes = model_bounded(2, move || {
            let (sender, receiver) = channel(Some(bound));
            if bound == 1 {
                sender.send(0).unwrap();
            }
            let theirs = sender.clone();
            let first = spawn(move || theirs.send_or_stop(1).map(Result::unwrap_err));
            let second = spawn(move || sender.send(2).unwrap_err().0.get());
            let stopper = first.stopper();
            let requester = spawn(move || stopper.request_stop());
            drop(receiver);
            assert!(requester.join());
            assert_eq!(second.join(), 2, "it comes back");
            first.join().map_or(0, |SendError(message)| message.get())
        });
        assert_eq!(outcomes, [0, 1], "bound {bound:?}");
    }
}

/// Two messages in a row wake two receivers, although the first of these may not
/// have come to look yet.
#[test]
fn each_message_wakes_a_receiver() {
    for bound in [None, Some(2)] {
        let outcomes = model_bounded(2, move || {
            let (sender, receiver) = channel(bound);
            let receivers = [receiver.clone(), receiver]
                .map(|receiver| spawn(move || receiver.recv().unwrap().get()));
            sender.send(1).unwrap();
            sender.send(2).unwrap();
            receivers.map(JoinHandle::join)
        });
        assert_eq!(outcomes, [[1, 2], [2, 1]], "bound {bound:?}");
    }
}

/// The same the other way round.
#[test]
fn each_room_wakes_a_sender() {
    let outcomes = model_bounded(2, || {
        let (sender, receiver) = channel(Some(2));
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        let senders = [(sender.clone(), 3), (sender, 4)]
            .map(|(sender, value)| spawn(move || sender.send(value).unwrap()));
        assert_eq!([(); 2].map(|()| receiver.try_recv().unwrap().get()), [1, 2]);
        let [(), ()] = senders.map(JoinHandle::join);
        drain(&receiver)
    });
    assert_eq!(outcomes, [[3, 4], [4, 3]]);
}

/// A thread that was woken for a message that another took is woken for the next.
#[test]
fn a_receiver_that_comes_too_late_is_woken_again() {
    let outcomes = model_bounded(2, || {
        let (sender, receiver) = channel(None);
        let theirs = receiver.clone();
        let late = spawn(move || theirs.recv().unwrap().get());
        sender.send(1).unwrap();
        let taken = receiver.try_recv().is_ok();
        sender.send(2).unwrap();
        (taken, late.join())
    });
    assert_eq!(outcomes, [(false, 1), (true, 2)]);
}

/// A wake-up that a stopped receiver was given is not missing for the one that
/// it leaves behind, although others took the messages.
#[test]
fn a_stopped_receiver_takes_no_wake_up_along() {
    let outcomes = model_bounded(2, || {
        let (sender, receiver) = channel(Some(2));
        let [stopped, other] = [(); 2].map(|()| {
            let receiver = receiver.clone();
            spawn(move || receiver.recv_or_stop().is_ok())
        });
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        stopped.request_stop();
        let taken = [(); 2].map(|()| receiver.try_recv().is_ok());
        sender.send(3).unwrap();
        let took = stopped.join();
        if took {
            sender.send(4).unwrap();
        }
        assert!(other.join(), "nothing stopped it");
        (took, taken)
    });
    assert!(outcomes.contains(&(false, [true; 2])), "{outcomes:?}");
}

/// What a rendezvous channel takes without waiting, a receiver that waits has
/// taken, though it be stopped.
#[test]
fn a_rendezvous_keeps_its_word() {
    let outcomes = model_bounded(3, || {
        let (sender, receiver) = mpsc::sync_channel(0);
        let waiting = spawn(move || receiver.recv_or_stop().map(|message| message.unwrap()));
        let stopper = waiting.stopper();
        let requester = spawn(move || stopper.request_stop());
        let sent = sender.try_send(());
        assert!(requester.join());
        let received = waiting.join();
        assert_eq!(sent.is_ok(), received.is_ok(), "{sent:?}, {received:?}");
        sent.is_ok()
    });
    assert_eq!(outcomes, [false, true]);
}

/// A send of a rendezvous ends when its own message is taken.
#[test]
fn a_received_sender_goes_on() {
    let outcomes = model_bounded(2, || {
        let (sender, receiver) = channel(Some(0));
        let senders = [1, 2].map(|value| {
            let sender = sender.clone();
            spawn(move || sender.send(value).unwrap())
        });
        let taken = receiver.recv().unwrap().get();
        let mut senders = Vec::from(senders);
        senders.remove(taken - 1).join();
        let last = receiver.recv().unwrap().get();
        senders.remove(0).join();
        (taken, last)
    });
    assert_eq!(outcomes, [(1, 2), (2, 1)]);
}

#[test]
fn a_receiver_whose_time_is_over_leaves_the_message_to_the_next() {
    for bound in BOUNDS {
        let outcomes = model_bounded(2, move || {
            let (sender, receiver) = channel(bound);
            let theirs = receiver.clone();
            let first = spawn(move || theirs.recv_timeout(SECOND).is_ok());
            let second = spawn(move || receiver.recv().unwrap().get());
            let clock = spawn(pass);
            sender.send(1).unwrap();
            let taken = first.join();
            if taken {
                sender.send(2).unwrap();
            }
            clock.join();
            (taken, second.join())
        });
        assert_eq!(outcomes, [(false, 1), (true, 2)], "bound {bound:?}");
    }
}

/// As after a signal that is no request.
#[test]
fn a_wait_that_returns_early_goes_on() {
    for bound in BOUNDS {
        model_bounded(2, move || {
            let (sender, receiver) = channel(bound);
            let sending = spawn(move || {
                sender.send(1).unwrap();
                sender.send(2).unwrap();
            });
            let receiving = spawn(move || drain(&receiver));
            sending.interrupt();
            receiving.interrupt();
            sending.join();
            assert_eq!(receiving.join(), [1, 2], "bound {bound:?}");
        });
    }
}

/// Sent or not, received or not, each message is dropped once.
#[test]
fn what_is_left_goes_with_the_ends() {
    for bound in BOUNDS {
        model_bounded(2, move || {
            let message = Arc::new(Data::new(1));
            let theirs = Arc::clone(&message);
            let sending: Box<dyn FnOnce() + Send>;
            let receiver;
            if let Some(bound) = bound {
                let (sender, end) = mpsc::sync_channel(bound);
                sending = Box::new(move || drop(sender.send(theirs)));
                receiver = end;
            } else {
                let (sender, end) = mpsc::channel();
                sending = Box::new(move || drop(sender.send(theirs)));
                receiver = end;
            }
            let sending = spawn(sending);
            let taken = receiver.try_recv().ok();
            drop(receiver);
            sending.join();
            drop(taken);
            assert_eq!(Arc::strong_count(&message), 1, "bound {bound:?}");
        });
    }
}
