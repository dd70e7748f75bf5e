//! Adapters of std's over readers: `Take` and `Chain`.

use crate::ext::Outcome;
use crate::ext::io::copy::{self, Copied};
use crate::ext::io::read::unwrap_stop;
use crate::ext::{FillBufOrStop, ReadOrStop, Stoppable, WriteOrStop};
use crate::scope;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Chain, Cursor, Empty, IoSliceMut, Read, Repeat, Take};

/// Of what it is taken from. A copy sets the limit to what is left, and
/// `Take::position` then counts from there.
impl<R: ReadOrStop> ReadOrStop for Take<R> {
    /// # Panics
    ///
    /// If the reader says that it has read more than there was room for, as
    /// std's.
    fn read_or_stop(&mut self, buffer: &mut [u8]) -> Outcome<usize> {
        let limit = self.limit();
        if limit == 0 {
            return scope::check().map(|()| Ok(0));
        }
        if self.seeks() {
            // `set_limit` would make this the beginning, which `Seek` counts from.
            if let Err(error) = self.get_ref().ready_or_stop()? {
                return Ok(Err(error));
            }
            return unwrap_stop(self.read(buffer));
        }
        let most = copy::up_to(buffer.len(), limit);
        let outcome = self.get_mut().read_or_stop(&mut buffer[..most])?;
        if let Ok(length) = &outcome {
            // mutant: limit-does-not-wrap
            let left = limit.checked_sub(*length as u64);
            self.set_limit(left.expect("number of read bytes exceeds limit"));
        }
        Ok(outcome)
    }

    fn ready_or_stop(&self) -> Outcome<()> {
        if self.limit() == 0 { scope::check().map(Ok) } else { self.get_ref().ready_or_stop() }
    }

    fn seeks(&self) -> bool {
        self.get_ref().seeks()
    }

    fn copy_to_or_stop(&mut self, writer: &mut dyn WriteOrStop, most: u64) -> Copied {
        let limit = self.limit();
        let copied = self.get_mut().copy_to_or_stop(writer, limit.min(most));
        self.set_limit(limit.saturating_sub(copied.bytes));
        copied
    }
}

impl<B: FillBufOrStop + ReadOrStop> FillBufOrStop for Take<B> {
    fn fill_buf_or_stop(&mut self) -> Outcome<&[u8]> {
        let limit = self.limit();
        if limit == 0 {
            return scope::check().map(|()| Ok(&[] as &[u8]));
        }
        let filled = self.get_mut().fill_buf_or_stop()?;
        Ok(filled.map(|buffer| &buffer[..copy::up_to(buffer.len(), limit)]))
    }
}

/// Marks a reader whose plain calls report a stop by themselves, or never wait.
///
/// A `Chain` does not say which of its readers it has come to. So its own calls are
/// made, and both readers have to be of this kind.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it is read in a chain",
    label = "only the chain itself knows which of its readers it has come to",
    note = "put `stopruntime::Stoppable` around each stream of the chain: `first.chain(Stoppable::new(stream))`"
)]
pub trait StopsByItself: Read {}

impl<S: ReadOrStop> StopsByItself for Stoppable<S> {}
impl StopsByItself for &[u8] {}
impl<T: AsRef<[u8]>> StopsByItself for Cursor<T> {}
impl StopsByItself for Empty {}
impl StopsByItself for Repeat {}
impl StopsByItself for VecDeque<u8> {}
impl<R: StopsByItself> StopsByItself for BufReader<R> {}
impl<R: StopsByItself> StopsByItself for Take<R> {}
impl<T: StopsByItself, U: StopsByItself> StopsByItself for Chain<T, U> {}
impl<R: StopsByItself + ?Sized> StopsByItself for &mut R {}
impl<R: StopsByItself + ?Sized> StopsByItself for Box<R> {}

impl<T: StopsByItself, U: StopsByItself> ReadOrStop for Chain<T, U> {
    fn read_or_stop(&mut self, buffer: &mut [u8]) -> Outcome<usize> {
        scope::check()?;
        unwrap_stop(self.read(buffer))
    }

    /// Returns at once: its `read` reports the stop by itself.
    fn ready_or_stop(&self) -> Outcome<()> {
        Ok(Ok(()))
    }

    fn read_vectored_or_stop(&mut self, buffers: &mut [IoSliceMut<'_>]) -> Outcome<usize> {
        scope::check()?;
        unwrap_stop(self.read_vectored(buffers))
    }
}

impl<T, U> FillBufOrStop for Chain<T, U>
where
    T: StopsByItself + BufRead,
    U: StopsByItself + BufRead,
{
    fn fill_buf_or_stop(&mut self) -> Outcome<&[u8]> {
        scope::check()?;
        unwrap_stop(self.fill_buf())
    }
}
