//! Copying piece by piece, from whatever can be asked for one.

use crate::ext::Outcome;
use crate::ext::WriteOrStop;
use crate::scope::{self, Shield};
use std::io::{self, ErrorKind};

/// Says what became of a copy.
#[derive(Debug)]
pub struct Copied {
    pub(in crate::ext) bytes: u64,
    pub(in crate::ext) end: Outcome<()>,
}

/// Where pieces come from.
pub(in crate::ext) trait Source {
    /// Returns whether what was fetched and not written can come again.
    fn gives_back(&self) -> bool {
        true
    }

    /// Fetches the next bytes, none at the end.
    fn fetch(&mut self, piece: &mut [u8]) -> Outcome<usize>;

    /// Takes note that this much of the piece that was fetched last is written. The
    /// rest comes again; the piece itself is not needed any more.
    fn settle(&mut self, piece: &mut [u8], written: usize) -> io::Result<()>;
}

/// As much as a pipe holds (pipe(7)).
const PIECE: usize = 64 * 1024;

/// Copies piece by piece, at most `limit` bytes. Over trait objects: next to the
/// system calls of a piece a call through a table costs nothing, and
/// one copy of this code for all pairs is quicker to compile.
pub(in crate::ext) fn by_pieces(
    source: &mut dyn Source,
    writer: &mut dyn WriteOrStop,
    limit: u64,
) -> Copied {
    // What has room has room for this much (pipe(7)).
    let gives_back = source.gives_back();
    let mut buffer = vec![0; if gives_back { PIECE } else { libc::PIPE_BUF }];
    let mut bytes = 0;
    if limit == 0 {
        return Copied { bytes, end: scope::check().map(Ok) };
    }
    while bytes < limit {
        let most = up_to(buffer.len(), limit - bytes);
        let fetched = match next(source, writer, &mut buffer[..most]) {
            Ok(Ok(0)) => return Copied { bytes, end: Ok(Ok(())) },
            Ok(Ok(fetched)) => fetched,
            Ok(Err(error)) if error.kind() == ErrorKind::Interrupted => continue,
            Ok(Err(error)) => return Copied { bytes, end: Ok(Err(error)) },
            Err(stopped) => return Copied { bytes, end: Err(stopped) },
        };
        let piece = &mut buffer[..most][..fetched];
        let (written, end) = {
            // mutant: written-before-stop-seen
            let _shield = (!gives_back).then(Shield::enter);
            write(writer, piece)
        };
        bytes += written as u64;
        if let Err(error) = source.settle(piece, written) {
            return Copied { bytes, end: Ok(Err(error)) };
        }
        if !matches!(end, Ok(Ok(()))) {
            return Copied { bytes, end };
        }
    }
    Copied { bytes, end: Ok(Ok(())) }
}

/// The next piece; from a source that cannot give back, when it can be written.
fn next(source: &mut dyn Source, writer: &mut dyn WriteOrStop, piece: &mut [u8]) -> Outcome<usize> {
    // mutant: peeked-read-when-there-is-room
    if !source.gives_back()
        && let Err(error) = writer.room_or_stop()?
    {
        return Ok(Err(error));
    }
    source.fetch(piece)
}

/// As much of `length` as is left.
pub(in crate::ext) fn up_to(length: usize, left: u64) -> usize {
    usize::try_from(left).map_or(length, |left| length.min(left))
}

/// Writes until all is written, a stop or an error; how much was.
pub(super) fn write(writer: &mut dyn WriteOrStop, data: &[u8]) -> (usize, Outcome<()>) {
    let mut left = data;
    while !left.is_empty() {
        let end = match writer.write_or_stop(left) {
            Ok(Ok(0)) => {
                let message = "failed to write whole buffer";
                Ok(Err(io::Error::new(ErrorKind::WriteZero, message)))
            }
            Ok(Ok(length)) => {
                left = &left[length..];
                continue;
            }
            Ok(Err(error)) if error.kind() == ErrorKind::Interrupted => continue,
            end => end.map(|result| result.map(drop)),
        };
        return (data.len() - left.len(), end);
    }
    (data.len(), Ok(Ok(())))
}
