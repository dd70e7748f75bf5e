//! `Read`, stop-checked.

use crate::ext::Outcome;
use crate::ext::WriteOrStop;
use crate::ext::io::copy::{self, Copied, Source};
use crate::scope::{self, stopped_in};
use std::io::{self, ErrorKind, IoSliceMut, Read};

/// Reads, stop-checked: the calls of [`Read`].
///
/// `read` and `read_vectored` are single calls: if they are stopped, they have read
/// nothing. The others stop only between their single reads; what they have read is
/// in the buffer, and [`Stopped::progress`](crate::Stopped::progress) says how much. If you must not stop in
/// the middle of a message, put the call in a [`shield`](crate::shield()).
///
/// To implement it for a type of your own that wraps another one, forward
/// [`read_or_stop`](ReadOrStop::read_or_stop) and
/// [`ready_or_stop`](ReadOrStop::ready_or_stop).
///
/// # Examples
///
/// ```
/// use std::io::pipe;
/// use stopruntime::{Stopper, ext::ReadOrStop};
///
/// let (mut reader, _writer) = pipe()?;
/// Stopper::current().request_stop();
/// let stopped = reader.read_exact_or_stop(&mut [0; 8]).unwrap_err();
/// assert_eq!(stopped.progress(), 0);
/// # Ok::<(), std::io::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it reads",
    label = "this read has no stop-checked form",
    note = "wrap what it reads from in `stopruntime::Stoppable` and mark the call `#[blocking(as_is)]`, or, for a type with a file descriptor, use `#[blocking(readable)]`"
)]
pub trait ReadOrStop: Read {
    /// Reads as [`Read::read`] does, stop-checked. Returns the number of bytes read.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested and nothing was read.
    fn read_or_stop(&mut self, buffer: &mut [u8]) -> Outcome<usize>;

    /// Waits until a plain `read` would not wait; what a `BufReader` does before it
    /// fills its buffer. The error is one that the `read` would give, such as a
    /// socket's time-out. A type whose `read` reports [`Stopped`](crate::Stopped) by itself has
    /// nothing to wait for.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested.
    fn ready_or_stop(&self) -> Outcome<()>;

    /// Reads as [`Read::read_vectored`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested and nothing was read.
    fn read_vectored_or_stop(&mut self, buffers: &mut [IoSliceMut<'_>]) -> Outcome<usize> {
        let first = buffers.iter_mut().find(|buffer| !buffer.is_empty());
        self.read_or_stop(first.map_or(&mut [], |buffer| &mut **buffer))
    }

    /// Reads as [`Read::read_exact`] does, stop-checked between its reads.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested; the first
    /// [`progress`](crate::Stopped::progress) bytes of the buffer are filled.
    fn read_exact_or_stop(&mut self, buffer: &mut [u8]) -> Outcome<()> {
        let length = buffer.len();
        let mut left = buffer;
        while !left.is_empty() {
            let done = length - left.len();
            // mutant: read-exact-says-how-far
            match self.read_or_stop(left).map_err(|stopped| stopped.after(done))? {
                Ok(0) => {
                    let message = "failed to fill whole buffer";
                    return Ok(Err(io::Error::new(ErrorKind::UnexpectedEof, message)));
                }
                Ok(length) => left = &mut left[length..],
                // mutant: read-exact-goes-on-after
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(()))
    }

    /// Reads as [`Read::read_to_end`] does, stop-checked between its reads.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested; [`progress`](crate::Stopped::progress) bytes
    /// were appended.
    fn read_to_end_or_stop(&mut self, buffer: &mut Vec<u8>) -> Outcome<usize> {
        const STEP: usize = 8 * 1024;
        let (start, capacity) = (buffer.len(), buffer.capacity());
        loop {
            let length = buffer.len();
            // A buffer that may be of just the right size is not enlarged to
            // find out that there is no more.
            let outcome = if buffer.capacity() == capacity && capacity - length < LITTLE {
                append_little(self, buffer)
            } else {
                append_up_to(self, buffer, STEP)
            };
            // mutant: read-end-says-how-far
            match outcome.map_err(|stopped| stopped.after(length - start))? {
                Ok(0) => return Ok(Ok(length - start)),
                // mutant: read-end-goes-on-after
                Err(error) if error.kind() != ErrorKind::Interrupted => return Ok(Err(error)),
                _ => {}
            }
        }
    }

    /// Reads as [`Read::read_to_string`] does, stop-checked between its reads.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested; [`progress`](crate::Stopped::progress) bytes
    /// were appended. The bytes of a character that had not arrived whole are
    /// not among them: read bytes where that matters.
    fn read_to_string_or_stop(&mut self, buffer: &mut String) -> Outcome<usize> {
        let mut bytes = Vec::new();
        let outcome = self.read_to_end_or_stop(&mut bytes);
        append(buffer, &bytes, outcome)
    }

    /// Returns whether its position may be moved (`Seek`), so that a buffer over it
    /// can ask again for what it has read.
    #[doc(hidden)]
    fn seeks(&self) -> bool {
        true
    }

    /// Copies at most `limit` bytes from it, for
    /// [`copy_or_stop`](crate::ext::copy_or_stop).
    #[doc(hidden)]
    fn copy_to_or_stop(&mut self, writer: &mut dyn WriteOrStop, limit: u64) -> Copied {
        copy_any(self, writer, limit)
    }
}

/// Less room than this is not read into.
const LITTLE: usize = 32;

/// Makes one read of a few bytes.
fn append_little<R: ReadOrStop + ?Sized>(reader: &mut R, buffer: &mut Vec<u8>) -> Outcome<usize> {
    let mut little = [0; LITTLE];
    let read = reader.read_or_stop(&mut little)?;
    Ok(read.and_then(|length| {
        buffer.try_reserve(length)?;
        buffer.extend_from_slice(&little[..length]);
        Ok(length)
    }))
}

/// Makes one read of at most this many bytes.
fn append_up_to<R: ReadOrStop + ?Sized>(
    reader: &mut R,
    buffer: &mut Vec<u8>,
    most: usize,
) -> Outcome<usize> {
    if let Err(error) = buffer.try_reserve(LITTLE) {
        return Ok(Err(error.into()));
    }
    let length = buffer.len();
    let mut appended = Appended { keep: length, buffer };
    let room = appended.buffer.capacity().min(length + most);
    appended.buffer.resize(room, 0);
    let outcome = reader.read_or_stop(&mut appended.buffer[length..])?;
    if let Ok(read) = outcome {
        assert!(read <= room - length, "more was read than there was room for");
        appended.keep += read;
    }
    Ok(outcome)
}

/// Takes off what was not read, in a panic too.
struct Appended<'buffer> {
    buffer: &'buffer mut Vec<u8>,
    keep: usize,
}

impl Drop for Appended<'_> {
    fn drop(&mut self) {
        self.buffer.truncate(self.keep);
    }
}

