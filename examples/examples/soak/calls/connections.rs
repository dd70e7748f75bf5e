//! Connections: each that was made is accepted once or still queued, and none
//! is accepted by a call that says it was stopped.

use super::Call;
use crate::bout::{Bout, Outcome};
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use std::collections::HashSet;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use stop_testkit::Directory;
use stopruntime::ext::{AcceptOrStop, ConnectOrStop};

pub(super) const CALLS: &[Call] = &[
    Call::new("accept (TCP)", |bout| {
        let listener = Arc::new(TcpListener::bind("127.0.0.1:0")?);
        let address = listener.local_addr()?;
        let connect = move || TcpStream::connect(address);
        accept(bout, &listener, connect, |(stream, _)| abandon(&stream))
    }),
    Call::new("accept (Unix)", |bout| {
        let directory = Directory::new()?;
        let path = directory.join("socket");
        let listener = Arc::new(UnixListener::bind(&path)?);
        accept(bout, &listener, || UnixStream::connect(&path), |_| Ok(()))
    }),
    Call::new("connect (TCP)", |bout| connect_tcp(bout, TcpStream::connect_or_stop)),
    Call::new("connect (Unix)", |bout| {
        connect_unix(bout, |path| UnixStream::connect_or_stop(path))
    }),
];

/// To be closed without `TIME_WAIT`: ports are few, and an hour is long.
pub(super) fn abandon(stream: &impl AsFd) -> io::Result<()> {
    SockRef::from(stream).set_linger(Some(Duration::ZERO))
}

/// As many as wait to be accepted.
fn rest<L: AcceptOrStop + AsFd>(
    listener: &L,
    mut each: impl FnMut(L::Accepted),
) -> io::Result<u64> {
    SockRef::from(listener).set_nonblocking(true)?;
    let mut count = 0;
    // This thread is not stopped: a plain accept.
    while let Ok(Ok(accepted)) = listener.accept_or_stop() {
        each(accepted);
        count += 1;
    }
    SockRef::from(listener).set_nonblocking(false)?;
    Ok(count)
}

pub(super) fn accept<L, C>(
    bout: &mut Bout,
    listener: &Arc<L>,
    connect: impl Fn() -> io::Result<C>,
    close: fn(L::Accepted) -> io::Result<()>,
) -> io::Result<()>
where
    L: AcceptOrStop + AsFd + Send + Sync + 'static,
{
    let accepted = Arc::new(AtomicU64::new(0));
    let mut clients = std::collections::VecDeque::new();
    let (mut connected, mut gone) = (0, 0);
    while bout.goes_on() {
        let mut targets = Vec::new();
        for _ in 0..bout.random.u8(1..4) {
            let (listener, accepted) = (Arc::clone(listener), Arc::clone(&accepted));
            targets.push(bout.start(move |aside| {
                while let Ok(result) = listener.accept_or_stop() {
                    close(result?)?;
                    accepted.fetch_add(1, Ordering::Relaxed);
                    aside.look();
                }
                Ok(())
            }));
        }
        for _ in 0..bout.random.u8(0..5) {
            bout.pause();
            if clients.len() < 32 {
                clients.push_back(match connect() {
                    Ok(stream) => Some(stream),
                    // Made, accepted and reset before `connect` had returned.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionReset => None,
                    Err(error) => return Err(error),
                });
                connected += 1;
            }
        }
        bout.stop_all(targets);
        // They are accepted in the order in which they came.
        while gone < accepted.load(Ordering::Relaxed) && clients.pop_front().is_some() {
            gone += 1;
        }
    }
    if bout.gave_up() {
        return Ok(());
    }
    let mut failed = None;
    let queued = rest(&**listener, |stream| failed = close(stream).err())?;
    bout.tally.effects += accepted.load(Ordering::Relaxed);
    bout.balance("connections", connected, accepted.load(Ordering::Relaxed) + queued);
    failed.map_or(Ok(()), Err)
}

/// A listener whose queue is full: connecting to it waits.
fn full() -> io::Result<(Socket, TcpStream, SocketAddr)> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    // A backlog of 0 has room for one (listen(2), Linux).
    listener.listen(0)?;
    let address = listener.local_addr()?.as_socket().ok_or(io::ErrorKind::InvalidData)?;
    Ok((listener, TcpStream::connect(address)?, address))
}

/// To a listener that has room, and to one that has not.
pub(super) fn connect_tcp(
    bout: &mut Bout,
    connect: fn(SocketAddr) -> Outcome<TcpStream>,
) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let roomy = listener.local_addr()?;
    let (_listener, _filler, crowded) = full()?;
    while bout.goes_on() {
        let made = Arc::new(Mutex::new(Vec::new()));
        let mut targets = Vec::new();
        for _ in 0..bout.random.u8(1..4) {
            let made = Arc::clone(&made);
            let mut connects = bout.random.u8(0..4);
            targets.push(bout.start(move |aside| {
                loop {
                    let address = if connects == 0 { crowded } else { roomy };
                    let Ok(result) = connect(address) else { return Ok(()) };
                    made.lock().unwrap_or_else(PoisonError::into_inner).push(result?);
                    connects = connects.saturating_sub(1);
                    aside.look();
                }
            }));
        }
        bout.stop_all(targets);
        if bout.gave_up() {
            return Ok(());
        }
        let made = std::mem::take(&mut *made.lock().unwrap_or_else(PoisonError::into_inner));
        let mut waited_for = HashSet::new();
        for stream in &made {
            if stream.peer_addr()? == roomy {
                waited_for.insert(stream.local_addr()?);
            }
        }
        bout.tally.effects += waited_for.len() as u64;
        // Those of calls that were stopped on the way end at once.
        let mut failed = None;
        let all = bout.wait_until("a connection is accepted", || {
            let each = |(stream, from): (TcpStream, _)| {
                waited_for.remove(&from);
                failed = abandon(&stream).err().or(failed.take());
            };
            failed = rest(&listener, each).err().or(failed.take());
            waited_for.is_empty() || failed.is_some()
        });
        if let Some(error) = failed {
            return Err(error);
        }
        if !all {
            return Ok(());
        }
        made.iter().try_for_each(abandon)?;
    }
    Ok(())
}

/// To a listener with a short queue, from which some are taken now and then.
pub(super) fn connect_unix(
    bout: &mut Bout,
    connect: fn(&Path) -> Outcome<UnixStream>,
) -> io::Result<()> {
    let directory = Directory::new()?;
    let path = directory.join("socket");
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    listener.bind(&SockAddr::unix(&path)?)?;
    listener.listen(1)?;
    let listener = UnixListener::from(std::os::fd::OwnedFd::from(listener));
    let made = Arc::new(AtomicU64::new(0));
    let mut accepted = 0;
    while bout.goes_on() {
        let mut targets = Vec::new();
        for _ in 0..bout.random.u8(1..4) {
            let (path, made) = (path.clone(), Arc::clone(&made));
            targets.push(bout.start(move |aside| {
                while let Ok(result) = connect(&path) {
                    drop(result?);
                    made.fetch_add(1, Ordering::Relaxed);
                    aside.look();
                }
                Ok(())
            }));
        }
        for _ in 0..bout.random.u8(0..3) {
            bout.pause();
            accepted += rest(&listener, drop)?;
        }
        bout.stop_all(targets);
    }
    if bout.gave_up() {
        return Ok(());
    }
    accepted += rest(&listener, drop)?;
    bout.tally.effects += accepted;
    bout.balance("connections", made.load(Ordering::Relaxed), accepted);
    Ok(())
}
