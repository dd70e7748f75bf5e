//! A supervisor: it starts a worker again whenever that has failed, after a pause, and
//! ends it, and itself, when it is stopped.
//!
//! `cargo run --example guide_supervisor`

use std::io;
use std::net::UdpSocket;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use stopruntime::{stoppable, thread};

/// Runs `work` on a thread of its own until it succeeds, and says how often it has started it.
#[stoppable]
fn supervise<W>(name: &str, pause: Duration, work: W) -> io::Result<u32>
where
    W: FnOnce() -> io::Result<()> + Clone + Send + 'static,
{
    let mut starts = 0;
    loop {
        starts += 1;
        let worker = thread::Builder::new().name(name.into()).spawn(work.clone())?;
        // If a stop leaves the loop by the next line, this stops the worker and joins it.
        let worker = worker.stop_on_drop();
        #[blocking]
        let ended = worker.join();
        match ended {
            Ok(Ok(())) => return Ok(starts),
            Ok(Err(error)) => println!("{name}: {error}; again in {pause:?}"),
            Err(_panic) => println!("{name} has panicked; again in {pause:?}"),
        }
        #[blocking]
        thread::sleep(pause);
    }
    Ok(starts)
}

/// A worker that fails, panics, and then works.
#[stoppable]
fn work(attempts: &AtomicU32, ready: &mpsc::Sender<()>) -> io::Result<()> {
    let attempt = attempts.fetch_add(1, Ordering::Relaxed);
    if attempt == 0 {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    assert!(attempt != 1, "a mistake of the worker");
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    ready.send(()).expect("main waits for it");
    loop {
        #[blocking]
        socket.recv(&mut [0; 64])?;
    }
    println!("the worker has cleaned up");
    Ok(())
}

fn main() -> io::Result<()> {
    static ATTEMPTS: AtomicU32 = AtomicU32::new(0);
    let (ready, works) = mpsc::channel();
    let supervisor = thread::spawn(move || {
        supervise("worker", Duration::from_millis(10), move || work(&ATTEMPTS, &ready))
    });
    works.recv().expect("the third one works");
    let starts = supervisor.stop_and_join().expect("no panic")?;
    println!("started {starts} times");
    Ok(())
}
