//! `io::copy`, stop-checked.
//!
//! std's reads a piece and then writes it: who is stopped in between has bytes
//! that are neither there nor here. This one never holds any:
//!
//! ```text
//! loop:  fetch   the next piece, so that it can come again        (stop-checked)
//!        write   as much of it as the other end takes             (stop-checked)
//!        settle  what is written is taken off the source, the rest stays
//! ```

mod descriptor;
mod no_wait;

pub(in crate::ext) use descriptor::from_descriptor;

use crate::ext::Outcome;
use crate::ext::{FillBufOrStop, ReadOrStop, WriteOrStop};
use crate::scope::{self, Shield, Stopped};
use std::io::{self, ErrorKind};

/// [`std::io::copy`], stop-checked between its single reads and writes: the
/// number of bytes copied.
///
/// Stopped, nothing is lost, whatever the other end does: what was not written
/// comes again with the next read. How that is done depends on the source, of
/// which the copy has to be the only reader:
///
/// | source | not written: |
/// |---|---|
/// | `BufReader`, `&[u8]`, `Cursor` … | stays in the buffer |
/// | a regular file, a block device | read, and given back by lseek(2) |
/// | a stream socket | looked at (`MSG_PEEK`, recv(2)), and taken when it is written |
/// | a pipe, a FIFO, a child's output | looked at through a pipe of the call's own (tee(2)), and taken when it is written |
/// | standard input | put back into its buffer, which stop-checked reads have |
/// | anything else: a terminal, a device, a file in `/proc`, a reader of your own; a pipe where no descriptors are left or tee(2) and splice(2) are refused | written |
///
/// The last kind cannot give back: it is read, in small pieces, when the other
/// end has room, and what has been read is written before a stop is seen. Over
/// such a source, a writer that does not tell when it has room (a `LineWriter`)
/// can put a stop off; put a `BufReader` around the source.
///
/// An error leaves as little behind as a stop does. Who must not stop in the
/// middle of a message puts the call in a [`shield`](crate::shield()).
///
/// # Errors
///
/// [`Stopped`]: a stop is requested; the first [`progress`](Stopped::progress)
/// bytes have been copied.
///
/// ```
/// use std::io::Write;
/// use std::os::unix::net::UnixStream;
/// use stopruntime::Stopper;
/// use stopruntime::ext::copy_or_stop;
///
/// let (mut source, mut other) = UnixStream::pair()?;
/// other.write_all(b"all of it")?;
/// drop(other);
/// let mut copy = Vec::new();
/// assert_eq!(copy_or_stop(&mut source, &mut copy)??, 9);
/// assert_eq!(copy, b"all of it");
/// Stopper::current().request_stop();
/// assert!(copy_or_stop(&mut source, &mut copy).is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn copy_or_stop<R, W>(reader: &mut R, mut writer: &mut W) -> Outcome<u64>
where
    R: CopyFromOrStop + ?Sized,
    W: CopyToOrStop + ?Sized,
{
    let Copied { bytes, end } = reader.copy_to_or_stop(&mut writer, u64::MAX);
    match end {
        Ok(end) => Ok(end.map(|()| bytes)),
        Err(_) => Err(Stopped::after(usize::try_from(bytes).unwrap_or(usize::MAX))),
    }
}

/// What can be copied from: every [`ReadOrStop`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be copied from by a call that can be stopped",
    label = "reading from it has no stop-checked form",
    note = "copy from the stream that it reads from, or implement `stopruntime::ext::ReadOrStop` for it; std's own `io::copy`, marked `#[blocking(as_is)]` over `stopruntime::Stoppable`, can be stopped but drops what it has read and not written"
)]
pub trait CopyFromOrStop: ReadOrStop {}

#[diagnostic::do_not_recommend]
impl<R: ReadOrStop + ?Sized> CopyFromOrStop for R {}

/// What can be copied to: every [`WriteOrStop`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be copied to by a call that can be stopped",
    label = "writing to it has no stop-checked form",
    note = "copy to the stream that it writes to, or to a `BufWriter` over one of std's; for standard output, copy to `File::from(io::stdout().as_fd().try_clone_to_owned()?)`"
)]
pub trait CopyToOrStop: WriteOrStop {}

#[diagnostic::do_not_recommend]
impl<W: WriteOrStop + ?Sized> CopyToOrStop for W {}

/// What became of a copy.
#[derive(Debug)]
pub struct Copied {
    pub(in crate::ext) bytes: u64,
    pub(in crate::ext) end: Outcome<()>,
}

/// Where pieces come from.
pub(in crate::ext) trait Source {
    /// Whether what was fetched and not written can come again.
    fn gives_back(&self) -> bool {
        true
    }

    /// The next bytes, none at the end.
    fn fetch(&mut self, piece: &mut [u8]) -> Outcome<usize>;

    /// Of the piece that was fetched last, this much is written. The rest comes
    /// again; the piece itself is not needed any more.
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
            let _shield = (!gives_back).then(Shield::new);
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
    if !source.gives_back()
        && let Err(error) = writer.room_or_stop()?
    {
        return Ok(Err(error));
    }
    source.fetch(piece)
}

/// Copies what is in the buffer, and what comes into it.
pub(in crate::ext) fn from_buffer<B: FillBufOrStop + ?Sized>(
    reader: &mut B,
    writer: &mut dyn WriteOrStop,
    limit: u64,
) -> Copied {
    let mut bytes = 0;
    if limit == 0 {
        return Copied { bytes, end: scope::check().map(Ok) };
    }
    while bytes < limit {
        let (written, end) = match reader.fill_buf_or_stop() {
            Ok(Ok([])) => return Copied { bytes, end: Ok(Ok(())) },
            Ok(Ok(buffer)) => write(writer, &buffer[..up_to(buffer.len(), limit - bytes)]),
            Ok(Err(error)) if error.kind() == ErrorKind::Interrupted => continue,
            Ok(Err(error)) => (0, Ok(Err(error))),
            Err(stopped) => (0, Err(stopped)),
        };
        reader.consume(written);
        bytes += written as u64;
        if !matches!(end, Ok(Ok(()))) {
            return Copied { bytes, end };
        }
    }
    Copied { bytes, end: Ok(Ok(())) }
}

/// Copies from a reader that nothing more is known of.
pub(in crate::ext) fn from_any<R: ReadOrStop + ?Sized>(
    reader: &mut R,
    writer: &mut dyn WriteOrStop,
    limit: u64,
) -> Copied {
    struct Any<'reader, R: ?Sized>(&'reader mut R);

    impl<R: ReadOrStop + ?Sized> Source for Any<'_, R> {
        fn gives_back(&self) -> bool {
            false
        }

        fn fetch(&mut self, piece: &mut [u8]) -> Outcome<usize> {
            self.0.read_or_stop(piece)
        }

        fn settle(&mut self, _: &mut [u8], _: usize) -> io::Result<()> {
            Ok(())
        }
    }

    by_pieces(&mut Any(reader), writer, limit)
}

/// As much of `length` as is left.
pub(in crate::ext) fn up_to(length: usize, left: u64) -> usize {
    usize::try_from(left).map_or(length, |left| length.min(left))
}

/// Writes until all is written, a stop or an error; how much was.
fn write(writer: &mut dyn WriteOrStop, data: &[u8]) -> (usize, Outcome<()>) {
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
