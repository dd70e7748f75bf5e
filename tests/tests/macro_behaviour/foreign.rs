//! `foreign`, `foreign_reset` and `unblock`: calls that know nothing of stops.

use crate::prelude::*;
use std::net::Shutdown;

/// As a library's call: a plain wait for an answer.
fn query(mut stream: &UnixStream) -> io::Result<u8> {
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// As that of a library that hands errors out by its iterator.
fn next(stream: &UnixStream) -> Option<io::Result<u8>> {
    match query(stream) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
        other => Some(other),
    }
}

#[stoppable]
fn foreign(stream: &UnixStream) -> io::Result<u8> {
    #[blocking(foreign)]
    let byte = query(stream)?;
    Ok(byte)
}

#[stoppable]
fn resetting(stream: &UnixStream) -> io::Result<u8> {
    #[blocking(foreign_reset)]
    let byte = query(stream)?;
    Ok(byte)
}

#[stoppable]
fn unblocked(stream: &UnixStream) -> io::Result<u8> {
    blocking!(unblock = stream.shutdown(Shutdown::Both), query(stream))
}

#[stoppable]
fn foreign_within(stream: &UnixStream) -> io::Result<u8> {
    blocking!(foreign, within = Duration::from_secs(3600), query(stream))
}

#[stoppable]
fn resetting_within(stream: &UnixStream) -> io::Result<u8> {
    blocking!(foreign_reset, within = Duration::from_secs(3600), query(stream))
}

#[stoppable]
fn unblocked_within(stream: &UnixStream) -> io::Result<u8> {
    #[blocking(unblock = stream.shutdown(Shutdown::Both), within = Duration::from_secs(3600))]
    query(stream)
}

/// Another one takes what the wait was for.
#[stoppable]
fn readable(stream: &UnixStream) -> io::Result<u8> {
    #[blocking(readable)]
    stream.tail()
}

trait Tail {
    fn tail(&self) -> io::Result<u8>;
}

impl Tail for UnixStream {
    fn tail(&self) -> io::Result<u8> {
        query(self)?;
        query(self)
    }
}

type Query = fn(&UnixStream) -> io::Result<u8>;
const ALL: [Query; 6] =
    [foreign, resetting, unblocked, foreign_within, resetting_within, unblocked_within];

/// Whether both halves of what `foreign` rests on are there.
fn is_supported() -> bool {
    stopruntime::foreign_support() != stopruntime::ForeignSupport::None
}

#[test]
fn a_call_that_is_answered_has_its_value() {
    for query in ALL {
        let (reader, mut writer) = UnixStream::pair().unwrap();
        writer.write_all(&[7]).unwrap();
        assert_eq!(query(&reader).unwrap(), 7);
    }
}

#[test]
fn a_call_that_waits_is_ended() {
    for query in ALL {
        let (reader, _writer) = UnixStream::pair().unwrap();
        let thread = waiting(move || query(&reader));
        if is_supported() {
            assert!(is_stopped(&thread.stop_and_join().unwrap().unwrap_err()));
        }
    }
}

/// What the library sees, behind which its caller sees the stop.
fn seen(stream: &UnixStream, errors: &mut Vec<Option<i32>>) -> io::Result<u8> {
    let result = query(stream);
    errors.extend(result.as_ref().err().map(io::Error::raw_os_error));
    result
}

#[stoppable]
fn each_word(stream: &UnixStream, word: usize, errors: &mut Vec<Option<i32>>) -> io::Result<u8> {
    match word {
        0 => blocking!(foreign, seen(stream, errors)),
        1 => blocking!(foreign_reset, seen(stream, errors)),
        2 => blocking!(foreign, within = Duration::MAX, seen(stream, errors)),
        _ => blocking!(foreign_reset, within = Duration::MAX, seen(stream, errors)),
    }
}

