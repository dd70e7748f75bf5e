//! One connection: a request, its answer, and the next request.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use stopruntime::{Stopper, is_stopped, shield, stoppable, within};

use crate::files::Files;
use crate::request::{self, Method, Parsed, Request};
use crate::response::Response;

/// How long a request may take to come, with the wait for its beginning.
const IDLE: Duration = Duration::from_secs(30);

/// What the connections have in common.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) files: Files,
    /// Stopped when answers have had their time.
    pub(crate) answers: Stopper,
    pub(crate) verbose: bool,
}

/// Answers requests until one of the sides closes, or the stop.
pub(crate) fn serve(stream: &TcpStream, server: &Server) -> io::Result<()> {
    let mut received = Vec::new();
    loop {
        let request = match within(IDLE, || receive(stream, &mut received)) {
            Ok(Some(request)) => request,
            // Closed, stopped or silent: nothing is owed.
            Ok(None) => return Ok(()),
            Err(error) if is_stopped(&error) || error.kind() == ErrorKind::TimedOut => {
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        // What has been asked for is answered, even if the stop comes now. The limit of that
        // is a stop of its own, which the shield does not hold, because it is inside.
        let goes_on = shield(|| server.answers.run(|| answer(stream, server, &request)))?;
        if !goes_on {
            return Ok(());
        }
    }
}

/// The next request, or nothing at the end of the stream between two.
#[stoppable(return)]
fn receive(mut stream: &TcpStream, received: &mut Vec<u8>) -> io::Result<Option<Request>> {
    let mut buffer = [0; 4096];
    loop {
        match request::parse(received) {
            Parsed::Complete(request, length) => {
                received.drain(..length);
                return Ok(Some(request));
            }
            Parsed::Bad(status) => return Ok(Some(Request::bad(status))),
            Parsed::Partial => {}
        }
        #[blocking]
        let length = stream.read(&mut buffer)?;
        if length == 0 {
            return if received.is_empty() {
                Ok(None)
            } else {
                Err(ErrorKind::UnexpectedEof.into())
            };
        }
        received.extend_from_slice(&buffer[..length]);
    }
}

/// Answers, and says whether the connection goes on.
#[stoppable(return)]
fn answer(mut stream: &TcpStream, server: &Server, request: &Request) -> io::Result<bool> {
    let response = Response::to(request, &server.files);
    if server.verbose {
        let (status, length) = (response.status, response.length);
        eprintln!("{} {} {length}", request.line, status);
    }
    #[blocking]
    stream.write_all(response.head().as_bytes())?;
    if request.method != Method::Head {
        match response.file {
            Some(file) => send(file, response.length, stream)?,
            None => {
                #[blocking]
                stream.write_all(response.text().as_bytes())?;
            }
        }
    }
    Ok(response.keeps_alive)
}

/// Sends so many bytes of a file.
#[stoppable(return)]
fn send(mut file: File, mut left: u64, mut stream: &TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    while left > 0 {
        let room = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let length = file.read(&mut buffer[..room])?;
        if length == 0 {
            // It has become shorter. The client sees that it does not get it all.
            return Err(ErrorKind::UnexpectedEof.into());
        }
        #[blocking]
        stream.write_all(&buffer[..length])?;
        left -= length as u64;
    }
    Ok(())
}
