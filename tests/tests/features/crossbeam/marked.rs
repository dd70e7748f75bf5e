//! The calls as they are marked.

use super::{requested, stopped_while_it_waits};
use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use std::sync::Arc;
use std::time::{Duration, Instant};
use stop_tests::per_backend;
use stopruntime::{Stopped, stoppable};

const LONG: Duration = Duration::from_secs(100_000);

#[stoppable(break)]
fn sum_of_owned(numbers: Receiver<u64>) -> u64 {
    let mut sum = 0;
    #[blocking]
    for number in numbers {
        sum += number;
    }
    sum
}

#[stoppable(break)]
fn sum_of_borrowed(numbers: &Receiver<u64>) -> u64 {
    let mut sum = 0;
    #[blocking]
    for number in numbers {
        sum += number;
    }
    sum
}

#[stoppable(break)]
fn sum_of_iter(numbers: &Arc<Receiver<u64>>) -> u64 {
    let mut sum = 0;
    #[blocking]
    for number in numbers.iter() {
        sum += number;
    }
    sum
}

#[stoppable(break)]
fn sum_of_calls(numbers: &Receiver<u64>) -> u64 {
    let mut sum = 0;
    loop {
        #[blocking]
        let Ok(number) = numbers.recv() else { break };
        sum += number;
    }
    sum
}

#[stoppable]
fn first_in_time(numbers: &Receiver<u64>) -> Result<u64, Stopped> {
    #[blocking]
    let first = numbers.recv_timeout(LONG).unwrap_or(0);
    #[blocking]
    let second = numbers.recv_deadline(Instant::now() + LONG).unwrap_or(0);
    let third = blocking!(Receiver::recv(numbers)).unwrap_or(0);
    Ok(first + second + third)
}

#[stoppable]
fn count(numbers: &Sender<u64>) -> u64 {
    let mut next = 1;
    loop {
        #[blocking]
        numbers.send(next).unwrap();
        #[blocking]
        numbers.send_timeout(next + 1, LONG).unwrap();
        #[blocking]
        numbers.send_deadline(next + 2, Instant::now() + LONG).unwrap();
        next += 3;
    }
    next
}

per_backend! {
    fn marked_loops_over_receivers_are_stopped_and_give_what_was_sent() {
        let (sender, receiver) = unbounded();
        let sums: [fn(Receiver<u64>) -> u64; 4] = [
            sum_of_owned,
            |numbers| sum_of_borrowed(&numbers),
            |numbers| sum_of_iter(&Arc::new(numbers)),
            |numbers| sum_of_calls(&numbers),
        ];
        for sum in sums {
            sender.send(2).unwrap();
            sender.send(3).unwrap();
            let theirs = receiver.clone();
            assert_eq!(stopped_while_it_waits(move || sum(theirs)), 5);
            sender.send(4).unwrap();
            let theirs = receiver.clone();
            assert_eq!(requested(move || sum(theirs)), 0);
            assert_eq!(receiver.recv(), Ok(4));
        }
        sender.send(6).unwrap();
        drop(sender);
        assert_eq!(sum_of_owned(receiver), 6);
    }

    fn marked_calls_with_a_time_out_return_and_are_stopped() {
        let (sender, receiver) = unbounded();
        for number in [1, 2, 3] {
            sender.send(number).unwrap();
        }
        assert_eq!(first_in_time(&receiver), Ok(6));
        assert!(stopped_while_it_waits(move || first_in_time(&receiver).is_err()));
    }

    fn marked_sends_are_stopped_after_what_found_room() {
        for bound in 0_u64..7 {
            let (sender, receiver) = bounded(usize::try_from(bound).unwrap());
            let next = stopped_while_it_waits(move || count(&sender));
            let sent: Vec<u64> = receiver.iter().collect();
            assert_eq!(sent, (1..=bound).collect::<Vec<_>>());
            assert_eq!(next, 1 + bound / 3 * 3);
        }
    }
}
