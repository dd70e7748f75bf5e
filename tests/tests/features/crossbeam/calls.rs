//! `recv`, `send` and their kin: stopped before, while and after they wait.

use super::{requested, stopped_while_it_waits};
use crossbeam_channel::{
    Receiver, RecvError, RecvTimeoutError, SendError, SendTimeoutError, Sender, after, bounded,
    never, tick, unbounded,
};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use stop_tests::started::blocked;
use stop_tests::{per_backend, thread_id, wait_until_blocked_in};
use stopruntime::crossbeam::stop_channel;
use stopruntime::ext::{ReceiverOrStop, SenderOrStop};
use stopruntime::{check, shield, thread};

/// Longer than any test.
const LONG: Duration = Duration::from_secs(100_000);
/// Over at once, or in a moment.
const SHORT: Duration = Duration::from_millis(1);

fn of_each_kind() -> [(Option<usize>, Sender<u8>, Receiver<u8>); 4] {
    [None, Some(0), Some(1), Some(2)].map(|bound| {
        let (sender, receiver) = bound.map_or_else(unbounded, bounded);
        (bound, sender, receiver)
    })
}

/// Fills the channel.
fn full(bound: usize) -> (Sender<u8>, Receiver<u8>) {
    let (sender, receiver) = bounded(bound);
    for _ in 0..bound {
        sender.send(1).unwrap();
    }
    (sender, receiver)
}

