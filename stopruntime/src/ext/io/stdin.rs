//! Standard input.
//!
//! std keeps a buffer of its own that cannot be looked into, and a lock that a
//! stop does not end the wait for. The stop-checked reads therefore have a
//! buffer and a lock of their own, one for the process: standard input is read
//! either by marked calls or by plain ones, not by both.
//!
//! The lock is held from the first byte of a call to its last, as std's is, so
//! that no other stop-checked reader gets a part of the line in between.
//!
//! # Safety
//!
//! The invariant of this module: [`INPUT`] alone has its place.

#![allow(unsafe_code)]

use crate::ext::Outcome;
use crate::ext::io::bufread::Lines;
use crate::ext::io::copy::{self, Copied};
use crate::ext::io::stoppable::flatten;
use crate::ext::sealed::Sealed;
use crate::ext::syscall;
use crate::ext::{BufReadOrStop, FillBufOrStop, LockOrStop, ReadOrStop, WriteOrStop};
use crate::runtime::process::{PerProcess, Place};
use crate::scope::{self, Stopped};
use crate::sync::{Mutex, MutexGuard};
use core::fmt;
use std::io::{self, BufRead, Read, Stdin, StdinLock};
use std::sync::PoisonError;

/// As std's.
const SIZE: usize = 8 * 1024;

/// What has been read and not yet handed out.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
    /// How many of them have been.
    taken: usize,
}

impl Buffer {
    fn left(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }
}

/// The turn of one call, or of one reader. A forked child begins with an empty
/// buffer: what its parent has read ahead is the parent's.
// SAFETY: the module's invariant.
static INPUT: PerProcess<Mutex<Buffer>> = unsafe { PerProcess::new(Place::StandardInput) };

type Held = MutexGuard<'static, Buffer>;

/// Keeps standard input locked against all other stop-checked readers.
///
/// It is what [`Stdin::lock`] returns under a mark.
///
/// Its plain calls are stop-checked as well: they report a stop as an
/// [`io::Error`] that carries [`Stopped`].
///
/// # Examples
///
/// ```no_run
/// use std::io::{BufRead, stdin};
/// use stopruntime::ext::LockOrStop;
///
/// # fn main() -> std::io::Result<()> {
/// let mut name = String::new();
/// let mut value = String::new();
/// // No other stop-checked reader gets the line in between.
/// let mut input = stdin().lock_or_stop()?;
/// input.read_line(&mut name)?;
/// input.read_line(&mut value)?;
/// # Ok(())
/// # }
/// ```
#[derive(Default)]
#[must_use = "standard input is free again as soon as this is dropped"]
pub struct StdinGuard(Option<Held>);

impl StdinGuard {
    /// The turn, which begins with the first call.
    fn turn(&mut self) -> Result<&mut Held, Stopped> {
        // mutant: turn-held-for-whole-call
        let turn = if let Some(turn) = self.0.take() {
            turn
        } else {
            // mutant: stdin-turn-stop-checked
            INPUT.get_or_make().lock_or_stop()?.unwrap_or_else(PoisonError::into_inner)
        };
        Ok(self.0.insert(turn))
    }
}

/// `read(2)` of standard input. One that is closed is empty, as in std.
fn fetch(buffer: &mut [u8]) -> Outcome<usize> {
    Ok(match syscall::read(libc::STDIN_FILENO, buffer)? {
        // mutant: standard-input-closed-empty
        Err(error) if error.raw_os_error() == Some(libc::EBADF) => Ok(0),
        outcome => outcome,
    })
}

impl FillBufOrStop for StdinGuard {
    fn fill_buf_or_stop(&mut self) -> Outcome<&[u8]> {
        scope::check()?;
        let buffer = &mut **self.turn()?;
        if buffer.left().is_empty() {
            buffer.bytes.resize(SIZE, 0);
            // None of it counts before it is filled.
            buffer.taken = SIZE;
            match fetch(&mut buffer.bytes)? {
                Ok(length) => {
                    buffer.bytes.truncate(length);
                    buffer.taken = 0;
                }
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(buffer.left()))
    }

    fn take_back(&mut self, part: &[u8]) -> bool {
        if let Some(buffer) = self.0.as_deref_mut() {
            let taken = core::mem::take(&mut buffer.taken);
            buffer.bytes.splice(..taken, part.iter().copied());
        }
        true
    }
}

impl ReadOrStop for StdinGuard {
    fn read_or_stop(&mut self, buffer: &mut [u8]) -> Outcome<usize> {
        scope::check()?;
        if buffer.len() >= SIZE && self.turn()?.left().is_empty() {
            return fetch(buffer);
        }
        Ok(self.fill_buf_or_stop()?.and_then(|mut left| left.read(buffer)).inspect(|length| {
            self.consume(*length);
        }))
    }

