//! `crate = PATH`, in every place of an expansion that names the runtime.
#![deny(warnings)]
#![forbid(unsafe_code)]

use std::io::{self, Read};
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use framework::runtime::stoppable;

mod framework {
    pub extern crate stopruntime as runtime;
}

#[stoppable(crate = crate::framework::runtime, strict)]
fn all(socket: &UnixDatagram, listener: &TcpListener) -> io::Result<u8> {
    let mut byte = [0];
    #[blocking]
    socket.recv(&mut byte)?;
    #[blocking]
    std::thread::sleep(Duration::ZERO);
    #[blocking(readable)]
    socket.recv(&mut byte)?;
    #[blocking]
    io::stdin().lock().read_exact(&mut [])?;
    #[unstoppable]
    {
        let _ = socket;
    }
    #[checkpoint(break)]
    for _ in 0..1 {}
    if byte[0] == 1 {
        return Ok(1);
    }
    #[blocking]
    for stream in listener.incoming() {
        drop(stream?);
    }
    Ok(0)
}

fn main() {
    let (one, other) = UnixDatagram::pair().unwrap();
    one.send(&[0]).unwrap();
    one.send(&[1]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    assert_eq!(all(&other, &listener).unwrap(), 1);
    let _ = framework::runtime::backend();
    let _: Option<&dyn Read> = None;
}
