//! A thread that is stopped, or whose time is over, has moved nothing.

use super::{BOUNDS, channel, drain, preemptions};
use stop_loom::model_bounded;
use stop_loom::scope::Stopped;
use stop_loom::sync::mpsc;
use stop_loom::thread::spawn;
use stop_loom::time::{Duration, pass};

const SECOND: Duration = Duration::from_secs(1);

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
