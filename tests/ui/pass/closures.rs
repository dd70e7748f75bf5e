//! Marks in closures.
#![deny(warnings)]
#![forbid(unreachable_code, unreachable_patterns, unused_imports, unused_variables)]
#![forbid(unsafe_code)]

use std::io;
use std::net::{TcpListener, UdpSocket};

use stopruntime::{stoppable, thread};

#[stoppable(or = 5)]
fn threads(listener: TcpListener, socket: UdpSocket, other: UdpSocket) -> u32 {
    let _endless = thread::spawn(move || {
        loop {
            #[blocking]
            let (length, _sender) = socket.recv_from(&mut [0; 9]).unwrap();
            println!("{length}");
        }
    });
    let _expression = thread::spawn(move || loop {
        match blocking!(listener.accept()) {
            Ok((_stream, sender)) => println!("{sender}"),
            Err(error) => eprintln!("{error}"),
        }
    });
    let third = thread::spawn(move || -> io::Result<u64> {
        let mut total = 0;
        while total < 100 {
            #[blocking(break)]
            let length = other.recv(&mut [0; 9])?;
            total += length as u64;
        }
        Ok(total)
    });
    blocking!(third.join()).unwrap().unwrap() as u32
}

#[stoppable]
fn results(socket: &UdpSocket) -> io::Result<()> {
    let with_question_mark = || loop {
        #[blocking]
        let length = socket.recv(&mut [0; 9])?;
        if length == 0 {
            return Ok::<u8, io::Error>(3);
        }
    };
    let with_break = || loop {
        if let Ok(length) = blocking!(socket.recv(&mut [0; 9])) {
            break Some(length);
        }
    };
    let no_loop = |buffer: &mut [u8]| blocking!(socket.recv(buffer));
    let unit = || -> () {
        loop {
            #[blocking]
            socket.recv(&mut [0; 9]).unwrap();
        }
    };
    let nested = || {
        let inner = || {
            loop {
                #[blocking]
                socket.recv(&mut [0; 9]).unwrap();
            }
        };
        for _ in 0..3 {
            #[blocking(break)]
            socket.send(&[0]).unwrap();
            inner();
        }
        7
    };
    with_question_mark()?;
    with_break();
    no_loop(&mut [0])?;
    unit();
    nested();
    Ok(())
}

#[stoppable]
fn as_argument(socket: &UdpSocket) -> io::Result<Vec<usize>> {
    (0..3).map(|_| blocking!(socket.recv(&mut [0]))).collect()
}

fn main() {
    let _ = (threads, results, as_argument);
}
