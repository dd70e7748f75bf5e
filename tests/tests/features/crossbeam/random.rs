//! Messages in = messages out + messages left, each once, whatever is stopped
//! when. `STOP_TESTS_SECONDS` says how long each run takes (1 by default).

use crossbeam_channel::{Receiver, Sender, bounded, select, unbounded};
use std::time::Duration;
use stop_tests::churn::churn;
use stop_tests::per_backend;
use stopruntime::Stopped;
use stopruntime::crossbeam::stop_channel;
use stopruntime::ext::{ReceiverOrStop, SenderOrStop};

/// How many messages, and their sum.
type Count = (u64, u64);

const LONG: Duration = Duration::from_secs(100_000);

/// Sends until it is stopped.
fn send(at: usize, sender: &Sender<u64>) -> Count {
    let (mut count, mut sum) = (0, 0);
    loop {
        let message = count * 8 + at as u64;
        let outcome = if at & 2 == 0 {
            sender.send_or_stop(message).map(|sent| sent.unwrap())
        } else {
            sender.send_timeout_or_stop(message, LONG).map(|sent| sent.unwrap())
        };
        let Ok(()) = outcome else { return (count, sum) };
        count += 1;
        sum += message;
        std::thread::yield_now();
    }
}

/// Receives until it is stopped, each receiver in one of the ways there are.
fn receive(at: usize, receiver: &Receiver<u64>) -> Count {
    let stop = stop_channel();
    let (mut count, mut sum) = (0, 0);
    loop {
        let outcome: Result<u64, Option<Stopped>> = match at / 2 % 3 {
            0 => receiver.recv_or_stop().map(Result::unwrap).map_err(Some),
            1 => receiver.recv_timeout_or_stop(LONG).map(Result::unwrap).map_err(Some),
            _ => select! {
                recv(receiver) -> message => Ok(message.unwrap()),
                recv(stop) -> _ => Err(None),
            },
        };
        let Ok(message) = outcome else { return (count, sum) };
        count += 1;
        sum += message;
    }
}

fn under_random_stops(bound: Option<usize>) {
    let (sender, receiver) = bound.map_or_else(unbounded, bounded);
    let theirs = receiver.clone();
    let (mut sent, mut got) = ((0, 0), (0, 0));
    let stops = churn(
        8,
        move |at| {
            let sends = at % 2 == 0;
            (sends, if sends { send(at, &sender) } else { receive(at, &theirs) })
        },
        |(sends, (count, sum)): (bool, Count)| {
            let total: &mut Count = if sends { &mut sent } else { &mut got };
            *total = (total.0 + count, total.1 + sum);
        },
    );
    for message in receiver.try_iter() {
        got = (got.0 + 1, got.1 + message);
    }
    assert_eq!(sent, got, "bound {bound:?}: count and sum");
    println!("bound {bound:?}: {} messages, {stops} stops", sent.0);
}

per_backend! {
    fn no_message_is_lost_under_random_stops() {
        for bound in [None, Some(0), Some(1), Some(8)] {
            under_random_stops(bound);
        }
    }
}
