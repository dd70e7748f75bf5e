//! Buffered writers, stop-checked.
//!
//! A stop leaves in the buffer what was not written, and `Drop` writes that as
//! std's does: by plain calls, which wait for the other end.
//!
//! # Safety
//!
//! The invariant of this module: a `BufWriter` that has been taken apart is put
//! together again in its place before its owner can see it, in a panic too.

#![allow(unsafe_code)]

use crate::ext::Outcome;
use crate::ext::io::read::unwrap_stop;
use crate::ext::io::write::write_each;
use crate::ext::{Stoppable, WriteOrStop};
use crate::scope;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ptr;
use std::io::{self, BufWriter, ErrorKind, IoSlice, LineWriter, Write};

/// Stop-checked where it writes to what is beneath it: the buffer itself takes
/// bytes whenever it has room. Bytes in the buffer count as written.
///
/// If a call is stopped, what the buffer holds stays there. `flush` in the
/// clean-up, or `Drop`, writes it; both are plain calls, which wait for the
/// other end. After a marked `flush` the buffer is empty, and `into_inner` does
/// not wait.
///
/// # Examples
///
/// ```
/// use std::io::{self, BufWriter, Read, Write};
/// use stopruntime::Stopper;
/// use stopruntime::ext::WriteOrStop;
///
/// let (mut reader, writer) = io::pipe()?;
/// let mut writer = BufWriter::new(writer);
/// writer.write_all_or_stop(b"one, ")??;
/// Stopper::current().request_stop();
/// assert!(writer.write_all_or_stop(b"not this").is_err());
/// assert!(writer.flush_or_stop().is_err());
/// // The clean-up, or `drop` alone:
/// writer.write_all(b"two")?;
/// writer.flush()?;
/// drop(writer);
/// assert_eq!(io::read_to_string(&mut reader)?, "one, two");
/// # Ok::<(), io::Error>(())
/// ```
impl<W: WriteOrStop> WriteOrStop for BufWriter<W> {
    #[inline]
    fn write_or_stop(&mut self, data: &[u8]) -> Outcome<usize> {
        if let Err(error) = make_room(self, data.len())? {
            return Ok(Err(error));
        }
        if goes_past(self, data.len()) {
            return self.get_mut().write_or_stop(data);
        }
        Ok(self.write(data))
    }

    fn flush_or_stop(&mut self) -> Outcome<()> {
        match drain(self)? {
            Ok(()) => self.get_mut().flush_or_stop(),
            error => Ok(error),
        }
    }

    fn room_or_stop(&mut self) -> Outcome<()> {
        match make_room(self, libc::PIPE_BUF)? {
            Ok(()) if goes_past(self, libc::PIPE_BUF) => self.get_mut().room_or_stop(),
            outcome => Ok(outcome),
        }
    }

    fn write_now(&mut self, data: &[u8]) -> usize {
        // What it holds comes first.
        if self.buffer().is_empty() { self.get_mut().write_now(data) } else { 0 }
    }

