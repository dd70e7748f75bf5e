//! `readable` before a call of a `BufReader`: what it has read ahead is there already.

use crate::prelude::*;
use std::os::fd::{AsRawFd, RawFd};

/// As a type of another crate: it has the number alone.
struct Port(UnixStream);

impl AsRawFd for Port {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl Read for Port {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

type Lines = fn(UnixStream, usize) -> io::Result<Vec<String>>;
const ALL: [Lines; 4] = [of_a_stream, of_a_port, by_reference, of_another_descriptor];

fn port(stream: UnixStream) -> BufReader<Port> {
    BufReader::new(Port(stream))
}

/// Reads lines of what a function makes of the stream. No generic function: whether it is
/// a `BufReader`, the compiler has to know at the mark.
macro_rules! lines {
    ($name:ident, $open:path) => {
        #[stoppable(break)]
        fn $name(stream: UnixStream, count: usize) -> io::Result<Vec<String>> {
            let mut reader = $open(stream);
            let mut lines = Vec::new();
            while lines.len() < count {
                let mut line = String::new();
                #[blocking(readable)]
                reader.read_line(&mut line)?;
                lines.push(line);
            }
            Ok(lines)
        }
    };
}
lines!(of_a_stream, BufReader::new);
lines!(of_a_port, port);

#[stoppable(break)]
fn by_reference(stream: UnixStream, count: usize) -> io::Result<Vec<String>> {
    let reader = &mut port(stream);
    let mut lines = Vec::new();
    while lines.len() < count {
        let mut line = String::new();
        #[blocking(readable = &reader)]
        reader.read_line(&mut line)?;
        lines.push(line);
    }
    Ok(lines)
}

/// The descriptor is named, and the receiver of the call is what reads ahead.
#[stoppable(break)]
fn of_another_descriptor(stream: UnixStream, count: usize) -> io::Result<Vec<String>> {
    let descriptor = stream.try_clone()?;
    let mut reader = BufReader::new(Port(stream));
    let mut lines = Vec::new();
    while lines.len() < count {
        let mut line = String::new();
        #[blocking(readable = descriptor)]
        reader.read_line(&mut line)?;
        lines.push(line);
    }
    Ok(lines)
}

#[test]
fn lines_that_came_together_are_read_without_a_wait() {
    for lines in ALL {
        let (reader, mut writer) = UnixStream::pair().unwrap();
        writer.write_all(b"one\ntwo\nthree\n").unwrap();
        assert_eq!(lines(reader, 3).unwrap(), ["one\n", "two\n", "three\n"]);
    }
}

#[test]
fn behind_the_last_line_it_waits_and_is_stopped() {
    for lines in ALL {
        let (reader, mut writer) = UnixStream::pair().unwrap();
        writer.write_all(b"one\ntwo\n").unwrap();
        let thread = waiting(move || lines(reader, 3));
        assert_eq!(thread.stop_and_join().unwrap().unwrap(), ["one\n", "two\n"]);
    }
}

#[stoppable(break)]
fn stopped_by_itself(stream: UnixStream) -> io::Result<Vec<String>> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    for count in 0..2 {
        let mut line = String::new();
        #[blocking(readable)]
        reader.read_line(&mut line)?;
        lines.push(line);
        if count == 0 {
            request();
        }
    }
    Ok(lines)
}

/// What is there is left there once a stop is requested.
#[test]
fn a_stop_goes_before_what_was_read_ahead() {
    let (reader, mut writer) = UnixStream::pair().unwrap();
    writer.write_all(b"one\ntwo\n").unwrap();
    assert_eq!(requested_after(move || stopped_by_itself(reader)).unwrap(), ["one\n"]);
}
