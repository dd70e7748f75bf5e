//! The last sender or receiver goes.

use super::{BOUNDS, channel};
use std::sync::Arc;
use std::sync::mpsc::{RecvError, SendError};
use stop_loom::sync::mpsc;
use stop_loom::thread::spawn;
use stop_loom::{Data, model_bounded};

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