/// Appends what was read, and fits the outcome to what could be appended.
pub(in crate::ext) fn append(
    buffer: &mut String,
    bytes: &[u8],
    outcome: Outcome<usize>,
) -> Outcome<usize> {
    let text = match (core::str::from_utf8(bytes), &outcome) {
        (Ok(text), _) => text,
        (Err(error), Err(_)) => {
            // The bytes before the error are text.
            core::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
        }
        (Err(_), Ok(_)) => {
            let message = "stream did not contain valid UTF-8";
            return Ok(outcome?.and(Err(io::Error::new(ErrorKind::InvalidData, message))));
        }
    };
    buffer.push_str(text);
    outcome.map_err(|stopped| stopped.after(text.len()))
}

/// Turns an error that carries the calling thread's [`Stopped`](crate::Stopped) back into it.
pub(in crate::ext) fn unwrap_stop<T>(result: io::Result<T>) -> Outcome<T> {
    match result.as_ref().err().and_then(stopped_in) {
        // mutant: stop-inside-bufreader
        Some(stopped) if scope::must_stop() => Err(stopped),
        _ => Ok(result),
    }
}

/// Copies from a reader that nothing more is known of.
pub(in crate::ext) fn copy_any<R: ReadOrStop + ?Sized>(
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

    copy::by_pieces(&mut Any(reader), writer, limit)
}

macro_rules! forwarded {
    ($($of:ident: $reader:ty),*) => {$(
        impl<$of: ReadOrStop + ?Sized> ReadOrStop for $reader {
            #[inline(always)]
            fn read_or_stop(&mut self, buffer: &mut [u8]) -> Outcome<usize> {
                (**self).read_or_stop(buffer)
            }

            fn ready_or_stop(&self) -> Outcome<()> {
                (**self).ready_or_stop()
            }

            fn read_vectored_or_stop(
                &mut self,
                buffers: &mut [IoSliceMut<'_>],
            ) -> Outcome<usize> {
                (**self).read_vectored_or_stop(buffers)
            }

            fn read_exact_or_stop(
                &mut self,
                buffer: &mut [u8],
            ) -> Outcome<()> {
                (**self).read_exact_or_stop(buffer)
            }

            fn read_to_end_or_stop(
                &mut self,
                buffer: &mut Vec<u8>,
            ) -> Outcome<usize> {
                (**self).read_to_end_or_stop(buffer)
            }

            fn read_to_string_or_stop(
                &mut self,
                buffer: &mut String,
            ) -> Outcome<usize> {
                (**self).read_to_string_or_stop(buffer)
            }

            fn seeks(&self) -> bool {
                (**self).seeks()
            }

            fn copy_to_or_stop(&mut self, writer: &mut dyn WriteOrStop, limit: u64) -> Copied {
                (**self).copy_to_or_stop(writer, limit)
            }
        }
    )*};
}
forwarded!(R: &mut R, R: Box<R>);
