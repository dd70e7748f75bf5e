//! Where the checkpoint is.

use crate::prelude::*;

#[stoppable(break)]
fn pop_and_send(socket: &UnixDatagram, queue: &mut VecDeque<u8>) -> io::Result<()> {
    while let Some(message) = queue.pop_front() {
        #[blocking]
        socket.send(&[message])?;
    }
    Ok(())
}

#[test]
fn a_condition_is_not_evaluated_for_nothing() {
    let mut queue = VecDeque::from([1, 2, 3]);
    let (sender, _receiver) = datagrams(0);
    pop_and_send(&sender, &mut queue).unwrap();
    assert!(queue.is_empty());
    let left = requested(|| {
        let mut queue = VecDeque::from([1, 2, 3]);
        let (sender, _receiver) = datagrams(0);
        pop_and_send(&sender, &mut queue).unwrap();
        queue.len()
    });
    assert_eq!(left, 3, "the message that was not sent is still in the queue");
}

#[stoppable(break)]
fn take_and_send(socket: &UnixDatagram, items: &mut std::vec::IntoIter<u8>) -> io::Result<()> {
    for item in items {
        #[blocking]
        socket.send(&[item])?;
    }
    Ok(())
}

#[test]
fn an_item_is_not_taken_for_nothing() {
    let (sender, _receiver) = datagrams(0);
    let mut items = vec![1, 2, 3].into_iter();
    take_and_send(&sender, &mut items).unwrap();
    assert_eq!(items.len(), 0);
    let left = requested(|| {
        let (sender, _receiver) = datagrams(0);
        let mut items = vec![1, 2, 3].into_iter();
        take_and_send(&sender, &mut items).unwrap();
        items.len()
    });
    assert_eq!(left, 3);
}

#[stoppable(break)]
fn deep(socket: &UnixDatagram, rounds: &Cell<u32>) -> io::Result<()> {
    while rounds.get() < 5 {
        rounds.set(rounds.get() + 1);
        if rounds.get() == 2 {
            request();
        }
        // Not reached in every round: the checkpoint sees the request.
        if rounds.get() == 5 {
            #[blocking]
            socket.recv(&mut [0])?;
        }
    }
    Ok(())
}

#[test]
fn a_loop_that_holds_a_mark_has_a_checkpoint() {
    let rounds = requested_after(|| {
        let rounds = Cell::new(0);
        deep(&datagrams(0).1, &rounds).unwrap();
        rounds.get()
    });
    assert_eq!(rounds, 2);
}

#[stoppable(break)]
fn own_checkpoint(limit: u32) -> (u32, u32) {
    let mut rounds = 0;
    let mut outer = 0;
    while outer < 2 {
        outer += 1;
        #[checkpoint]
        while rounds < limit * outer {
            rounds += 1;
            if rounds == 3 {
                request();
            }
        }
    }
    (rounds, outer)
}

#[test]
fn a_checkpoint_leaves_the_outermost_loop() {
    assert_eq!(own_checkpoint(1), (2, 2));
    assert_eq!(requested_after(|| own_checkpoint(10)), (3, 1));
}

#[stoppable(break)]
fn condition(stream: &mut UnixStream, total: &mut usize) -> io::Result<()> {
    let mut buffer = [0; 2];
    while let length @ 1.. = blocking!(stream.read(&mut buffer))? {
        *total += length;
    }
    *total += 100;
    Ok(())
}

#[test]
fn a_mark_in_a_condition_leaves_its_loop() {
    let run = || {
        let (mut sender, mut receiver) = UnixStream::pair().unwrap();
        sender.write_all(b"12345").unwrap();
        drop(sender);
        let mut total = 0;
        condition(&mut receiver, &mut total).unwrap();
        total
    };
    assert_eq!(run(), 105);
    assert_eq!(requested(run), 100);
}