per_backend! {
    fn a_request_before_leaves_the_channel_as_it_is() {
        let (sender, receiver) = bounded(2);
        sender.send(7).unwrap();
        let (to, from) = (sender.clone(), receiver.clone());
        requested(move || {
            assert!(from.recv_or_stop().is_err());
            assert!(from.recv_timeout_or_stop(LONG).is_err());
            assert!(from.recv_timeout_or_stop(Duration::MAX).is_err());
            assert!(from.recv_deadline_or_stop(Instant::now()).is_err());
            assert!(to.send_or_stop(8).is_err());
            assert!(to.send_timeout_or_stop(8, LONG).is_err());
            assert!(to.send_timeout_or_stop(8, Duration::MAX).is_err());
            assert!(to.send_deadline_or_stop(8, Instant::now()).is_err());
        });
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), [7]);
    }

    fn a_waiting_recv_is_stopped_and_has_taken_nothing() {
        type Wait = fn(&Receiver<u8>) -> bool;
        let waits: [Wait; 4] = [
            |receiver| receiver.recv_or_stop().is_err(),
            |receiver| receiver.recv_timeout_or_stop(LONG).is_err(),
            |receiver| receiver.recv_timeout_or_stop(Duration::MAX).is_err(),
            |receiver| receiver.recv_deadline_or_stop(Instant::now() + LONG).is_err(),
        ];
        for wait in waits {
            for (bound, sender, receiver) in of_each_kind() {
                let theirs = receiver.clone();
                assert!(stopped_while_it_waits(move || wait(&theirs)), "bound {bound:?}");
                let sent = std::thread::spawn(move || sender.send(5));
                assert_eq!(receiver.recv(), Ok(5), "bound {bound:?}");
                assert_eq!(receiver.recv(), Err(RecvError), "bound {bound:?}: and no other");
                assert_eq!(sent.join().unwrap(), Ok(()));
            }
        }
    }

    fn a_waiting_send_is_stopped_and_has_sent_nothing() {
        type Wait = fn(&Sender<u8>) -> bool;
        let waits: [Wait; 4] = [
            |sender| sender.send_or_stop(2).is_err(),
            |sender| sender.send_timeout_or_stop(2, LONG).is_err(),
            |sender| sender.send_timeout_or_stop(2, Duration::MAX).is_err(),
            |sender| sender.send_deadline_or_stop(2, Instant::now() + LONG).is_err(),
        ];
        for wait in waits {
            for bound in [0, 1, 3] {
                let (sender, receiver) = full(bound);
                assert!(stopped_while_it_waits(move || wait(&sender)), "bound {bound}");
                assert_eq!(receiver.iter().collect::<Vec<_>>(), vec![1; bound]);
            }
        }
    }

    fn receivers_that_have_no_sender_are_stopped_as_well() {
        for receiver in [never(), after(LONG), tick(LONG)] {
            assert!(stopped_while_it_waits(move || receiver.recv_or_stop().is_err()));
        }
        let soon = after(SHORT);
        assert!(soon.recv_or_stop().unwrap().is_ok());
        let ticks = tick(SHORT);
        assert!(ticks.recv_or_stop().unwrap().is_ok() && ticks.recv_or_stop().unwrap().is_ok());
    }

    fn without_a_request_results_are_crossbeams_own() {
        for (bound, sender, receiver) in of_each_kind() {
            // To a receiver that waits, and from one that does not.
            let theirs = receiver.clone();
            let taker = thread::spawn(move || theirs.recv_or_stop());
            assert_eq!(sender.send_or_stop(1), Ok(Ok(())), "bound {bound:?}");
            assert_eq!(taker.join().unwrap(), Ok(Ok(1)), "bound {bound:?}");

            let none = Ok(Err(RecvTimeoutError::Timeout));
            assert_eq!(receiver.recv_timeout_or_stop(SHORT), none);
            assert_eq!(receiver.recv_timeout_or_stop(Duration::ZERO), none);
            assert_eq!(receiver.recv_deadline_or_stop(Instant::now()), none);

            drop(sender);
            assert_eq!(receiver.recv_or_stop(), Ok(Err(RecvError)));
            let gone = Ok(Err(RecvTimeoutError::Disconnected));
            assert_eq!(receiver.recv_timeout_or_stop(LONG), gone);
            assert_eq!(receiver.recv_timeout_or_stop(Duration::MAX), gone);
        }
        for bound in [0, 1] {
            let (sender, receiver) = full(bound);
            let late = Ok(Err(SendTimeoutError::Timeout(2)));
            assert_eq!(sender.send_timeout_or_stop(2, SHORT), late);
            assert_eq!(sender.send_deadline_or_stop(2, Instant::now()), late);
            drop(receiver);
            assert_eq!(sender.send_or_stop(2), Ok(Err(SendError(2))));
            let gone = Ok(Err(SendTimeoutError::Disconnected(2)));
            assert_eq!(sender.send_timeout_or_stop(2, LONG), gone);
            assert_eq!(sender.send_timeout_or_stop(2, Duration::MAX), gone);
        }
    }

    /// Disconnected or served while they wait, not only before.
    fn a_waiting_call_without_a_request_ends_as_crossbeams_own() {
        let waiting = |wait: fn(Sender<u8>, Receiver<u8>) -> u8, end: fn(Sender<u8>, Receiver<u8>)| {
            let ((sender, theirs), (ours, receiver)) = (full(1), full(1));
            let (waiter, _) = blocked(&[libc::SYS_futex], move || {
                wait(sender, receiver)
            });
            end(ours, theirs);
            waiter.join().unwrap()
        };
        // `wait` has a full channel to send to and another, emptied, to receive from.
        let received = waiting(
            |_sender, receiver| {
                receiver.recv().unwrap();
                receiver.recv_or_stop().unwrap().unwrap()
            },
            |ours, _theirs| ours.send(9).unwrap(),
        );
        assert_eq!(received, 9);
        let disconnected = waiting(
            |_sender, receiver| {
                receiver.recv().unwrap();
                u8::from(receiver.recv_timeout_or_stop(LONG) == Ok(Err(RecvTimeoutError::Disconnected)))
            },
            |ours, _theirs| drop(ours),
        );
        assert_eq!(disconnected, 1);
        let sent = waiting(
            |sender, _receiver| u8::from(sender.send_or_stop(3) == Ok(Ok(()))),
            |_ours, theirs| assert_eq!((theirs.recv(), theirs.recv()), (Ok(1), Ok(3))),
        );
        assert_eq!(sent, 1);
        let refused = waiting(
            |sender, _receiver| u8::from(sender.send_or_stop(3) == Ok(Err(SendError(3)))),
            |_ours, theirs| drop(theirs),
        );
        assert_eq!(refused, 1);
    }

    /// Under a shield the stop channel is disconnected already, and must not
    /// count.
    fn under_a_shield_a_requested_thread_waits_as_crossbeam_does() {
        let (sender, receiver) = bounded::<u8>(0);
        let (back, answers) = bounded::<u8>(0);
        let (tell, told) = mpsc::channel();
        let shielded = thread::spawn(move || {
            tell.send((thread_id(), stop_channel())).unwrap();
            let sum = shield(|| {
                let first = receiver.recv_or_stop().unwrap().unwrap();
                let second = receiver.recv_timeout_or_stop(LONG).unwrap().unwrap();
                back.send_or_stop(first + second).unwrap().unwrap();
                back.send_timeout_or_stop(first * second, LONG).unwrap().unwrap();
                first + second
            });
            (sum, check().is_err(), receiver.recv_or_stop().is_err())
        });
        let (thread, stop) = told.recv().unwrap();
        wait_until_blocked_in(thread, &[libc::SYS_futex]);
        shielded.request_stop();
        assert!(stop.recv().is_err());
        wait_until_blocked_in(thread, &[libc::SYS_futex]);
        sender.send(2).unwrap();
        wait_until_blocked_in(thread, &[libc::SYS_futex]);
        sender.send(3).unwrap();
        wait_until_blocked_in(thread, &[libc::SYS_futex]);
        assert_eq!(answers.recv(), Ok(5));
        wait_until_blocked_in(thread, &[libc::SYS_futex]);
        assert_eq!(answers.recv(), Ok(6));
        assert_eq!(shielded.join().unwrap(), (5, true, true));
    }
}