    /// Its `read` reports the stop by itself.
    fn ready_or_stop(&self) -> Outcome<()> {
        scope::check().map(Ok)
    }

    fn copy_to_or_stop(&mut self, writer: &mut dyn WriteOrStop, limit: u64) -> Copied {
        copy::from_buffer(self, writer, limit)
    }
}

impl Read for StdinGuard {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        flatten(self.read_or_stop(buffer))
    }
}

impl BufRead for StdinGuard {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        flatten(self.fill_buf_or_stop())
    }

    fn consume(&mut self, amount: usize) {
        if let Some(buffer) = self.0.as_deref_mut() {
            buffer.taken += amount.min(buffer.left().len());
        }
    }
}

impl fmt::Debug for StdinGuard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("StdinGuard").finish_non_exhaustive()
    }
}

macro_rules! reader {
    ($($input:ty),*) => {$(
        /// Each call has standard input to itself, from its first byte to its last.
        impl ReadOrStop for $input {
            fn read_or_stop(&mut self, buffer: &mut [u8]) -> Outcome<usize> {
                StdinGuard::default().read_or_stop(buffer)
            }

            /// Of the descriptor alone: the `read` after it is std's own.
            fn ready_or_stop(&self) -> Outcome<()> {
                syscall::read_ready(libc::STDIN_FILENO)
            }

            fn read_exact_or_stop(&mut self, buffer: &mut [u8]) -> Outcome<()> {
                StdinGuard::default().read_exact_or_stop(buffer)
            }

            fn read_to_end_or_stop(
                &mut self,
                buffer: &mut Vec<u8>,
            ) -> Outcome<usize> {
                StdinGuard::default().read_to_end_or_stop(buffer)
            }

            fn read_to_string_or_stop(
                &mut self,
                buffer: &mut String,
            ) -> Outcome<usize> {
                StdinGuard::default().read_to_string_or_stop(buffer)
            }

            fn copy_to_or_stop(&mut self, writer: &mut dyn WriteOrStop, limit: u64) -> Copied {
                StdinGuard::default().copy_to_or_stop(writer, limit)
            }
        }
    )*};
}
reader!(Stdin, &Stdin, StdinLock<'_>);

impl BufReadOrStop for StdinLock<'_> {
    fn read_until_or_stop(&mut self, delimiter: u8, buffer: &mut Vec<u8>) -> Outcome<usize> {
        StdinGuard::default().read_until_or_stop(delimiter, buffer)
    }

    fn part_or_stop(&mut self, delimiter: u8, part: &mut Vec<u8>) -> Outcome<usize> {
        StdinGuard::default().part_or_stop(delimiter, part)
    }
}

/// Reads standard input, stop-checked: the inherent methods of [`Stdin`].
///
/// They have a buffer and a lock apart from std's, one for the process: read
/// standard input either with stop-checked calls or with plain ones, not with
/// both. A call has the lock until it ends; a loop over `lines()` from its first
/// line on. A loop that is stopped in the middle of a line puts the line back.
///
/// To keep other stop-checked readers out for several calls,
/// [lock it](StdinGuard) under a mark. (The guard of an unmarked `lock()` is
/// std's: waiting for it cannot be stopped, and it keeps plain readers out.)
///
/// The trait is [sealed](crate::ext).
///
/// # Examples
///
/// ```
/// use std::io::stdin;
/// use stopruntime::{Stopper, ext::StdinOrStop};
///
/// Stopper::current().request_stop();
/// assert!(stdin().read_line_or_stop(&mut String::new()).is_err());
/// ```
pub trait StdinOrStop: Sealed {
    /// Reads as [`Stdin::read_line`] does, stop-checked between its reads.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested; [`progress`](Stopped::progress) bytes
    /// were appended.
    fn read_line_or_stop(&self, buffer: &mut String) -> Outcome<usize>;

    #[doc(hidden)]
    fn lines_or_stop(self) -> Lines<StdinGuard>;
}

impl StdinOrStop for Stdin {
    fn read_line_or_stop(&self, buffer: &mut String) -> Outcome<usize> {
        StdinGuard::default().read_line_or_stop(buffer)
    }

    fn lines_or_stop(self) -> Lines<StdinGuard> {
        StdinGuard::default().lines_or_stop()
    }
}

/// [`Stdin::lock`], stop-checked.
impl LockOrStop for Stdin {
    type Output = StdinGuard;

    fn lock_or_stop(&self) -> Result<StdinGuard, Stopped> {
        let mut guard = StdinGuard::default();
        scope::check()?;
        guard.turn()?;
        Ok(guard)
    }
}
