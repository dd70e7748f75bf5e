//! `readable`, `writable`, `as_is`, `strict`, `or`, `#[unstoppable]`.
#![deny(warnings)]
#![forbid(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;

use stopruntime::stoppable;

struct Port {
    socket: UnixDatagram,
    ports: Vec<Port>,
}

impl Port {
    fn recv(&mut self) -> u8 {
        0
    }

    fn event(&mut self) -> io::Result<&[u8]> {
        Ok(&[])
    }

    fn put(&self, _: &[u8]) {}
}

impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn event(port: &Port) -> io::Result<u8> {
    let _ = port;
    Ok(1)
}

#[stoppable]
fn ready(port: &mut Port, list: &mut Vec<u8>) -> io::Result<u8> {
    loop {
        #[blocking(readable)]
        let byte = port.recv();
        list.push(byte);
        #[blocking(readable)]
        list.extend(port.event()?);
        #[blocking(writable)]
        port.put(list);
        #[blocking(readable)]
        port.ports[0].event()?;
        #[blocking(readable)]
        (*port).event()?;
        #[blocking(readable = port.socket)]
        let byte = event(port)?;
        #[blocking(writable = &port.socket)]
        port.put(&[byte]);
        #[blocking(readable)]
        match port.event()? {
            [] => {}
            [first, ..] => println!("{first}"),
        }
        #[blocking(as_is)]
        port.event()?;
    }
    #[blocking(readable)]
    Ok(port.recv())
}

#[stoppable(or = None, strict)]
fn strict(socket: &UnixDatagram) -> Option<Result<usize, io::Error>> {
    let path = std::path::Path::new("a").join("b");
    println!("{}", path.display());
    #[unstoppable]
    {
        socket.recv(&mut [0]).unwrap();
    }
    let length = #[unstoppable]
    loop {
        if let Ok(length) = socket.recv(&mut [0]) {
            break length;
        }
    };
    #[unstoppable]
    'all: for _ in 0..length {
        if socket.recv(&mut [0]).is_err() {
            break 'all;
        }
    }
    #[unstoppable]
    while let Ok(1..) = socket.recv(&mut [0]) {}
    let _value = {
        #[unstoppable]
        {
            5
        }
    };
    Some(blocking!(socket.recv(&mut [0])))
}

fn main() {
    let _ = (ready, strict);
}
