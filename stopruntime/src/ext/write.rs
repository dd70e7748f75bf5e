//! `Write`, stop-checked.

use super::read::unwrap_stop;
use super::stoppable::Stoppable;
use crate::stop::{self, Stopped};
use std::collections::VecDeque;
use std::io::{self, BufWriter, Cursor, Empty, ErrorKind, IoSlice, LineWriter, Sink, Write};

/// [`Write`] whose calls are stop-checked.
///
/// `write` and `write_vectored` are single calls: stopped, they have written
/// nothing. The others stop only between their single writes, and
/// [`Stopped::progress`] says how far they came. Who must not stop in the
/// middle of a message puts the call in a [`shield`](crate::shield()); so does
/// who flushes a `BufWriter<Stoppable<_>>` in the clean-up, where a stop is still
/// requested.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it writes",
    label = "this write has no stop-checked form",
    note = "wrap what it writes to in `stopruntime::Stoppable` (`BufWriter<Stoppable<TcpStream>>`) and mark the call `#[blocking(as_is)]`, or, for a type with a file descriptor, use `#[blocking(writable)]`"
)]
pub trait WriteOrStop: Write {
    /// [`Write::write`], stop-checked: the number of bytes written.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and nothing was written.
    fn write_or_stop(&mut self, data: &[u8]) -> Result<io::Result<usize>, Stopped>;

    /// [`Write::flush`], stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested; what is not flushed is still buffered.
    fn flush_or_stop(&mut self) -> Result<io::Result<()>, Stopped>;

    /// Waits until a write of a few bytes would not wait, if it can tell.
    #[doc(hidden)]
    fn room_or_stop(&self) -> Result<io::Result<()>, Stopped> {
        stop::check().map(Ok)
    }

    /// [`Write::write_vectored`], stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and nothing was written.
    fn write_vectored_or_stop(
        &mut self,
        data: &[IoSlice<'_>],
    ) -> Result<io::Result<usize>, Stopped> {
        let first = data.iter().find(|slice| !slice.is_empty());
        self.write_or_stop(first.map_or(&[], |slice| slice))
    }

    /// [`Write::write_all`], stop-checked between its writes.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested; the first
    /// [`progress`](Stopped::progress) bytes were written.
    fn write_all_or_stop(&mut self, data: &[u8]) -> Result<io::Result<()>, Stopped> {
        let mut done = 0;
        while done < data.len() {
            match self.write_or_stop(&data[done..]).map_err(|_| Stopped::after(done))? {
                Ok(0) => {
                    let message = "failed to write whole buffer";
                    return Ok(Err(io::Error::new(ErrorKind::WriteZero, message)));
                }
                Ok(length) => done += length,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(()))
    }
}

macro_rules! forwarded {
    ($($of:ident: $writer:ty),*) => {$(
        impl<$of: WriteOrStop + ?Sized> WriteOrStop for $writer {
            #[inline(always)]
            fn write_or_stop(&mut self, data: &[u8]) -> Result<io::Result<usize>, Stopped> {
                (**self).write_or_stop(data)
            }

            fn flush_or_stop(&mut self) -> Result<io::Result<()>, Stopped> {
                (**self).flush_or_stop()
            }

            fn room_or_stop(&self) -> Result<io::Result<()>, Stopped> {
                (**self).room_or_stop()
            }
        }
    )*};
}
forwarded!(W: &mut W, W: Box<W>);

/// A buffer over a writer whose plain `write` reports the stop by itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it writes",
    label = "this write has no stop-checked form",
    note = "put `stopruntime::Stoppable` between the buffer and the stream: `BufWriter::new(Stoppable::new(stream))`"
)]
pub trait ReportsStop: Write {}

impl<W: WriteOrStop> ReportsStop for BufWriter<Stoppable<W>> {}
impl<W: WriteOrStop> ReportsStop for LineWriter<Stoppable<W>> {}

macro_rules! plain {
    ($([$($parameter:tt)*] $writer:ty $(where $bound:ty: $trait:ident)?),*) => {$(
        impl<$($parameter)*> WriteOrStop for $writer
        $(where $bound: $trait)?
        {
            fn write_or_stop(&mut self, data: &[u8]) -> Result<io::Result<usize>, Stopped> {
                stop::check()?;
                unwrap_stop(self.write(data))
            }

            fn flush_or_stop(&mut self) -> Result<io::Result<()>, Stopped> {
                stop::check()?;
                unwrap_stop(self.flush())
            }
        }
    )*};
}
// In memory; or buffered over a writer that reports the stop by itself and
// keeps what it has not written.
plain!([] Vec<u8>, [] VecDeque<u8>, [] Sink, [] Empty, [] &mut [u8], [] Cursor<Vec<u8>>, [] Cursor<&mut Vec<u8>>, [] Cursor<&mut [u8]>, [] Cursor<Box<[u8]>>, [const N: usize] Cursor<[u8; N]>, [W: Write] BufWriter<W> where BufWriter<W>: ReportsStop, [W: Write] LineWriter<W> where LineWriter<W>: ReportsStop);
