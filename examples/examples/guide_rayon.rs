//! Work on rayon's threads that ends when its caller's job is stopped: a scope does not pass
//! to another thread by itself, so each task runs under it.
//!
//! `cargo run -p stop-examples --features guide_rayon --example guide_rayon`

use rayon::prelude::*;
use std::io;
use std::net::UdpSocket;
use std::sync::mpsc;
use std::thread;
use stopruntime::{Stopped, Stopper, stoppable};

/// A task that waits.
#[stoppable]
fn receive(socket: &UdpSocket) -> io::Result<usize> {
    let mut buffer = [0; 64];
    #[blocking]
    let length = socket.recv(&mut buffer)?;
    Ok(length)
}

/// The bytes of one datagram each, of all of them at once.
fn receive_all(job: &Stopper, sockets: &[UdpSocket]) -> io::Result<usize> {
    sockets.par_iter().map(|socket| job.run(|| receive(socket))).sum()
}

/// A task that computes, which is stopped where it asks.
#[stoppable(return)]
fn is_prime(number: u64) -> Result<bool, Stopped> {
    let mut divisor = 2;
    #[checkpoint]
    while divisor * divisor <= number {
        if number.is_multiple_of(divisor) {
            return Ok(false);
        }
        divisor += 1;
    }
    Ok(number >= 2)
}

fn primes(job: &Stopper, numbers: std::ops::Range<u64>) -> Result<usize, Stopped> {
    let counted = numbers.into_par_iter().map(|number| job.run(|| is_prime(number)));
    counted.map(|is_prime| is_prime.map(usize::from)).sum()
}

fn main() -> io::Result<()> {
    let sockets = (0..8).map(|_| UdpSocket::bind("127.0.0.1:0")).collect::<io::Result<Vec<_>>>()?;

    // Another thread stops the job.
    let job = Stopper::new();
    let result = thread::scope(|scope| {
        scope.spawn(|| job.request_stop());
        receive_all(&job, &sockets)
    });
    println!("waiting, stopped: {}", result.unwrap_err());
    let (begun, begins) = mpsc::channel();
    let result = thread::scope(|scope| {
        let job = Stopper::new();
        let computing = job.clone();
        let result = scope.spawn(move || {
            begun.send(()).expect("main receives");
            primes(&computing, 1 << 62..(1 << 62) + 1_000_000)
        });
        begins.recv().expect("it begins");
        job.request_stop();
        result.join().expect("no panic")
    });
    println!("computing, stopped: {}", result.unwrap_err());

    // rayon's threads go on with the next job.
    let job = Stopper::new();
    for socket in &sockets {
        socket.send_to(b"bytes", socket.local_addr()?)?;
    }
    println!("waiting: {} bytes", receive_all(&job, &sockets)?);
    println!("computing: {} primes", primes(&job, 0..1000).expect("no request"));
    Ok(())
}
