//! Loops.

use crate::prelude::*;

#[stoppable(break)]
fn sum(socket: &UnixDatagram, until: u8) -> io::Result<(u32, &'static str)> {
    let mut buffer = [0];
    let mut sum = 0;
    loop {
        #[blocking]
        let length = socket.recv(&mut buffer)?;
        assert_eq!(length, 1);
        if buffer[0] == until {
            break;
        }
        sum += u32::from(buffer[0]);
    }
    Ok((sum, "cleaned up"))
}

#[test]
fn a_loop_runs_as_it_would() {
    let (_sender, receiver) = datagrams(5);
    assert_eq!(sum(&receiver, 4).unwrap(), (6, "cleaned up"));
}

#[test]
fn a_loop_is_left_as_by_break() {
    let left = requested(|| {
        let (_sender, receiver) = datagrams(5);
        (sum(&receiver, 4).unwrap(), receiver.recv(&mut [0]).unwrap())
    });
    // Nothing was received, and every datagram is still there.
    assert_eq!(left, ((0, "cleaned up"), 1));
}

#[test]
fn a_waiting_call_is_ended() {
    let (_sender, receiver) = datagrams(0);
    let waiting = waiting(move || sum(&receiver, 4));
    waiting.request_stop();
    assert_eq!(waiting.join().unwrap().unwrap(), (0, "cleaned up"));
}

#[stoppable]
fn requested_half_way(socket: &UnixDatagram) -> io::Result<u32> {
    let mut buffer = [0];
    let mut rounds = 0;
    loop {
        #[blocking]
        socket.recv(&mut buffer)?;
        rounds += 1;
        if buffer[0] == 2 {
            request();
        }
    }
    Ok(rounds)
}

#[test]
fn what_a_call_returned_is_worked_on() {
    let (left, next) = requested_after(|| {
        let (_sender, receiver) = datagrams(9);
        let left = requested_half_way(&receiver).unwrap();
        let mut buffer = [0];
        receiver.recv(&mut buffer).unwrap();
        (left, buffer[0])
    });
    assert_eq!((left, next), (3, 3));
}

#[stoppable(break)]
fn nested_loops(socket: &UnixDatagram, log: &mut Vec<&'static str>) -> io::Result<()> {
    let mut buffer = [0];
    for _round in 0..3 {
        log.push("round");
        while buffer[0] < 10 {
            log.push("inner");
            loop {
                #[blocking]
                socket.recv(&mut buffer)?;
                if buffer[0] == 1 {
                    request();
                }
            }
        }
    }
    log.push("after");
    Ok(())
}

#[test]
fn the_outermost_loop_is_left() {
    let log = requested_after(|| {
        let (_sender, receiver) = datagrams(2);
        let mut log = Vec::new();
        nested_loops(&receiver, &mut log).unwrap();
        log
    });
    assert_eq!(log, ["round", "inner", "after"]);
}

#[stoppable(break)]
fn labels(socket: &UnixDatagram) -> io::Result<Vec<u8>> {
    let mut seen = Vec::new();
    let mut buffer = [0];
    'outer: loop {
        'inner: loop {
            #[blocking]
            socket.recv(&mut buffer)?;
            match buffer[0] {
                0 => continue,
                1 => continue 'inner,
                2 => continue 'outer,
                3 => break 'inner,
                4 => break 'outer,
                5 => request(),
                _ => {}
            }
            seen.push(buffer[0]);
        }
        seen.push(100);
    }
    seen.push(200);
    Ok(seen)
}

#[test]
fn labels_keep_their_meaning() {
    let (_sender, receiver) = datagrams(5);
    assert_eq!(labels(&receiver).unwrap(), [100, 200]);
    let seen = requested_after(|| {
        let (sender, receiver) = datagrams(4);
        sender.send(&[9]).unwrap();
        sender.send(&[5]).unwrap();
        labels(&receiver).unwrap()
    });
    assert_eq!(seen, [100, 9, 5, 200]);
}

#[stoppable]
fn two_loops(socket: &UnixDatagram, log: &mut Vec<u8>) {
    let mut buffer = [0];
    loop {
        if blocking!(socket.recv(&mut buffer)).is_err() || buffer[0] == 1 {
            break;
        }
        log.push(1);
    }
    loop {
        if blocking!(socket.recv(&mut buffer)).is_err() || buffer[0] == 3 {
            break;
        }
        log.push(2);
    }
    log.push(3);
}

#[test]
fn each_outermost_loop_is_left_by_itself() {
    let mut log = Vec::new();
    two_loops(&datagrams(4).1, &mut log);
    assert_eq!(log, [1, 2, 3]);
    let log = requested(|| {
        let mut log = Vec::new();
        two_loops(&datagrams(4).1, &mut log);
        log
    });
    assert_eq!(log, [3]);
}

#[stoppable]
fn flushing(socket: &UnixDatagram, pending: &mut VecDeque<u8>) -> io::Result<usize> {
    let mut buffer = [0];
    loop {
        #[blocking]
        socket.recv(&mut buffer)?;
    }
    let mut flushed = 0;
    while let Some(_message) = pending.pop_front() {
        flushed += 1;
    }
    for _ in 0..3 {
        flushed += 1;
    }
    Ok(flushed)
}

#[test]
fn clean_up_loops_run_to_their_end() {
    let flushed = requested(|| {
        let (_sender, receiver) = datagrams(0);
        flushing(&receiver, &mut VecDeque::from([1, 2, 3, 4])).unwrap()
    });
    assert_eq!(flushed, 7);
}
