//! One deadline over connect, write and read, whatever the peer does: it keeps us
//! waiting for the connection, does not read, does not answer, or answers so slowly that
//! no time limit for a single read would ever pass.
//!
//! `cargo run --example deadline`

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};
use stopruntime::ext::{AcceptOrStop, ReadOrStop, WriteOrStop, sleep_or_stop};
use stopruntime::{Stopped, stoppable, thread, within};

/// A client as one writes it without a thought of time.
#[stoppable]
fn ask(peer: SocketAddr, question: &[u8]) -> io::Result<String> {
    #[blocking]
    let mut stream = TcpStream::connect(peer)?;
    #[blocking]
    stream.write_all(question)?;
    let mut answer = String::new();
    #[blocking]
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn main() -> io::Result<()> {
    let large = vec![b'?'; 16 << 20];
    let short = Duration::from_millis(300);
    let peers: [(&str, Peer, &[u8], Duration); 5] = [
        ("answers", answers, b"?", Duration::from_secs(60)),
        ("does not accept", does_not_accept, b"?", short),
        ("does not read", only_accepts, &large, short),
        ("does not answer", only_accepts, b"?", short),
        ("trickles", trickles, b"?", short),
    ];
    for (name, peer, question, limit) in peers {
        let server = Server::start(peer)?;
        // The others have room in their queues.
        let _queued = if name == "does not accept" { fill(server.address) } else { Vec::new() };
        let begin = Instant::now();
        match within(limit, || ask(server.address, question)) {
            Ok(answer) => println!("{name}: {answer:?}"),
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::TimedOut, "{error}");
                assert!(begin.elapsed() >= limit, "not before its time");
                println!("{name}: {error}");
            }
        }
    }
    Ok(())
}

/// What a peer does with its listener, until it is stopped.
type Peer = fn(&TcpListener) -> Result<io::Result<()>, Stopped>;

/// A peer on a thread of its own, which ends with this.
struct Server {
    address: SocketAddr,
    _thread: thread::StopOnDrop<()>,
}

impl Server {
    fn start(peer: Peer) -> io::Result<Server> {
        let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
        listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())?;
        listener.listen(1)?;
        let listener = TcpListener::from(listener);
        let address = listener.local_addr()?;
        // What a peer says of its connection is that the client has gone.
        let thread = thread::spawn(move || drop(peer(&listener))).stop_on_drop();
        Ok(Server { address, _thread: thread })
    }
}

/// Connects until no further connection fits into the peer's queue.
fn fill(peer: SocketAddr) -> Vec<TcpStream> {
    let connect = || TcpStream::connect_timeout(&peer, Duration::from_millis(100)).ok();
    std::iter::from_fn(connect).collect()
}

fn answers(listener: &TcpListener) -> Result<io::Result<()>, Stopped> {
    let Ok((mut stream, _)) = listener.accept_or_stop()? else { return Ok(Ok(())) };
    let _ = (&stream).read_or_stop(&mut [0])?;
    stream.write_all_or_stop(b"an answer")
}

fn does_not_accept(_: &TcpListener) -> Result<io::Result<()>, Stopped> {
    sleep_or_stop(Duration::MAX)?;
    Ok(Ok(()))
}

fn only_accepts(listener: &TcpListener) -> Result<io::Result<()>, Stopped> {
    let _connection = listener.accept_or_stop()?;
    sleep_or_stop(Duration::MAX)?;
    Ok(Ok(()))
}

/// A byte again and again: each read of the client returns soon.
fn trickles(listener: &TcpListener) -> Result<io::Result<()>, Stopped> {
    let Ok((mut stream, _)) = listener.accept_or_stop()? else { return Ok(Ok(())) };
    loop {
        if let Err(gone) = stream.write_all_or_stop(b".")? {
            return Ok(Err(gone));
        }
        sleep_or_stop(Duration::from_millis(20))?;
    }
}
