//! A server with a thread for each connection, which sends back what comes.

use super::measure::{eventfd, process_cpu, readable, rounds, thread_cpu};
use super::{COLUMNS, Figures, ROUND};
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Instant;
use stopruntime::{stoppable, thread};

const SIZE: usize = 32;

type Echo = fn(TcpStream, &File) -> io::Result<()>;

fn plain(mut stream: TcpStream, _: &File) -> io::Result<()> {
    let mut buffer = [0; 512];
    loop {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..length])?;
    }
}

#[stoppable]
fn ours(mut stream: TcpStream, _: &File) -> io::Result<()> {
    let mut buffer = [0; 512];
    loop {
        #[blocking]
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        #[blocking]
        stream.write_all(&buffer[..length])?;
    }
    Ok(())
}

fn polled(mut stream: TcpStream, stop: &File) -> io::Result<()> {
    let mut buffer = [0; 512];
    while readable(&stream, stop)? {
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        stream.write_all(&buffer[..length])?;
    }
    Ok(())
}

/// A running server and its only client. All threads of all columns live as
/// long as the row does; those whose turn it is not sleep.
struct Server {
    clients: Vec<TcpStream>,
    threads: Vec<Joined>,
}

/// A thread to be joined, whichever crate has started it.
type Joined = Box<dyn FnOnce() -> io::Result<()>>;

impl Server {
    fn new(threads: usize, echo: Echo, stoppable: bool) -> io::Result<Server> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let stop = Arc::new(eventfd()?);
        let mut server = Server { clients: Vec::new(), threads: Vec::new() };
        for _ in 0..threads {
            let client = TcpStream::connect(listener.local_addr()?)?;
            client.set_nodelay(true)?;
            server.clients.push(client);
            let (stream, _) = listener.accept()?;
            stream.set_nodelay(true)?;
            let stop = Arc::clone(&stop);
            let run = move || echo(stream, &stop);
            server.threads.push(if stoppable {
                let thread = thread::Builder::new().stack_size(64 * 1024).spawn(run)?;
                Box::new(|| thread.join().expect("no panic"))
            } else {
                let thread = std::thread::Builder::new().stack_size(64 * 1024).spawn(run)?;
                Box::new(|| thread.join().expect("no panic"))
            });
        }
        Ok(server)
    }

    /// A request on each connection, then the answer of each.
    fn wave(&mut self) -> io::Result<()> {
        for client in &mut self.clients {
            client.write_all(&[7; SIZE])?;
        }
        for client in &mut self.clients {
            client.read_exact(&mut [0; SIZE])?;
        }
        Ok(())
    }

    fn round(&mut self) -> io::Result<Figures> {
        // What the threads use is what the process uses and this one does not.
        let servers = || process_cpu().saturating_sub(thread_cpu());
        let (start, before) = (Instant::now(), servers());
        let mut requests = 0;
        while start.elapsed() < ROUND {
            self.wave()?;
            requests += self.clients.len();
        }
        let wall = start.elapsed().as_secs_f64();
        let cpu = servers().saturating_sub(before).as_secs_f64();
        Ok(Figures {
            requests_per_second: requests as f64 / wall,
            cpu: cpu * 1e6 / requests as f64,
        })
    }

    fn end(self) -> io::Result<()> {
        drop(self.clients);
        self.threads.into_iter().try_for_each(|join| join())
    }
}

pub(crate) fn echo(threads: usize) -> io::Result<[Vec<Figures>; COLUMNS.len()]> {
    let mut std = Server::new(threads, plain, false)?;
    let mut again = Server::new(threads, plain, false)?;
    let mut stoppable = Server::new(threads, ours, true)?;
    let mut poll = Server::new(threads, polled, false)?;
    let figures = rounds(&mut [
        &mut || std.round(),
        &mut || again.round(),
        &mut || stoppable.round(),
        &mut || poll.round(),
    ])?;
    [std, again, stoppable, poll].into_iter().try_for_each(Server::end)?;
    Ok(figures)
}
