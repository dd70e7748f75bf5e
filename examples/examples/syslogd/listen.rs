//! The threads that listen: what is marked in them, and what follows the loops.
//!
//! What follows is the promise of this program: whatever a sender was told had
//! arrived when the stop came is written. So no new peer is let in, what waits in
//! the kernel is taken out, and a sender that never pauses cannot prolong that.

use std::io;
use std::iter;
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use stopruntime::sync::mpsc::SyncSender;
use stopruntime::thread::{self, Builder, Scope};
use stopruntime::{Stopper, stoppable};

use crate::connection;
use crate::doors::Doors;
use crate::source::{Inlet, Source};
use crate::stream::LONGEST;

/// How many connections can wait to be accepted: what std asks for.
const BACKLOG: usize = 128;

/// How long to wait for a descriptor or for memory to become free.
const PAUSE: Duration = Duration::from_millis(100);

/// Collects until `wait` returns; what failed meanwhile.
pub(crate) fn collect(
    doors: &Doors,
    lines: SyncSender<Vec<u8>>,
    wait: impl FnOnce(),
) -> Vec<String> {
    let failures = Failures { list: Mutex::default(), main: Stopper::current() };
    let inlet = |source| Inlet::new(source, lines.clone());
    thread::scope(|scope| {
        for (source, socket) in &doors.udp {
            failures.watch(scope, source, inlet(source), |inlet| udp(socket, &inlet));
        }
        for (source, listener) in &doors.tcp {
            failures.watch(scope, source, inlet(source), move |inlet| tcp(listener, scope, &inlet));
        }
        for (source, door) in &doors.unix {
            failures.watch(scope, source, inlet(source), |inlet| unix(&door.socket, &inlet));
        }
        wait();
        // Leaving the scope joins them.
        scope.request_stop();
    });
    drop(lines);
    failures.list.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[stoppable]
fn udp(socket: &UdpSocket, inlet: &Inlet<'_>) -> io::Result<()> {
    let mut buffer = vec![0; LONGEST];
    loop {
        #[blocking]
        let length = socket.recv(&mut buffer)?;
        inlet.take(&buffer[..length])?;
    }
    // A socket connected to itself hears no other peer; its queue stays. Should
    // it not connect (to a multicast address), the queue is emptied all the same.
    let _ = socket.local_addr().and_then(|itself| socket.connect(itself));
    socket.set_nonblocking(true)?;
    while let Ok(length) = socket.recv(&mut buffer) {
        inlet.take(&buffer[..length])?;
    }
    Ok(())
}

#[stoppable]
fn unix(socket: &UnixDatagram, inlet: &Inlet<'_>) -> io::Result<()> {
    let mut buffer = vec![0; LONGEST];
    loop {
        #[blocking]
        let length = socket.recv(&mut buffer)?;
        inlet.take(&buffer[..length])?;
    }
    // A peer that sends from now on is told so: EPIPE. The queue stays.
    socket.shutdown(Shutdown::Read)?;
    socket.set_nonblocking(true)?;
    while let Ok(length @ 1..) = socket.recv(&mut buffer) {
        inlet.take(&buffer[..length])?;
    }
    Ok(())
}

#[stoppable]
fn tcp<'scope>(
    listener: &TcpListener,
    scope: &'scope Scope<'scope, '_>,
    inlet: &Inlet<'scope>,
) -> io::Result<()> {
    loop {
        #[blocking]
        let accepted = listener.accept();
        match accepted {
            Ok((stream, _)) => start(scope, stream, inlet),
            Err(error) if passes(&error) => {
                inlet.complain(&error);
                #[blocking]
                std::thread::sleep(PAUSE);
            }
            Err(error) => return Err(error),
        }
    }
    // Those who wait to be accepted may have sent already. Their threads are
    // requested to stop as they start, and read what is there.
    listener.set_nonblocking(true)?;
    for (stream, _) in iter::from_fn(|| listener.accept().ok()).take(BACKLOG + 1) {
        start(scope, stream, inlet);
    }
    Ok(())
}

/// A thread for a connection. What goes wrong with it is no failure of the
/// collector's.
fn start<'scope>(scope: &'scope Scope<'scope, '_>, stream: TcpStream, inlet: &Inlet<'scope>) {
    let thread = Builder::new().name("connection".into());
    let its = inlet.clone();
    let started = thread.spawn_scoped(scope, move || {
        if let Err(error) = connection::serve(&stream, &its) {
            its.complain(&error);
        }
    });
    if let Err(error) = started {
        inlet.complain(&error);
    }
}

/// Whether `accept` may succeed later: the connection was given up, or there is
/// no descriptor or memory for it now. accept(2).
fn passes(error: &io::Error) -> bool {
    let passing = [
        libc::ECONNABORTED,
        libc::EMFILE,
        libc::ENFILE,
        libc::ENOBUFS,
        libc::ENOMEM,
        libc::EPROTO,
        libc::EPERM,
    ];
    error.raw_os_error().is_some_and(|number| passing.contains(&number))
}

/// What went wrong with listeners. One of them gone, the collector ends.
struct Failures {
    list: Mutex<Vec<String>>,
    main: Stopper,
}

impl Failures {
    /// Starts a listener's thread.
    fn watch<'scope, F>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        source: &'scope Source,
        inlet: Inlet<'scope>,
        listen: F,
    ) where
        F: FnOnce(Inlet<'scope>) -> io::Result<()> + Send + 'scope,
    {
        let thread = Builder::new().name(source.name().to_owned());
        let started = thread.spawn_scoped(scope, move || self.note(source, listen(inlet)));
        self.note(source, started.map(drop));
    }

    fn note(&self, source: &Source, outcome: io::Result<()>) {
        if let Err(error) = outcome {
            let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
            list.push(format!("{}: {error}", source.name()));
            self.main.request_stop();
        }
    }
}
