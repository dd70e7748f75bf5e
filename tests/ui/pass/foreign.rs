//! `foreign`, `foreign_reset` and `unblock`, in the forms that compile.
#![deny(warnings)]
#![forbid(unsafe_code)]

use std::io::{self, Read};
use std::net::{Shutdown, TcpStream};
use std::sync::Mutex;
use std::time::Duration;

use stopruntime::stoppable;

fn query(mut stream: &TcpStream, at: u8) -> io::Result<u8> {
    let mut byte = [at];
    stream.read_exact(&mut byte)?;
    Ok(byte[0])
}

fn number(_: &TcpStream) -> u8 {
    1
}

fn next(stream: &TcpStream) -> Option<io::Result<u8>> {
    Some(query(stream, 1))
}

#[stoppable(return)]
fn foreign(stream: &TcpStream, text: &Mutex<String>) -> io::Result<u8> {
    #[blocking(foreign)]
    let at = query(stream, 1)?;
    // `?` and `return` in the operands, and a temporary that the value borrows from.
    blocking!(foreign, query(stream, u8::try_from(at).map_err(io::Error::other)?))?;
    #[blocking(foreign)]
    let length = text.lock().unwrap().as_str().len();
    #[blocking(foreign)]
    let one = number(stream);
    while let Some(byte) = blocking!(foreign, next(stream)) {
        let _ = byte?;
    }
    blocking!(foreign, within = Duration::from_secs(1), query(stream, one))?;
    let closure = || -> io::Result<u8> { blocking!(foreign, query(stream, 1)) };
    closure()?;
    Ok(u8::try_from(length).unwrap_or(one))
}

#[stoppable(return)]
fn foreign_reset(stream: &TcpStream, text: &Mutex<String>) -> io::Result<u8> {
    #[blocking(foreign_reset)]
    let at = query(stream, 1)?;
    blocking!(foreign_reset, query(stream, u8::try_from(at).map_err(io::Error::other)?))?;
    #[blocking(foreign_reset)]
    let length = text.lock().unwrap().as_str().len();
    while let Some(byte) = blocking!(foreign_reset, next(stream)) {
        let _ = byte?;
    }
    #[blocking(return, foreign_reset, within = Duration::from_secs(1))]
    query(stream, 1)?;
    Ok(u8::try_from(length).unwrap_or(at))
}

#[stoppable]
fn unblock(stream: &TcpStream) -> io::Result<u8> {
    loop {
        #[blocking(unblock = stream.shutdown(Shutdown::Both))]
        query(stream, 1)?;
        #[blocking(unblock = { stream.shutdown(Shutdown::Both).unwrap() }, within = Duration::MAX)]
        query(stream, 1)?;
        #[blocking(unblock = stream.shutdown(Shutdown::Both), return)]
        let _next = next(stream);
    }
}

fn main() {
    let _ = (foreign, foreign_reset, unblock);
}
