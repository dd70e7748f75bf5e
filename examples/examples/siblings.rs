//! Threads that work on one thing together: when one of them panics, the others end, and
//! the panic arrives where the threads were started.
//!
//! `cargo run --example siblings`

use std::io;
use std::net::UdpSocket;
use std::panic::{AssertUnwindSafe, catch_unwind};
use stopruntime::{stoppable, thread};

/// Adds up what comes to the socket, until it is stopped.
#[stoppable]
fn collect(socket: &UdpSocket) -> io::Result<usize> {
    let mut bytes = 0;
    let mut buffer = [0; 64];
    loop {
        #[blocking]
        let length = socket.recv(&mut buffer)?;
        assert!(length > 0, "an empty datagram");
        bytes += length;
    }
    Ok(bytes)
}

fn main() -> io::Result<()> {
    let sockets = (0..4).map(|_| UdpSocket::bind("127.0.0.1:0")).collect::<io::Result<Vec<_>>>()?;
    let bad = sockets[2].local_addr()?;
    let collected = catch_unwind(AssertUnwindSafe(|| {
        thread::scope(|scope| {
            for (number, socket) in sockets.iter().enumerate() {
                // A thread that is stopped ends as usual: its clean-up runs.
                scope.spawn(move || println!("{number}: {:?} bytes", collect(socket).ok()));
            }
            // The third one panics. std's scope would wait for the others for ever.
            UdpSocket::bind("127.0.0.1:0")?.send_to(&[], bad)
        })
    }));
    assert!(collected.is_err(), "a thread has panicked");
    println!("all have ended");
    Ok(())
}
