//! No wake-up is missing, and none is taken along.

use super::{BOUNDS, channel, drain};
use stop_loom::model_bounded;
use stop_loom::thread::{JoinHandle, spawn};

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
