//! Every shape of expansion under the strictest lints: they speak of what the
//! user wrote, never of what the attribute made of it.
#![deny(warnings, clippy::all, clippy::pedantic, clippy::nursery)]
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::thread::sleep;
use std::time::Duration;

use stopruntime::{stoppable, thread};

#[stoppable(break)]
fn loops(socket: &UnixDatagram, queue: &mut VecDeque<u8>, list: &[u8]) -> io::Result<usize> {
    let mut buffer = [0; 8];
    let mut total = 0;
    loop {
        #[blocking]
        let length = socket.recv(&mut buffer)?;
        total += length;
        if total > 100 {
            break;
        }
    }
    loop {
        total += 1;
        #[blocking]
        socket.send(&buffer)?;
    }
    while total > 0 {
        total -= 1;
        #[blocking]
        socket.send(&buffer)?;
    }
    while let Some(message) = queue.pop_front() {
        #[blocking]
        socket.send(&[message])?;
    }
    for (index, message) in list.iter().enumerate() {
        if index == 3 {
            continue;
        }
        #[blocking]
        socket.send(&[*message])?;
    }
    'outer: for &message in list {
        for _ in 0..message {
            if blocking!(socket.recv(&mut buffer))? == 3 {
                break 'outer;
            }
        }
    }
    for _round in 0..3 {
        #[blocking]
        socket.send(&buffer)?;
    }
    #[checkpoint]
    while let Some(message) = queue.pop_front() {
        total += usize::from(message);
    }
    let found = loop {
        if blocking!(socket.recv(&mut buffer))? == 3 {
            break buffer[0];
        }
    };
    #[unstoppable]
    {
        socket.send(&[found])?;
    }
    #[unstoppable]
    for message in list {
        socket.send(&[*message])?;
    }
    Ok(total)
}

#[stoppable]
fn calls(stream: &mut UnixStream, socket: &UnixDatagram) -> io::Result<()> {
    let mut buffer = [0; 8];
    #[blocking]
    let Ok(length) = stream.read(&mut buffer) else {
        return Ok(());
    };
    #[blocking]
    stream.write_all(&buffer[..length])?;
    #[blocking]
    match stream.read(&mut buffer) {
        Ok(0) => return Ok(()),
        Ok(length) => println!("{length}"),
        Err(error) => eprintln!("{error}"),
    }
    #[blocking]
    if let Ok(length) = stream.read(&mut buffer) {
        println!("{length}");
    }
    #[blocking]
    sleep(Duration::from_millis(1));
    #[blocking]
    std::thread::sleep(Duration::from_millis(1));
    #[blocking]
    io::Write::flush(stream)?;
    #[blocking(as_is)]
    frame(socket)?;
    #[blocking(readable)]
    socket.recv(&mut buffer)?;
    #[blocking(writable)]
    let _length = socket.send(&buffer)?;
    #[blocking(as_is)]
    socket.recv(&mut buffer).map(drop)?;
    #[blocking]
    socket.recv(&mut buffer).map(drop)
}

#[stoppable]
fn frame(socket: &UnixDatagram) -> io::Result<usize> {
    blocking!(socket.recv(&mut [0]))
}

#[stoppable(or = 7, strict)]
fn number(socket: &UnixDatagram) -> usize {
    #[blocking]
    socket.recv(&mut [0]).unwrap_or(0)
}

#[stoppable]
fn unit(listener: &TcpListener) {
    #[blocking]
    for stream in listener.incoming() {
        let Ok(stream) = stream else { continue };
        #[blocking]
        for line in BufReader::new(stream).lines() {
            println!("{line:?}");
        }
    }
}

#[stoppable]
fn closures(socket: UnixDatagram) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        loop {
            #[blocking]
            let received = socket.recv(&mut [0]);
            if let Err(error) = received {
                eprintln!("{error}");
            }
        }
    })
}

#[test]
fn it_is_quiet() {
    let (one, other) = UnixDatagram::pair().unwrap();
    one.send(&[0; 3]).unwrap();
    assert_eq!(number(&other), 1);
    let _ = (loops, calls, frame, unit, closures, amounts_are_looked_at);
}

/// clippy says of a marked call what it says of a plain one; rustc does not ask.
#[stoppable]
#[expect(clippy::unused_io_amount, reason = "it is what is tested")]
fn amounts_are_looked_at(stream: &mut UnixStream, buffer: &mut [u8]) -> io::Result<()> {
    #[blocking]
    stream.read(buffer)?;
    Ok(())
}
