//! A reader or writer whose plain calls are stop-checked.

use super::copy::Copied;
use super::{ReadOrStop, WriteOrStop};
use crate::stop::Stopped;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

/// A stream whose plain [`Read`] and [`Write`] are stop-checked, for code that
/// takes any stream: `BufReader<Stoppable<TcpStream>>`, TLS, WebSocket.
///
/// A requested stop is an [`io::Error`] that carries [`Stopped`]
/// ([`is_stopped`](crate::is_stopped)). std's loops hand it on; what they had
/// read so far is where they put it.
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
#[derive(Clone, Copy, Debug, Default)]
pub struct Stoppable<S>(S);

impl<S> Stoppable<S> {
    /// Wraps a stream.
    pub const fn new(stream: S) -> Stoppable<S> {
        Stoppable(stream)
    }

    /// The stream.
    pub const fn get_ref(&self) -> &S {
        &self.0
    }

    /// The stream, to change its settings; its own calls are plain.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.0
    }

    /// Takes the stream out again.
    pub fn into_inner(self) -> S {
        self.0
    }
}

/// As an `io::Error`; cold, because it allocates.
#[inline(always)]
fn flatten<T>(outcome: Result<io::Result<T>, Stopped>) -> io::Result<T> {
    #[cold]
    fn stop<T>(stopped: Stopped) -> io::Result<T> {
        Err(stopped.into())
    }
    outcome.unwrap_or_else(stop)
}

impl<S: ReadOrStop> Read for Stoppable<S> {
    #[inline(always)]
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        flatten(self.0.read_or_stop(buffer))
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        flatten(self.0.read_vectored_or_stop(buffers))
    }
}

impl<S: WriteOrStop> Write for Stoppable<S> {
    #[inline(always)]
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        flatten(self.0.write_or_stop(data))
    }

    fn write_vectored(&mut self, data: &[IoSlice<'_>]) -> io::Result<usize> {
        flatten(self.0.write_vectored_or_stop(data))
    }

    fn flush(&mut self) -> io::Result<()> {
        flatten(self.0.flush_or_stop())
    }
}

impl<S> Read for &Stoppable<S>
where
    for<'a> &'a S: ReadOrStop,
{
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        flatten((&self.0).read_or_stop(buffer))
    }
}

impl<S> Write for &Stoppable<S>
where
    for<'a> &'a S: WriteOrStop,
{
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        flatten((&self.0).write_or_stop(data))
    }

    fn flush(&mut self) -> io::Result<()> {
        flatten((&self.0).flush_or_stop())
    }
}

impl<S: ReadOrStop> ReadOrStop for Stoppable<S> {
    #[inline(always)]
    fn read_or_stop(&mut self, buffer: &mut [u8]) -> Result<io::Result<usize>, Stopped> {
        self.0.read_or_stop(buffer)
    }

    /// Its `read` reports the stop by itself.
    fn ready_or_stop(&self) -> Result<io::Result<()>, Stopped> {
        Ok(Ok(()))
    }

    fn copy_to_or_stop(&mut self, writer: &mut dyn WriteOrStop, limit: u64) -> Copied {
        self.0.copy_to_or_stop(writer, limit)
    }
}

impl<S: WriteOrStop> WriteOrStop for Stoppable<S> {
    #[inline(always)]
    fn write_or_stop(&mut self, data: &[u8]) -> Result<io::Result<usize>, Stopped> {
        self.0.write_or_stop(data)
    }

    fn flush_or_stop(&mut self) -> Result<io::Result<()>, Stopped> {
        self.0.flush_or_stop()
    }

    fn room_or_stop(&self) -> Result<io::Result<()>, Stopped> {
        self.0.room_or_stop()
    }
}

impl<S: AsFd> AsFd for Stoppable<S> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl<S: AsRawFd> AsRawFd for Stoppable<S> {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
