//! Loops that only a stop ends, and functions that are not asked what it leaves.
#![deny(warnings)]
#![forbid(unsafe_code)]
#![allow(while_true)]

use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;

use stopruntime::stoppable;

#[stoppable]
fn endless(socket: &UnixDatagram, listener: &TcpListener) -> io::Result<u8> {
    match socket.recv(&mut [0])? {
        1 => {
            while true {
                #[blocking]
                socket.recv(&mut [0])?;
                for _ in 0..3 {
                    break;
                }
            }
            Ok(2)
        }
        2 => {
            #[blocking]
            for stream in listener.incoming() {
                drop(stream?);
            }
            Ok(3)
        }
        3 => {
            for _number in 0.. {
                #[blocking]
                socket.recv(&mut [0])?;
            }
            Ok(4)
        }
        4 => {
            for number in [1, 2].iter().cycle() {
                #[blocking]
                socket.send(&[*number])?;
            }
            Ok(5)
        }
        _ => {
            for number in std::iter::repeat(1) {
                #[blocking]
                socket.send(&[number])?;
            }
            Ok(6)
        }
    }
}

#[stoppable]
fn unit(socket: &UnixDatagram) {
    for _ in 0..1 {
        let _ = blocking!(socket.recv(&mut [0]));
    }
    let closure = || {
        for _ in 0..1 {
            let _ = blocking!(socket.recv(&mut [0]));
        }
        println!("left");
    };
    let another = || -> () {
        #[checkpoint]
        for _ in 0..3 {}
    };
    closure();
    another();
}

#[stoppable(return)]
fn for_all(socket: &UnixDatagram) -> io::Result<()> {
    for _ in 0..3 {
        #[blocking]
        socket.send(&[1])?;
    }
    let closure = || -> io::Result<u8> {
        for _ in 0..3 {
            #[blocking]
            socket.send(&[1])?;
        }
        Ok(1)
    };
    closure()?;
    Ok(())
}

fn main() {
    let (one, other) = UnixDatagram::pair().unwrap();
    for_all(&one).unwrap();
    unit(&other);
    drop(one);
    let _ = endless;
}
