//! Standard input.
//!
//! std keeps a buffer of its own that nobody can look into, so a stop-checked
//! read of it could wait for input that has arrived already. The stop-checked
//! reads therefore have another buffer, one for the process: standard input is
//! read either by marked calls or by plain ones, not by both.

use super::bufread::Lines;
use super::copy::{self, Copied, Source};
use super::read::append;
use super::{BufReadOrStop, ReadOrStop, WriteOrStop, raw};
use crate::stop::{self, Stopped};
use std::io::{self, Stdin, StdinLock};
use std::os::fd::AsRawFd;
use std::sync::{Mutex, PoisonError};

/// What has been read and not yet handed out.
static LEFT: Mutex<Vec<u8>> = Mutex::new(Vec::new());

const SIZE: usize = 8 * 1024;

fn take(buffer: &mut [u8]) -> usize {
    let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
    let length = left.len().min(buffer.len());
    buffer[..length].copy_from_slice(&left[..length]);
    left.drain(..length);
    length
}

/// What is handed out again before all else.
fn put_back(rest: &[u8]) {
    if !rest.is_empty() {
        let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
        left.splice(..0, rest.iter().copied());
    }
}

fn read(input: &impl AsRawFd, buffer: &mut [u8]) -> Result<io::Result<usize>, Stopped> {
    stop::check()?;
    match take(buffer) {
        // Not under the lock, which is never held while waiting.
        0 => raw::read(input.as_raw_fd(), buffer),
        length => Ok(Ok(length)),
    }
}

fn read_until(
    input: &impl AsRawFd,
    delimiter: u8,
    buffer: &mut Vec<u8>,
) -> Result<io::Result<usize>, Stopped> {
    let start = buffer.len();
    let mut chunk = [0; SIZE];
    loop {
        let done = buffer.len() - start;
        let length = match read(input, &mut chunk).map_err(|_| Stopped::after(done))? {
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Ok(Err(error)),
        };
        let at = chunk[..length].iter().position(|byte| *byte == delimiter);
        let used = at.map_or(length, |at| at + 1);
        buffer.extend_from_slice(&chunk[..used]);
        put_back(&chunk[used..length]);
        if at.is_some() || length == 0 {
            return Ok(Ok(done + used));
        }
    }
}

/// A copy from it.
struct Input<'input, I>(&'input I);

impl<I: AsRawFd> Source for Input<'_, I> {
    fn fetch(&mut self, piece: &mut [u8]) -> Result<io::Result<usize>, Stopped> {
        read(self.0, piece)
    }

    fn settle(&mut self, piece: &mut [u8], written: usize) -> io::Result<()> {
        put_back(&piece[written..]);
        Ok(())
    }
}

macro_rules! reader {
    ($($input:ty),*) => {$(
        impl ReadOrStop for $input {
            fn read_or_stop(&mut self, buffer: &mut [u8]) -> Result<io::Result<usize>, Stopped> {
                read(self, buffer)
            }

            fn ready_or_stop(&self) -> Result<io::Result<()>, Stopped> {
                if LEFT.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
                    raw::read_ready(self.as_raw_fd())
                } else {
                    stop::check().map(Ok)
                }
            }

            fn copy_to_or_stop(&mut self, writer: &mut dyn WriteOrStop, limit: u64) -> Copied {
                copy::by_pieces(&mut Input(self), writer, limit)
            }
        }
    )*};
}
reader!(Stdin, StdinLock<'_>);

impl BufReadOrStop for StdinLock<'_> {
    fn read_until_or_stop(
        &mut self,
        delimiter: u8,
        buffer: &mut Vec<u8>,
    ) -> Result<io::Result<usize>, Stopped> {
        read_until(self, delimiter, buffer)
    }
}

/// The inherent methods of [`Stdin`], stop-checked.
///
/// They keep a buffer apart from std's, one for the process: read standard
/// input either with stop-checked calls or with plain ones, not with both.
pub trait StdinOrStop {
    /// [`Stdin::read_line`], stop-checked between its reads.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested; [`progress`](Stopped::progress) bytes
    /// were appended.
    fn read_line_or_stop(&self, buffer: &mut String) -> Result<io::Result<usize>, Stopped>;

    #[doc(hidden)]
    fn lines_or_stop(self) -> Lines<StdinLock<'static>>;
}

impl StdinOrStop for Stdin {
    fn read_line_or_stop(&self, buffer: &mut String) -> Result<io::Result<usize>, Stopped> {
        let mut bytes = Vec::new();
        let outcome = read_until(self, b'\n', &mut bytes);
        append(buffer, &bytes, outcome)
    }

    fn lines_or_stop(self) -> Lines<StdinLock<'static>> {
        self.lock().lines_or_stop()
    }
}
