//! The same after: nothing looks, and the stop ends the call that the thread waits in.
//!
//! `diff guide_flag_before.rs guide_flag_after.rs`

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Instant;
use stopruntime::{stoppable, thread};

/// Counts the bytes of each connection, one after the other.
#[stoppable]
fn serve(listener: &TcpListener) -> io::Result<u64> {
    let mut total = 0;
    loop {
        #[blocking]
        let (stream, _) = listener.accept()?;
        total += count(&stream)?;
    }
    Ok(total)
}

#[stoppable(break)]
fn count(mut stream: &TcpStream) -> io::Result<u64> {
    let mut total = 0;
    let mut buffer = [0; 1024];
    loop {
        #[blocking]
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        total += length as u64;
    }
    Ok(total)
}

fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = thread::spawn(move || serve(&listener));

    // One client goes when it has been counted, the other one stays.
    let mut client = TcpStream::connect(address)?;
    client.write_all(b"bytes")?;
    client.shutdown(Shutdown::Write)?;
    client.read_to_end(&mut Vec::new())?;
    let _stays = TcpStream::connect(address)?;

    let begin = Instant::now();
    let total = server.stop_and_join().expect("no panic")?;
    eprintln!("ended after {:?}", begin.elapsed());
    println!("{total} bytes");
    Ok(())
}