#[test]
fn a_library_that_would_keep_the_connection_is_told() {
    let expected = [libc::ECANCELED, libc::ECONNRESET].repeat(2);
    for (word, error) in expected.into_iter().enumerate().filter(|_| is_supported()) {
        let (reader, _writer) = UnixStream::pair().unwrap();
        let thread = waiting(move || {
            let mut errors = Vec::new();
            (each_word(&reader, word, &mut errors), errors)
        });
        let (result, errors) = thread.stop_and_join().unwrap();
        assert!(is_stopped(&result.unwrap_err()));
        assert_eq!(errors, [Some(error)]);
    }
}

#[test]
fn a_call_is_not_made_once_a_stop_is_requested() {
    for query in ALL {
        let (reader, mut writer) = UnixStream::pair().unwrap();
        writer.write_all(&[7]).unwrap();
        let (result, mut reader) = requested(move || (query(&reader), reader));
        assert!(is_stopped(&result.unwrap_err()));
        reader.set_nonblocking(true).unwrap();
        assert_eq!(reader.read(&mut [0; 4]).unwrap(), 1, "nothing was taken");
    }
}

#[test]
fn a_call_behind_a_wait_is_ended_too() {
    let (reader, mut writer) = UnixStream::pair().unwrap();
    writer.write_all(&[7]).unwrap();
    let thread = waiting(move || readable(&reader));
    if is_supported() {
        assert!(is_stopped(&thread.stop_and_join().unwrap().unwrap_err()));
    }
}

#[stoppable]
fn short(stream: &UnixStream, by: bool) -> io::Result<u8> {
    let limit = Duration::from_millis(1);
    if by {
        blocking!(foreign, within = limit, query(stream))
    } else {
        blocking!(unblock = stream.shutdown(Shutdown::Both), within = limit, query(stream))
    }
}

#[test]
fn a_call_that_takes_longer_than_its_limit_fails() {
    for by in [is_supported(), false] {
        let (reader, _writer) = UnixStream::pair().unwrap();
        let error = short(&reader, by).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(stopruntime::check().is_ok(), "the thread goes on");
    }
}

#[stoppable]
fn items(stream: &UnixStream, by: bool) -> Vec<u8> {
    let mut items = Vec::new();
    loop {
        let item = if by {
            blocking!(foreign, break, next(stream))
        } else {
            blocking!(unblock = stream.shutdown(Shutdown::Both), break, next(stream))
        };
        match item {
            Some(Ok(byte)) => items.push(byte),
            other => {
                items.push(other.map_or(100, |_| 101));
                break;
            }
        }
    }
    items
}

#[test]
fn a_loop_is_left_and_keeps_what_came() {
    for by in [is_supported(), false] {
        let (reader, mut writer) = UnixStream::pair().unwrap();
        writer.write_all(&[1, 2]).unwrap();
        let thread = waiting(move || items(&reader, by));
        assert_eq!(thread.stop_and_join().unwrap(), [1, 2]);
        let (reader, mut writer) = UnixStream::pair().unwrap();
        writer.write_all(&[1]).unwrap();
        drop(writer);
        assert_eq!(items(&reader, by), [1, 100]);
    }
}

fn plus(stream: &UnixStream, byte: u8) -> io::Result<u8> {
    Ok(query(stream)? + byte)
}

#[stoppable]
fn operands(stream: &UnixStream, bytes: Result<u8, io::Error>) -> io::Result<u8> {
    #[blocking(foreign)]
    let sum = plus(stream, bytes?)?;
    Ok(sum)
}

/// A region that an operand leaves is left: a plain wait behind it is not ended.
#[test]
fn an_operand_may_leave_the_region() {
    let (reader, mut writer) = UnixStream::pair().unwrap();
    writer.write_all(&[1, 2]).unwrap();
    assert_eq!(operands(&reader, Ok(3)).unwrap(), 4);
    let thread = waiting(move || {
        let left = operands(&reader, Err(io::ErrorKind::NotFound.into())).unwrap_err();
        query(&reader).unwrap();
        (left.kind(), query(&reader).unwrap(), stopruntime::stop_requested())
    });
    thread.request_stop();
    writer.write_all(&[5]).unwrap();
    assert_eq!(thread.join().unwrap(), (io::ErrorKind::NotFound, 5, true));
}
