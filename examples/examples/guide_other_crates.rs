//! Waits in the types of other crates, each ended by one mark: a limit of 20 ms here, a stop
//! as well.
//!
//! | the call waits | mark |
//! |---|---|
//! | for a descriptor that it has, or is given | `readable`, `readable = EXPR`, `writable` |
//! | for several, or in a way of its own | `foreign` |
//! | and can be woken by another thread | `unblock = EXPR` |
//!
//! `cargo run -p stop-examples --features guide_other_crates --example guide_other_crates`

use nix::poll::{PollFd, PollFlags, PollTimeout};
use serialport::TTYPort;
use signal_hook::consts::SIGUSR2;
use signal_hook::iterator::Signals;
use socket2::{Domain, SockAddr, Socket, Type};
use std::io::{self, Read};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;
use stopruntime::{stoppable, within};

fn silent() -> io::Result<UdpSocket> {
    UdpSocket::bind("127.0.0.1:0")
}

/// socket2: what receives has a descriptor to wait for.
#[stoppable]
fn receive(socket: &Socket) -> io::Result<usize> {
    let mut buffer = [MaybeUninit::uninit(); 64];
    #[blocking(readable)]
    let (length, _) = socket.recv_from(&mut buffer)?;
    Ok(length)
}

/// socket2: before it has connected there is nothing to wait for.
#[stoppable]
fn connect(socket: &Socket, address: &SockAddr) -> io::Result<()> {
    #[blocking(foreign)]
    socket.connect(address)?;
    Ok(())
}

/// A socket that connects to an address whose queue is full.
fn connect_in_vain() -> io::Result<()> {
    let socket = || Socket::new(Domain::IPV4, Type::STREAM, None);
    let (listener, first) = (socket()?, socket()?);
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
    listener.listen(0)?;
    let address = listener.local_addr()?;
    first.connect(&address)?;
    connect(&socket()?, &address)
}

/// rustix and nix: functions, which are given the descriptor.
#[stoppable]
fn read_by_rustix(socket: &UdpSocket) -> io::Result<usize> {
    let mut buffer = [0; 64];
    #[blocking(readable = socket)]
    let length = rustix::io::read(socket, &mut buffer)?;
    Ok(length)
}

#[stoppable]
fn read_by_nix(socket: &UdpSocket) -> io::Result<usize> {
    let mut buffer = [0; 64];
    #[blocking(readable = socket)]
    let length = nix::unistd::read(socket, &mut buffer)?;
    Ok(length)
}

/// nix: a wait for several descriptors.
#[stoppable]
fn poll_by_nix(sockets: &[UdpSocket; 2]) -> io::Result<i32> {
    let mut two = sockets.each_ref().map(|socket| PollFd::new(socket.as_fd(), PollFlags::POLLIN));
    #[blocking(foreign)]
    let ready = nix::poll::poll(&mut two, PollTimeout::NONE)?;
    Ok(ready)
}

/// mio and polling: an event loop has a descriptor too, which is readable if there are events.
#[stoppable]
fn events_of_mio(poll: &mut mio::Poll) -> io::Result<usize> {
    let mut events = mio::Events::with_capacity(8);
    #[blocking(readable)]
    poll.poll(&mut events, None)?;
    Ok(events.iter().count())
}

#[stoppable]
fn events_of_polling(poller: &polling::Poller) -> io::Result<usize> {
    let mut events = polling::Events::new();
    #[blocking(readable)]
    let count = poller.wait(&mut events, None)?;
    Ok(count)
}

/// serialport: the other end of the port is silent.
#[stoppable]
fn read_from_port(port: &mut TTYPort) -> io::Result<usize> {
    let mut buffer = [0; 64];
    #[blocking(readable)]
    let length = port.read(&mut buffer)?;
    Ok(length)
}

/// signal-hook: its iterator ends by itself if it is closed.
#[stoppable]
fn next_signal(signals: &mut Signals) -> io::Result<Option<i32>> {
    let handle = signals.handle();
    let mut caught = signals.forever();
    #[blocking(unblock = handle.close())]
    let next = caught.next();
    Ok(next)
}

fn main() -> io::Result<()> {
    const LIMIT: Duration = Duration::from_millis(20);
    let print = |call: &str, outcome: io::Result<String>| {
        println!("{call}: {}", outcome.unwrap_or_else(|error| error.to_string()));
    };
    macro_rules! limited {
        ($call:literal, $waits:expr) => {
            print($call, within(LIMIT, || $waits).map(|value| format!("{value:?}")))
        };
    }
    let socket = silent()?;
    limited!("socket2, recv_from", receive(&Socket::from(silent()?)));
    limited!("socket2, connect", connect_in_vain());
    limited!("rustix, read", read_by_rustix(&socket));
    limited!("nix, read", read_by_nix(&socket));
    let two = [silent()?, silent()?];
    limited!("nix, poll", poll_by_nix(&two));

    let mut poll = mio::Poll::new()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let mut source = mio::net::TcpListener::from_std(listener);
    poll.registry().register(&mut source, mio::Token(0), mio::Interest::READABLE)?;
    limited!("mio, poll", events_of_mio(&mut poll));
    limited!("polling, wait", events_of_polling(&polling::Poller::new()?));

    let (mut port, _other) = TTYPort::pair()?;
    limited!("serialport, read", read_from_port(&mut port));
    let mut signals = Signals::new([SIGUSR2])?;
    limited!("signal-hook, forever", next_signal(&mut signals));
    Ok(())
}
