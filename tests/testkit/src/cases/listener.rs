//! Accepting.

use super::ends::{Shared, nonblocking};
use super::{Case, Fixture, MESSAGE, Outcome, expect, text};
use crate::Directory;
use core::any::Any;
use libc::{SYS_accept4, SYS_ppoll};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use stopruntime::ext::AcceptOrStop;

pub(super) const CASES: &[Case] = &[
    Case::new("TcpListener::accept", &[SYS_accept4], || {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let connect = move || TcpStream::connect(address);
        Ok(accepting(listener, |listener| Ok(listener.accept()?.0), connect, ()))
    })
    .on_ppoll(&[SYS_ppoll]),
    Case::new("UnixListener::accept", &[SYS_accept4], || {
        let directory = Directory::new()?;
        let path = directory.join("socket");
        let listener = UnixListener::bind(&path)?;
        let connect = move || UnixStream::connect(path);
        Ok(accepting(listener, |listener| Ok(listener.accept()?.0), connect, directory))
    })
    .on_ppoll(&[SYS_ppoll]),
];

fn accepting<L, S, A>(
    listener: L,
    accept: fn(&L) -> io::Result<S>,
    connect: impl FnOnce() -> io::Result<S> + Send + 'static,
    keep: impl Any + Send,
) -> Fixture
where
    L: AcceptOrStop<Accepted = (S, A)> + AsFd + Send + 'static,
    S: Read + Write + 'static,
{
    let listener = Shared::new(listener);
    let (plain, queue) = (listener.clone(), listener.clone());
    Fixture {
        marked: Box::new(move || {
            let accepted = listener.lock().accept_or_stop();
            Outcome::of(accepted, |(stream, _)| all_of(stream))
        }),
        feed: Box::new(move || {
            connect()?.write_all(MESSAGE)?;
            Ok(text(MESSAGE))
        }),
        plain: Box::new(move |_| all_of(accept(&plain.lock())?)),
        verify: Box::new(move |_| {
            let next = nonblocking(&mut *queue.lock(), |listener| accept(listener));
            let none = matches!(&next, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
            expect(none, || "a second connection is in the queue".into())
        }),
        keep: Box::new(keep),
    }
}

fn all_of(mut stream: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    Ok(text(&bytes))
}
