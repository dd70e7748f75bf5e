//! Loops of every kind, with and without labels, in every place.
#![deny(warnings)]
#![forbid(unreachable_code, unreachable_patterns, unused_imports, unused_variables)]
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::sync::Mutex;

use stopruntime::stoppable;

#[stoppable(break)]
fn kinds(socket: &UnixDatagram, queue: &Mutex<VecDeque<u8>>, list: &[u8]) -> io::Result<u32> {
    let mut buffer = [0];
    let mut count = 0;
    loop {
        count += 1;
        #[blocking]
        socket.recv(&mut buffer)?;
    }
    while count < 10 {
        #[blocking]
        socket.recv(&mut buffer)?;
        count += 1;
    }
    while let Some(message) = queue.lock().unwrap().pop_front() {
        #[blocking]
        socket.send(&[message])?;
    }
    while let Some(message) = queue.lock().unwrap().pop_front()
        && message > 3
    {
        #[blocking]
        socket.send(&[message])?;
    }
    for (index, &message) in list.iter().enumerate() {
        if index == 3 {
            continue;
        }
        #[blocking]
        socket.send(&[message])?;
    }
    for _ in 0..3 {
        blocking!(socket.recv(&mut buffer))?;
    }
    for [a, b] in [[1, 2], [3, 4]] {
        #[blocking]
        socket.send(&[a, b])?;
    }
    #[allow(clippy::never_loop)]
    for _ in 0..3 {
        #[blocking]
        socket.recv(&mut buffer)?;
        break;
    }
    Ok(count)
}

#[stoppable(break)]
fn labels(socket: &UnixDatagram) -> io::Result<()> {
    let mut buffer = [0];
    'outer: loop {
        'inner: for number in 0..3 {
            #[blocking]
            socket.recv(&mut buffer)?;
            match (buffer[0], number) {
                (0, _) => continue 'outer,
                (1, _) => continue 'inner,
                (2, 2) => break 'outer,
                _ => {}
            }
        }
        let _value = 'block: {
            if blocking!(socket.recv(&mut buffer)).is_ok() {
                break 'block 5;
            }
            6
        };
        while buffer[0] > 3 {
            #[blocking]
            socket.recv(&mut buffer)?;
            loop {
                #[blocking]
                let length = socket.recv(&mut buffer)?;
                if length == 0 {
                    break;
                }
            }
        }
    }
    'same: for _ in 0..3 {
        blocking!(socket.recv(&mut buffer))?;
        if buffer[0] == 1 {
            break 'same;
        }
    }
    'same: for _ in 0..3 {
        blocking!(socket.recv(&mut buffer))?;
        continue 'same;
    }
    Ok(())
}

#[stoppable]
fn values(socket: &UnixDatagram) -> io::Result<u32> {
    let mut buffer = [0];
    let mut total: u32 = loop {
        if blocking!(socket.recv(&mut buffer))? == 1 {
            break 1;
        }
    };
    total += loop {
        #[blocking]
        socket.recv(&mut buffer)?;
        break 4;
    };
    let _option = Some(loop {
        #[blocking]
        socket.recv(&mut buffer)?;
        if buffer[0] == 2 {
            break;
        }
    });
    if total > 3 {
        loop {
            #[blocking]
            socket.recv(&mut buffer)?;
            if buffer[0] == 2 {
                return Ok(4);
            }
        }
    } else {
        match total {
            1 => loop {
                #[blocking]
                socket.recv(&mut buffer)?;
                if buffer[0] == 2 {
                    break Ok(4);
                }
            },
            _ => Ok(3),
        }
    }
}

#[stoppable]
fn never_left(socket: &UnixDatagram) -> Result<u8, io::Error> {
    if socket.local_addr().is_ok() {
        return Ok(1);
    }
    loop {
        #[blocking]
        socket.recv(&mut [0])?;
    }
}

#[stoppable]
fn unit(socket: &UnixDatagram, flag: bool) {
    if flag {
        loop {
            #[blocking]
            socket.recv(&mut [0]).unwrap();
        }
    } else {
        while socket.local_addr().is_ok() {
            #[blocking]
            socket.recv(&mut [0]).unwrap();
        }
    }
}

#[stoppable]
fn diverging_else(socket: &UnixDatagram, value: Option<u8>) -> io::Result<u8> {
    let Some(value) = value else {
        loop {
            #[blocking]
            socket.recv(&mut [0])?;
        }
    };
    Ok(value)
}

#[stoppable(break)]
fn iterators(listener: &TcpListener, stream: TcpStream) -> io::Result<()> {
    #[blocking]
    for stream in listener.incoming() {
        let mut stream = stream?;
        #[blocking]
        'bytes: for byte in stream.try_clone()?.bytes() {
            if byte? == 0 {
                break 'bytes;
            }
            #[blocking]
            stream.read_exact(&mut [0])?;
        }
    }
    let mut reader = io::BufReader::new(stream);
    #[blocking]
    for line in (&mut reader).lines() {
        println!("{}", line?);
    }
    #[blocking]
    for part in reader.split(b',') {
        println!("{:?}", part?);
    }
    Ok(())
}

#[stoppable(break)]
fn checkpoints(limit: u64) -> u64 {
    let mut sum = 0;
    #[checkpoint]
    for number in 0..limit {
        #[checkpoint]
        while sum < number {
            sum += number;
        }
    }
    #[checkpoint]
    loop {
        sum += 1;
        if sum > limit {
            break;
        }
    }
    #[checkpoint]
    'labelled: while let Some(next) = sum.checked_mul(2) {
        sum = next;
        if sum > 1 << 20 {
            continue 'labelled;
        }
    }
    sum
}

fn main() {
    let _ = (kinds, labels, values, never_left, unit, diverging_else, iterators, checkpoints);
}
