//! A reader or writer whose plain calls are stop-checked.

use crate::ext::Outcome;
use crate::ext::io::copy::Copied;
use crate::ext::{ReadOrStop, WriteOrStop};
use crate::scope::Stopped;
use core::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

/// Makes the plain [`Read`] and [`Write`] of a stream stop-checked.
///
/// It is for code that takes any stream: `BufReader<Stoppable<TcpStream>>`, TLS,
/// WebSocket.
///
/// A requested stop is an [`io::Error`] that carries [`Stopped`]
/// ([`is_stopped`](crate::is_stopped)). std's loops hand it on, and what they had
/// read so far is in the buffer that they were given.
///
/// A buffer of std's writes what it holds when it is dropped, and ignores errors. So the
/// first plain write after a request still writes as much as there is room for, without
/// waiting (to sockets, pipes and files on disk), and later writes report the stop. The
/// rest is lost with the buffer. To keep it, `flush` the buffer in a
/// [`shield`](crate::shield()) in the clean-up, or use a `BufWriter` over the stream
/// itself: its marked calls can be stopped, and its `Drop` waits.
///
/// # Examples
///
/// ```
/// use std::io::{BufRead, BufReader, Write};
/// use std::os::unix::net::UnixStream;
/// use stopruntime::Stoppable;
///
/// let (reader, mut writer) = UnixStream::pair()?;
/// writer.write_all(b"hello\n")?;
/// let mut line = String::new();
/// BufReader::new(Stoppable::new(reader)).read_line(&mut line)?;
/// assert_eq!(line, "hello\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Stoppable<S> {
    stream: S,
    /// The write after a request has been made.
    has_written_last: bool,
}

impl<S> Stoppable<S> {
    /// Wraps a stream.
    pub const fn new(stream: S) -> Stoppable<S> {
        Stoppable { stream, has_written_last: false }
    }

    /// Returns the stream.
    pub const fn get_ref(&self) -> &S {
        &self.stream
    }

    /// Returns the stream, to change its settings; its own calls are plain.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Takes the stream out again.
    pub fn into_inner(self) -> S {
        self.stream
    }
}

/// As an `io::Error`; cold, because it allocates.
#[inline(always)]
pub(in crate::ext) fn flatten<T>(outcome: Outcome<T>) -> io::Result<T> {
    #[cold]
    fn stop<T>(stopped: Stopped) -> io::Result<T> {
        Err(stopped.into())
    }
    outcome.unwrap_or_else(stop)
}

impl<S: ReadOrStop> Read for Stoppable<S> {
    #[inline(always)]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        flatten(self.stream.read_or_stop(buffer))
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        flatten(self.stream.read_vectored_or_stop(buffers))
    }
}

impl<S: WriteOrStop> Stoppable<S> {
    /// The write after a request: it may be all that is left of a buffer.
    #[cold]
    fn write_last(&mut self, data: &[u8], stopped: Stopped) -> io::Result<usize> {
        // mutant: first-write-does-not-wait
        let again = core::mem::replace(&mut self.has_written_last, true);
        let written = if again { 0 } else { self.stream.write_now(data) };
        if written > 0 { Ok(written) } else { Err(stopped.into()) }
    }
}

impl<S: WriteOrStop> Write for Stoppable<S> {
    #[inline(always)]
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        match self.stream.write_or_stop(data) {
            Ok(result) => result,
            Err(stopped) => self.write_last(data, stopped),
        }
    }

    fn write_vectored(&mut self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.stream.write_vectored_or_stop(data) {
            Ok(result) => result,
            Err(stopped) => {
                let first = data.iter().find(|part| !part.is_empty());
                self.write_last(first.map_or(&[], |part| part), stopped)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        flatten(self.stream.flush_or_stop())
    }
}

impl<S> Read for &Stoppable<S>
where
    for<'a> &'a S: ReadOrStop,
{
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        flatten((&self.stream).read_or_stop(buffer))
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        flatten((&self.stream).read_vectored_or_stop(buffers))
    }
}

impl<S> Write for &Stoppable<S>
where
    for<'a> &'a S: WriteOrStop,
{
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        flatten((&self.stream).write_or_stop(data))
    }

    fn write_vectored(&mut self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        flatten((&self.stream).write_vectored_or_stop(data))
    }

    fn flush(&mut self) -> io::Result<()> {
        flatten((&self.stream).flush_or_stop())
    }
}

impl<S: ReadOrStop> ReadOrStop for Stoppable<S> {
    #[inline(always)]
    fn read_or_stop(&mut self, buffer: &mut [u8]) -> Outcome<usize> {
        self.stream.read_or_stop(buffer)
    }

    /// Its `read` reports the stop by itself.
    fn ready_or_stop(&self) -> Outcome<()> {
        Ok(Ok(()))
    }

    fn read_vectored_or_stop(&mut self, buffers: &mut [IoSliceMut<'_>]) -> Outcome<usize> {
        self.stream.read_vectored_or_stop(buffers)
    }

    fn read_exact_or_stop(&mut self, buffer: &mut [u8]) -> Outcome<()> {
        self.stream.read_exact_or_stop(buffer)
    }

    fn read_to_end_or_stop(&mut self, buffer: &mut Vec<u8>) -> Outcome<usize> {
        self.stream.read_to_end_or_stop(buffer)
    }

    fn read_to_string_or_stop(&mut self, buffer: &mut String) -> Outcome<usize> {
        self.stream.read_to_string_or_stop(buffer)
    }

    fn seeks(&self) -> bool {
        self.stream.seeks()
    }

    fn copy_to_or_stop(&mut self, writer: &mut dyn WriteOrStop, limit: u64) -> Copied {
        self.stream.copy_to_or_stop(writer, limit)
    }
}

impl<S: WriteOrStop> WriteOrStop for Stoppable<S> {
    #[inline(always)]
    fn write_or_stop(&mut self, data: &[u8]) -> Outcome<usize> {
        self.stream.write_or_stop(data)
    }

    fn flush_or_stop(&mut self) -> Outcome<()> {
        self.stream.flush_or_stop()
    }

    fn room_or_stop(&mut self) -> Outcome<()> {
        self.stream.room_or_stop()
    }

    fn write_now(&mut self, data: &[u8]) -> usize {
        self.stream.write_now(data)
    }

    fn write_vectored_or_stop(&mut self, data: &[IoSlice<'_>]) -> Outcome<usize> {
        self.stream.write_vectored_or_stop(data)
    }

    fn write_all_or_stop(&mut self, data: &[u8]) -> Outcome<()> {
        self.stream.write_all_or_stop(data)
    }
}

/// A position is moved without waiting.
impl<S: Seek> Seek for Stoppable<S> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.stream.seek(position)
    }

    fn stream_position(&mut self) -> io::Result<u64> {
        self.stream.stream_position()
    }
}

impl<S: fmt::Debug> fmt::Debug for Stoppable<S> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Stoppable").field(&self.stream).finish()
    }
}

impl<S: AsFd> AsFd for Stoppable<S> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl<S: AsRawFd> AsRawFd for Stoppable<S> {
    fn as_raw_fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }
}
