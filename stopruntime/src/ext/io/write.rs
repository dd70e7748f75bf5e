//! `Write`, stop-checked.

use crate::ext::Outcome;
use crate::scope;
use std::io::{self, ErrorKind, IoSlice, Write};

/// Writes, stop-checked: the calls of [`Write`].
///
/// `write` and `write_vectored` are single calls: if one is stopped, it has
/// written nothing. The others stop only between their single writes, and
/// [`Stopped::progress`](crate::Stopped::progress) says how far they came. If you must not stop in the
/// middle of a message, put the call in a [`shield`](crate::shield()).
///
/// A `BufWriter` over a stream keeps what it holds when a call is stopped, and
/// writes it when it is dropped.
///
/// # Examples
///
/// ```
/// use std::io::pipe;
/// use stopruntime::ext::WriteOrStop;
///
/// let (_reader, mut writer) = pipe()?;
/// writer.write_all_or_stop(b"line\n")??;
/// # Ok::<(), std::io::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it writes",
    label = "this write has no stop-checked form",
    note = "if it writes to a stream, let that be a `stopruntime::Stoppable` and mark the call `#[blocking(as_is)]`; if it has a file descriptor, use `#[blocking(writable)]`; if it is a type of your own, implement `stopruntime::ext::WriteOrStop` for it"
)]
pub trait WriteOrStop: Write {
    /// Writes as [`Write::write`] does, stop-checked. Returns the number of bytes
    /// written.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested and nothing was written.
    fn write_or_stop(&mut self, data: &[u8]) -> Outcome<usize>;

    /// Flushes as [`Write::flush`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested; what is not flushed is still buffered.
    fn flush_or_stop(&mut self) -> Outcome<()>;

    /// Waits until a write of a few bytes would not wait, if it can tell.
    #[doc(hidden)]
    fn room_or_stop(&mut self) -> Outcome<()> {
        scope::check().map(Ok)
    }

    /// Writes what there is room for now, of a few kinds of writers: how much.
    #[doc(hidden)]
    fn write_now(&mut self, _data: &[u8]) -> usize {
        0
    }

    /// Writes as [`Write::write_vectored`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested and nothing was written.
    fn write_vectored_or_stop(&mut self, data: &[IoSlice<'_>]) -> Outcome<usize> {
        let first = data.iter().find(|slice| !slice.is_empty());
        self.write_or_stop(first.map_or(&[], |slice| slice))
    }

    /// Writes as [`Write::write_all`] does, stop-checked between its writes.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested; the first
    /// [`progress`](crate::Stopped::progress) bytes were written.
    fn write_all_or_stop(&mut self, data: &[u8]) -> Outcome<()> {
        write_each(self, data)
    }
}

/// Writes until all is written.
pub(in crate::ext) fn write_each<W: WriteOrStop + ?Sized>(
    writer: &mut W,
    data: &[u8],
) -> Outcome<()> {
    let mut left = data;
    while !left.is_empty() {
        let done = data.len() - left.len();
        // mutant: write-all-says-how-far
        match writer.write_or_stop(left).map_err(|stopped| stopped.after(done))? {
            Ok(0) => {
                let message = "failed to write whole buffer";
                return Ok(Err(io::Error::new(ErrorKind::WriteZero, message)));
            }
            Ok(length) => left = &left[length..],
            // mutant: write-all-goes-on-after
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(()))
}

macro_rules! forwarded {
    ($($of:ident: $writer:ty),*) => {$(
        impl<$of: WriteOrStop + ?Sized> WriteOrStop for $writer {
            #[inline(always)]
            fn write_or_stop(&mut self, data: &[u8]) -> Outcome<usize> {
                (**self).write_or_stop(data)
            }

            fn flush_or_stop(&mut self) -> Outcome<()> {
                (**self).flush_or_stop()
            }

            fn room_or_stop(&mut self) -> Outcome<()> {
                (**self).room_or_stop()
            }

            fn write_now(&mut self, data: &[u8]) -> usize {
                (**self).write_now(data)
            }

            fn write_vectored_or_stop(
                &mut self,
                data: &[IoSlice<'_>],
            ) -> Outcome<usize> {
                (**self).write_vectored_or_stop(data)
            }

            fn write_all_or_stop(&mut self, data: &[u8]) -> Outcome<()> {
                (**self).write_all_or_stop(data)
            }
        }
    )*};
}
forwarded!(W: &mut W, W: Box<W>);
