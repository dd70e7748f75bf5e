//! A server that ends at Ctrl-C: it takes no further connection, lets its sessions finish
//! what they are at, and returns. A second Ctrl-C, or 30 s, ends it in any case.
//!
//! `cargo run --example guide_ctrl_c`

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::time::Duration;
use stopruntime::shutdown::{Guard, Shutdown};
use stopruntime::thread::Group;
use stopruntime::{Stopper, stoppable};

/// Answers line by line.
#[stoppable]
fn session(stream: &TcpStream) -> io::Result<()> {
    let (mut lines, mut answers) = (BufReader::new(stream), stream);
    let mut line = String::new();
    loop {
        line.clear();
        #[blocking]
        let length = lines.read_line(&mut line)?;
        if length == 0 {
            return Ok(());
        }
        // Not marked: an answer that has been begun is not cut.
        answers.write_all(line.to_uppercase().as_bytes())?;
    }
    answers.write_all(b"BYE\n")
}

#[stoppable]
fn serve(_shutdown: &Guard) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("listening on {}", listener.local_addr()?);
    // Under the scope that the signal stops, in which this function runs.
    let mut sessions = Group::under(&Stopper::current());
    loop {
        #[blocking]
        let (stream, peer) = listener.accept()?;
        sessions.spawn(move || {
            if let Err(error) = session(&stream) {
                eprintln!("{peer}: {error}");
            }
        });
        sessions.join_ended();
    }
    println!("{} sessions are open", sessions.len());
    sessions.join_all();
    println!("all have ended");
    Ok(())
}

fn main() -> ExitCode {
    Shutdown::new().within(Duration::from_secs(30)).run(serve)
}
