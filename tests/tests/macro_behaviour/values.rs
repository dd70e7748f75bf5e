//! Loops with a value, and no loop.

use crate::prelude::*;

#[stoppable]
fn bound(socket: &UnixDatagram) -> io::Result<u8> {
    let mut buffer = [0];
    let found = loop {
        #[blocking]
        socket.recv(&mut buffer)?;
        if buffer[0] == 2 {
            break buffer[0];
        }
    };
    Ok(found * 10)
}

#[stoppable]
fn tail(socket: &UnixDatagram) -> Result<u8, io::Error> {
    let mut buffer = [0];
    loop {
        #[blocking]
        socket.recv(&mut buffer)?;
        if buffer[0] == 2 {
            return Ok(buffer[0]);
        }
    }
}

#[stoppable]
fn tail_with_semicolon(socket: &UnixDatagram) -> io::Result<u8> {
    let mut buffer = [0];
    loop {
        #[blocking]
        socket.recv(&mut buffer)?;
        if buffer[0] == 2 {
            return Ok(buffer[0]);
        }
    }
}

#[stoppable]
fn optional(socket: &UnixDatagram) -> Option<u8> {
    let mut buffer = [0];
    #[blocking]
    socket.recv(&mut buffer).ok()?;
    Some(buffer[0])
}

#[stoppable(or = 77)]
fn number(socket: &UnixDatagram) -> u8 {
    let mut buffer = [0];
    #[blocking]
    socket.recv(&mut buffer).unwrap();
    buffer[0]
}

#[stoppable]
fn nothing(socket: &UnixDatagram, reached: &mut bool) {
    #[blocking]
    socket.recv(&mut [0]).unwrap();
    *reached = true;
}

#[test]
fn a_loop_with_a_value_leaves_the_function() {
    for function in [bound, tail, tail_with_semicolon] {
        assert!(function(&datagrams(3).1).unwrap() >= 2);
        let error = requested(move || function(&datagrams(3).1).unwrap_err());
        assert!(is_stopped(&error));
    }
}

#[test]
fn without_a_loop_the_function_is_left() {
    assert_eq!(optional(&datagrams(1).1), Some(0));
    assert_eq!(requested(|| optional(&datagrams(1).1)), None);
    assert_eq!(number(&datagrams(1).1), 0);
    assert_eq!(requested(|| number(&datagrams(1).1)), 77);
    let run = || {
        let mut reached = false;
        nothing(&datagrams(1).1, &mut reached);
        reached
    };
    assert!(run());
    assert!(!requested(run));
}

#[stoppable]
fn inner_value(socket: &UnixDatagram) -> io::Result<&'static str> {
    let mut buffer = [0];
    loop {
        let value = loop {
            #[blocking]
            socket.recv(&mut buffer)?;
            if buffer[0] == 1 {
                break 3;
            }
        };
        if value == 3 {
            return Ok("value");
        }
    }
    Ok("left the outermost")
}

#[test]
fn a_loop_with_a_value_inside_a_plain_one() {
    assert_eq!(inner_value(&datagrams(2).1).unwrap(), "value");
    let left = requested(|| inner_value(&datagrams(2).1).unwrap());
    assert_eq!(left, "left the outermost");
}

#[stoppable]
fn unit_tail(socket: &UnixDatagram, log: &mut Vec<u8>) {
    let mut buffer = [0];
    log.push(1);
    loop {
        #[blocking]
        socket.recv(&mut buffer).unwrap();
        log.push(2);
    }
}

#[test]
fn a_tail_loop_without_a_value_is_a_plain_one() {
    let log = requested(|| {
        let mut log = Vec::new();
        unit_tail(&datagrams(2).1, &mut log);
        log
    });
    assert_eq!(log, [1]);
}
