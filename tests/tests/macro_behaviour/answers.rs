//! What a stop leaves where a loop can end by itself.

use crate::prelude::*;

#[stoppable]
fn half(socket: &UnixDatagram) -> io::Result<u8> {
    let mut sum = 0;
    for _ in 0..9 {
        #[blocking(break)]
        socket.recv(&mut [0])?;
        sum += 1;
        if sum == 3 {
            request();
        }
    }
    Ok(sum)
}

#[stoppable]
fn whole(socket: &UnixDatagram) -> io::Result<u8> {
    let mut sum = 0;
    while sum < 9 {
        #[blocking(return)]
        socket.recv(&mut [0])?;
        sum += 1;
        if sum == 3 {
            request();
        }
    }
    Ok(sum)
}

/// One mark speaks for its whole loop, and overrules the function's word.
#[stoppable(return)]
fn both(socket: &UnixDatagram) -> io::Result<u8> {
    let mut sum = 0;
    while sum < 9 {
        #[blocking]
        socket.recv(&mut [0])?;
        for _ in 0..2 {
            sum += 1;
            blocking!(break, socket.recv(&mut [0]))?;
            if sum == 3 {
                request();
            }
        }
    }
    for _ in 0..1 {
        #[blocking]
        socket.recv(&mut [0])?;
    }
    Ok(sum)
}

#[stoppable]
fn checked(mut count: u8) -> Option<u8> {
    #[checkpoint(return)]
    while count < 9 {
        count += 1;
        if count == 3 {
            request();
        }
    }
    Some(count)
}

#[stoppable(or = 77, return)]
fn otherwise(socket: &UnixDatagram) -> u8 {
    #[blocking]
    for line in BufReader::new(io::empty()).lines() {
        drop(line);
    }
    for _ in 0..9 {
        #[blocking]
        socket.recv(&mut [0]).unwrap();
        request();
    }
    1
}

#[test]
fn the_mark_says_what_is_left() {
    assert_eq!(requested_after(|| half(&datagrams(9).1).unwrap()), 3);
    assert!(requested_after(|| is_stopped(&whole(&datagrams(9).1).unwrap_err())));
    assert!(requested_after(|| is_stopped(&both(&datagrams(9).1).unwrap_err())));
    assert_eq!(requested_after(|| checked(0)), None);
    assert_eq!(requested_after(|| otherwise(&datagrams(9).1)), 77);
}

#[test]
fn without_a_stop_there_is_the_whole() {
    #[stoppable]
    fn all(socket: &UnixDatagram) -> io::Result<u8> {
        let mut sum = 0;
        for _ in 0..9 {
            #[blocking(return)]
            socket.recv(&mut [0])?;
            sum += 1;
        }
        Ok(sum)
    }
    assert_eq!(all(&datagrams(9).1).unwrap(), 9);
    assert_eq!(checked(3), Some(9));
}

#[stoppable]
fn either(socket: &UnixDatagram, mut stream: &UnixStream, first: bool) -> io::Result<usize> {
    let mut buffer = [0; 4];
    #[blocking]
    let length = if first {
        socket.recv(&mut buffer)
    } else {
        let buffer = &mut buffer[..2];
        stream.read(buffer)
    }?;
    #[blocking]
    let more = match length {
        1 => stream.read(&mut buffer)?,
        2 if first => return Ok(0),
        _ => socket.recv(&mut buffer)?,
    };
    Ok(length * 10 + more)
}

/// The call of a tail may stand in the head of another `match`.
#[stoppable]
fn in_a_head(socket: &UnixDatagram, again: bool) -> io::Result<usize> {
    #[blocking]
    let length = if again {
        match socket.recv(&mut [0]) {
            Ok(length) => length + 1,
            Err(error) => return Err(error),
        }
    } else if socket.peer_addr().is_ok() {
        if let Ok(length) = socket.recv(&mut [0]) {
            length
        } else {
            return Ok(9);
        }
    } else {
        7
    };
    Ok(length)
}

fn is_open(socket: &UnixDatagram) -> bool {
    socket.peer_addr().is_ok()
}

/// The calls are tails of a tail, behind a head with a call of one's own.
#[stoppable]
fn deep(socket: &UnixDatagram, again: bool) -> io::Result<usize> {
    #[blocking]
    let length = if is_open(socket) {
        if again { socket.recv(&mut [0]) } else { socket.recv(&mut [0; 2]) }
    } else {
        Ok(7)
    }?;
    Ok(length)
}

#[test]
fn tails_of_tails_are_found_behind_a_call() {
    for again in [true, false] {
        let (_sender, socket) = datagrams(0);
        let thread = waiting(move || deep(&socket, again));
        assert!(is_stopped(&thread.stop_and_join().unwrap().unwrap_err()));
    }
}

#[test]
fn a_call_in_the_head_of_a_tail_is_one_of_them() {
    for again in [true, false] {
        let (_sender, socket) = datagrams(1);
        assert_eq!(in_a_head(&socket, again).unwrap(), 1 + usize::from(again));
        let (_sender, socket) = datagrams(0);
        let thread = waiting(move || in_a_head(&socket, again));
        assert!(is_stopped(&thread.stop_and_join().unwrap().unwrap_err()));
    }
}

#[test]
fn a_mark_speaks_of_each_tail() {
    let with = |first| {
        let (sender, socket) = datagrams(1);
        let (mut writer, stream) = UnixStream::pair().unwrap();
        writer.write_all(&[1, 2, 3]).unwrap();
        let result = either(&socket, &stream, first);
        drop(sender);
        result
    };
    assert_eq!(with(true).unwrap(), 13);
    assert_eq!(with(false).unwrap(), 21);
    for first in [true, false] {
        assert!(is_stopped(&requested(move || with(first)).unwrap_err()));
    }
}