    fn write_vectored_or_stop(&mut self, data: &[IoSlice<'_>]) -> Outcome<usize> {
        let total = data.iter().fold(0_usize, |total, part| total.saturating_add(part.len()));
        if let Err(error) = make_room(self, total)? {
            return Ok(Err(error));
        }
        if goes_past(self, total) {
            return self.get_mut().write_vectored_or_stop(data);
        }
        Ok(data.iter().try_for_each(|part| self.write_all(part)).map(|()| total))
    }

    fn write_all_or_stop(&mut self, data: &[u8]) -> Outcome<()> {
        if let Err(error) = make_room(self, data.len())? {
            return Ok(Err(error));
        }
        if goes_past(self, data.len()) {
            return self.get_mut().write_all_or_stop(data);
        }
        Ok(self.write_all(data))
    }
}

/// Writes what is in the buffer if this much more does not fit.
#[inline]
fn make_room<W: WriteOrStop>(writer: &mut BufWriter<W>, length: usize) -> Outcome<()> {
    if length > writer.capacity() - writer.buffer().len() {
        return drain(writer);
    }
    scope::check().map(Ok)
}

/// Whether this much is too long for the buffer.
fn goes_past<W: Write>(writer: &BufWriter<W>, length: usize) -> bool {
    length >= writer.capacity()
}

/// Writes what is in the buffer; what was not written stays in it.
fn drain<W: WriteOrStop>(writer: &mut BufWriter<W>) -> Outcome<()> {
    scope::check()?;
    if writer.buffer().is_empty() {
        return Ok(Ok(()));
    }
    let mut apart = Apart::take(writer);
    while apart.written < apart.buffer.len() {
        apart.is_writing = true;
        let outcome = apart.writer.write_or_stop(&apart.buffer[apart.written..]);
        apart.is_writing = false;
        match outcome? {
            Ok(0) => {
                let message = "failed to write the buffered data";
                return Ok(Err(io::Error::new(ErrorKind::WriteZero, message)));
            }
            Ok(length) => apart.written += length,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(()))
}

/// A `BufWriter` in its parts: std gives its buffer away with itself only.
struct Apart<'place, W: Write> {
    place: *mut BufWriter<W>,
    writer: ManuallyDrop<W>,
    buffer: Vec<u8>,
    capacity: usize,
    written: usize,
    /// In a panic: nothing is known of what is in the buffer.
    is_writing: bool,
    _place: PhantomData<&'place mut BufWriter<W>>,
}

impl<'place, W: Write> Apart<'place, W> {
    fn take(whole: &'place mut BufWriter<W>) -> Apart<'place, W> {
        let capacity = whole.capacity();
        let place = ptr::from_mut(whole);
        // SAFETY: a value, which nothing else looks at until `drop` puts another
        // into its place.
        let (writer, buffer) = unsafe { ptr::read(place) }.into_parts();
        Apart {
            place,
            writer: ManuallyDrop::new(writer),
            buffer: buffer.unwrap_or_else(io::WriterPanicked::into_inner),
            capacity,
            written: 0,
            is_writing: false,
            _place: PhantomData,
        }
    }
}

impl<W: Write> Drop for Apart<'_, W> {
    fn drop(&mut self) {
        // SAFETY: taken once, here.
        let writer = unsafe { ManuallyDrop::take(&mut self.writer) };
        let mut whole = BufWriter::with_capacity(self.capacity, writer);
        // After a panic std's `Drop` writes nothing either.
        // mutant: panic-under-buffer-not-written
        if !self.is_writing {
            // mutant: stopped-buffer-keeps-what-holds
            let left = self.buffer.get(self.written..).unwrap_or_default();
            // Of as much as the buffer holds none goes past it in two parts.
            let (most, last) = left.split_at(left.len().saturating_sub(1));
            let kept = whole.write_all(most).and_then(|()| whole.write_all(last));
            debug_assert!(kept.is_ok() && whole.buffer() == left, "written past the buffer");
        }
        // SAFETY: the place from which the value was taken.
        unsafe { ptr::write(self.place, whole) };
    }
}

/// Marks a line buffer whose calls can be stopped: what it writes to reports the stop
/// by itself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it writes",
    label = "this write has no stop-checked form",
    note = "use a `BufWriter` and mark its `flush` where a line ends; or put `stopruntime::Stoppable` between the two, `LineWriter::new(Stoppable::new(stream))`, and `flush` it in a `stopruntime::shield` before it is dropped"
)]
pub trait ReportsStop: Write {}

impl<W: WriteOrStop> ReportsStop for LineWriter<Stoppable<W>> {}

/// If a call is stopped, what the buffer holds stays there. `Drop` writes what
/// there is room for without waiting: the stop is still requested, and
/// [`Stoppable`] reports it. In the clean-up, `flush` it in a
/// [`shield`](crate::shield()).
///
/// A line whose beginning is in the buffer already goes out in two writes, that
/// beginning and then the rest, where std's `write_all` puts them together. Of a
/// datagram's socket these are two datagrams.
impl<W: Write> WriteOrStop for LineWriter<W>
where
    LineWriter<W>: ReportsStop,
{
    fn write_or_stop(&mut self, data: &[u8]) -> Outcome<usize> {
        scope::check()?;
        unwrap_stop(self.write(data))
    }

    fn flush_or_stop(&mut self) -> Outcome<()> {
        scope::check()?;
        unwrap_stop(self.flush())
    }

    fn write_vectored_or_stop(&mut self, data: &[IoSlice<'_>]) -> Outcome<usize> {
        scope::check()?;
        unwrap_stop(self.write_vectored(data))
    }

    /// Bytes in the buffer count as written, except that the last line feed is
    /// followed by a flush.
    fn write_all_or_stop(&mut self, data: &[u8]) -> Outcome<()> {
        let lines = data.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let (lines, rest) = data.split_at(lines);
        if let Err(error) = write_each(self, lines)? {
            return Ok(Err(error));
        }
        if !lines.is_empty() || rest.is_empty() {
            // A write of nothing flushes a line that is complete and in the buffer.
            // mutant: line-is-flushed
            let flushed = unwrap_stop(self.write(&[]));
            if let Err(error) = flushed.map_err(|stopped| stopped.after(lines.len()))? {
                return Ok(Err(error));
            }
        }
        write_each(self, rest).map_err(|stopped| stopped.after(lines.len() + stopped.progress()))
    }
}
