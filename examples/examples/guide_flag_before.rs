//! The program before: a flag that is looked at every 100 ms.
//!
//! `diff guide_flag_before.rs guide_flag_after.rs`

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const LOOK: Duration = Duration::from_millis(100);

/// Counts the bytes of each connection, one after the other.
fn serve(listener: &TcpListener, stop: &AtomicBool) -> io::Result<u64> {
    let mut total = 0;
    listener.set_nonblocking(true)?;
    while !stop.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((stream, _)) => total += count(&stream, stop)?,
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(LOOK),
            Err(error) => return Err(error),
        }
    }
    Ok(total)
}

fn count(mut stream: &TcpStream, stop: &AtomicBool) -> io::Result<u64> {
    let mut total = 0;
    let mut buffer = [0; 1024];
    stream.set_read_timeout(Some(LOOK))?;
    while !stop.load(Ordering::Relaxed) {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => total += length as u64,
            // A time-out, by either name.
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(total)
}

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let stop = Arc::new(AtomicBool::new(false));
    let server = thread::spawn({
        let stop = Arc::clone(&stop);
        move || serve(&listener, &stop)
    });

    // One client goes when it has been counted, the other one stays.
    let mut client = TcpStream::connect(address)?;
    client.write_all(b"bytes")?;
    client.shutdown(Shutdown::Write)?;
    client.read_to_end(&mut Vec::new())?;
    let _stays = TcpStream::connect(address)?;

    let begin = Instant::now();
    stop.store(true, Ordering::Relaxed);
    let total = server.join().expect("no panic")?;
    eprintln!("ended after {:?}", begin.elapsed());
    println!("{total} bytes");
    Ok(())
}
