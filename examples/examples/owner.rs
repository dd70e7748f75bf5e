//! A struct that owns a thread: dropping it stops the thread and waits for its clean-up,
//! without an `Option` to take the handle out of and without a `Drop` of its own.
//!
//! `cargo run --example owner`

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use stopruntime::{stoppable, thread};

/// Counts the datagrams that come to an address.
struct Counter {
    address: SocketAddr,
    count: Arc<AtomicUsize>,
    /// Declared last: fields are dropped in this order.
    _thread: thread::StopOnDrop<()>,
}

impl Counter {
    fn start() -> io::Result<Counter> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        let address = socket.local_addr()?;
        let count = Arc::new(AtomicUsize::new(0));
        let thread = thread::spawn({
            let count = Arc::clone(&count);
            move || run(&socket, &count)
        });
        Ok(Counter { address, count, _thread: thread.stop_on_drop() })
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }
}

#[stoppable]
fn run(socket: &UdpSocket, count: &AtomicUsize) {
    let mut buffer = [0; 64];
    loop {
        #[blocking]
        let received = socket.recv_from(&mut buffer);
        let Ok((_, sender)) = received else { continue };
        count.fetch_add(1, Ordering::Release);
        let _ = socket.send_to(b"counted", sender);
    }
    println!("the thread has cleaned up");
}

fn main() -> io::Result<()> {
    let counter = Counter::start()?;
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(counter.address)?;
    for _ in 0..3 {
        socket.send(b"datagram")?;
        assert_eq!(socket.recv(&mut [0; 64])?, 7);
    }
    println!("{} datagrams", counter.count());
    drop(counter);
    println!("dropped");
    // The thread has ended, and its socket is gone with it.
    let refused = socket.send(b"datagram").and_then(|_| socket.recv(&mut [0; 64]));
    println!("{:?}", refused.map_err(|error| error.kind()));
    Ok(())
}
