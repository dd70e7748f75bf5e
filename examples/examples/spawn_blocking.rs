//! Blocking work of an async program: it ends when its task is aborted, when its future
//! is dropped, or when the runtime is shut down, and tokio's thread goes on with the next.
//!
//! `cargo run --example spawn_blocking`

use std::io;
use std::net::UdpSocket;
use std::panic::resume_unwind;
use std::sync::mpsc;
use std::thread::{self, ThreadId};
use std::time::Duration;
use stopruntime::{Stopper, stoppable};
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// Runs `f` on one of tokio's threads for blocking work. Dropping the future stops it.
async fn blocking<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> R {
    let owner = Stopper::new().stop_on_drop();
    let job = Stopper::clone(&owner);
    match spawn_blocking(move || job.run(f)).await {
        Ok(result) => result,
        Err(error) => resume_unwind(error.into_panic()),
    }
}

/// What has to wait: tells by `begun` that it does.
#[stoppable]
fn receive(socket: &UdpSocket, begun: &mpsc::Sender<ThreadId>) -> io::Result<usize> {
    let mut buffer = [0; 64];
    let _ = begun.send(thread::current().id());
    #[blocking]
    let length = socket.recv(&mut buffer)?;
    Ok(length)
}

fn main() -> io::Result<()> {
    // One thread for blocking work: a job that does not end keeps out all others.
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(1)
        .enable_time()
        .build()?;
    let (begun, begins) = mpsc::channel();
    let (end, ends) = mpsc::channel();
    let job = || -> io::Result<_> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        let address = socket.local_addr()?;
        let (begun, end) = (begun.clone(), end.clone());
        let job = move || {
            let result = receive(&socket, &begun);
            let _ = end.send(result.as_ref().map_err(ToString::to_string).copied());
            result
        };
        Ok((address, job))
    };

    // The task is aborted.
    let task = runtime.spawn(blocking(job()?.1));
    let thread = begins.recv().expect("it begins");
    task.abort();
    println!("aborted: {:?}", ends.recv().expect("it ends"));

    // The future is dropped, by a time limit of the async side.
    let (_, late) = job()?;
    let late = async { timeout(Duration::from_millis(20), blocking(late)).await };
    assert!(runtime.block_on(late).is_err());
    // Also if it was dropped before it began.
    println!("timed out: {:?}", ends.recv().expect("it ends"));
    assert_eq!(begins.recv().expect("it has begun"), thread);

    // The thread is as good as new.
    let (address, next) = job()?;
    let task = runtime.spawn(blocking(next));
    assert_eq!(begins.recv().expect("it begins"), thread);
    UdpSocket::bind("127.0.0.1:0")?.send_to(b"bytes", address)?;
    assert_eq!(runtime.block_on(task).expect("no panic")?, 5);
    println!("the next one, on the same thread: {:?}", ends.recv().expect("it ends"));

    // The runtime is shut down, which waits for its blocking threads.
    runtime.spawn(blocking(job()?.1));
    assert_eq!(begins.recv().expect("it begins"), thread);
    drop(runtime);
    println!("shut down: {:?}", ends.recv().expect("it ends"));
    Ok(())
}
