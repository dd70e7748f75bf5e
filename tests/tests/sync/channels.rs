//! Channels.

use super::{churn, stopped_while_it_waits};
use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use stop_tests::{FUTEXES, on_backends};
use stopruntime::sync::mpsc;
use stopruntime::{Stopped, stoppable};

on_backends! { FUTEXES;
    fn both_ends_are_stopped_while_they_wait() {
        let (sender, receiver) = mpsc::channel::<u8>();
        let theirs = receiver.clone();
        assert!(stopped_while_it_waits(move || theirs.recv_or_stop().is_err()));
        sender.send(1).unwrap();
        assert_eq!(receiver.recv(), Ok(1));

        for bound in [0, 1] {
            let (sender, receiver) = mpsc::sync_channel::<u8>(bound);
            if bound == 1 {
                sender.send(1).unwrap();
            }
            let theirs = sender.clone();
            assert!(stopped_while_it_waits(move || theirs.send_or_stop(2).is_err()));
            let left: Vec<u8> = receiver.try_iter().collect();
            assert_eq!(left, vec![1; bound], "bound {bound}: the stopped send sent nothing");
        }
    }

    fn a_marked_loop_over_a_receiver_is_stopped_and_takes_what_is_there_first() {
        #[stoppable(break)]
        fn sum(numbers: mpsc::Receiver<u64>) -> u64 {
            let mut sum = 0;
            #[blocking]
            for number in numbers {
                sum += number;
            }
            sum
        }
        #[stoppable]
        fn first(numbers: &mpsc::Receiver<u64>) -> Result<u64, Stopped> {
            #[blocking]
            let number = numbers.recv().unwrap_or(0);
            Ok(number)
        }
        let (sender, receiver) = mpsc::channel();
        let theirs = receiver.clone();
        assert_eq!(stopped_while_it_waits(move || sum(theirs)), 0);
        sender.send(4).unwrap();
        assert_eq!(first(&receiver), Ok(4));
        sender.send(3).unwrap();
        drop(sender);
        assert_eq!(sum(receiver), 3);
    }

    /// Two of them at once would end the process.
    fn a_panic_in_a_messages_destructor_is_a_panic_of_the_receivers() {
        struct Loud<'a>(&'a AtomicU32);
        impl Drop for Loud<'_> {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::Relaxed);
                // Without the message of a panic.
                std::panic::resume_unwind(Box::new(()));
            }
        }
        let panics = |end: Box<dyn FnOnce() + '_>| {
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(end)).is_err()
        };
        let dropped = AtomicU32::new(0);
        let (sender, receiver) = std::sync::mpsc::channel();
        (0..3).for_each(|_| assert!(sender.send(Loud(&dropped)).is_ok()));
        assert!(panics(Box::new(|| drop(receiver))));
        let as_std = dropped.swap(0, Ordering::Relaxed);

        let (sender, receiver) = mpsc::channel();
        (0..3).for_each(|_| assert!(sender.send(Loud(&dropped)).is_ok()));
        assert!(panics(Box::new(|| drop(receiver))));
        assert_eq!(dropped.load(Ordering::Relaxed), as_std);
        assert!(panics(Box::new(|| drop(sender.send(Loud(&dropped))))));

        let (sender, receiver) = mpsc::sync_channel(3);
        (0..3).for_each(|_| assert!(sender.send(Loud(&dropped)).is_ok()));
        assert!(panics(Box::new(|| drop(receiver))));
    }

    /// Messages in = messages out + messages left, each once, for each bound.
    fn channels_under_random_stops() {
        for bound in [None, Some(0), Some(1), Some(8)] {
            let (sent, stops) = channel_under_random_stops(bound);
            println!("bound {bound:?}: {sent} messages, {stops} stops");
        }
    }
}

fn channel_under_random_stops(bound: Option<usize>) -> (u64, u64) {
    enum Tx {
        Free(mpsc::Sender<u64>),
        Bounded(mpsc::SyncSender<u64>),
    }
    let (tx, rx) = match bound {
        None => {
            let (tx, rx) = mpsc::channel();
            (Tx::Free(tx), rx)
        }
        Some(bound) => {
            let (tx, rx) = mpsc::sync_channel(bound);
            (Tx::Bounded(tx), rx)
        }
    };
    let tx = Arc::new(tx);
    let theirs = rx.clone();
    let (mut sent, mut received) = ((0_u64, 0_u64), (0_u64, 0_u64));
    let stops = churn(
        8,
        move |at| {
            let (mut count, mut sum) = (0_u64, 0_u64);
            if at % 2 == 0 {
                loop {
                    let message = count * 8 + at as u64;
                    let outcome = match &*tx {
                        Tx::Free(tx) => tx.send_or_stop(message),
                        Tx::Bounded(tx) => tx.send_or_stop(message),
                    };
                    match outcome {
                        Ok(result) => result.unwrap(),
                        Err(Stopped { .. }) => break,
                    }
                    count += 1;
                    sum += message;
                    std::thread::yield_now();
                }
            } else {
                while let Ok(message) = theirs.recv_or_stop() {
                    count += 1;
                    sum += message.unwrap();
                }
            }
            (at % 2 == 0, count, sum)
        },
        |(sender, count, sum)| {
            let total = if sender { &mut sent } else { &mut received };
            total.0 += count;
            total.1 += sum;
        },
    );
    for message in rx.try_iter() {
        received.0 += 1;
        received.1 += message;
    }
    assert_eq!(sent, received, "bound {bound:?}: count and sum");
    (sent.0, stops)
}
