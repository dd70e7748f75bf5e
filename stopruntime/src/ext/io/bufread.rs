//! `BufRead` and the iterators over readers, stop-checked.

use crate::ext::Outcome;
use crate::ext::io::copy::{self, Copied};
use crate::ext::io::fill_buf::FillBufOrStop;
use crate::ext::io::read::{append, unwrap_stop};
use crate::ext::{ReadOrStop, WriteOrStop};
use crate::scope::{self, Stopped};
use std::io::{self, BufRead, BufReader, ErrorKind, IoSliceMut, Read};

/// Reads through a buffer, stop-checked: the calls of [`BufRead`].
///
/// A `BufReader` over a plain stream waits until the stream is readable before
/// it fills its buffer: it has to be the stream's only reader. Where it is not,
/// use a `BufReader<Stoppable<_>>`.
///
/// If `read_line` and `read_until` are stopped in the middle of a line, they have
/// appended the part that had arrived; the loops over `lines()` and `split()` drop
/// it, except those over standard input, which put it back. If you must not stop in
/// the middle of a message, put the call in a [`shield`](crate::shield()). Whole lines that
/// the buffer holds at a stop stay there: read them in a shield if they are to count.
///
/// As the bound of a type parameter use [`FillBufOrStop`], which implies this trait and
/// [`BufRead`].
///
/// # Examples
///
/// ```
/// use std::io::{BufReader, Write, pipe};
/// use stopruntime::ext::BufReadOrStop;
///
/// let (reader, mut writer) = pipe()?;
/// writer.write_all(b"line\n")?;
/// let mut line = String::new();
/// BufReader::new(reader).read_line_or_stop(&mut line)??;
/// assert_eq!(line, "line\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it reads",
    label = "this read has no stop-checked form",
    note = "use a `BufReader` over one of std's streams or over `stopruntime::Stoppable`"
)]
pub trait BufReadOrStop {
    /// Reads as [`BufRead::read_until`] does, stop-checked between its reads.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested; [`progress`](Stopped::progress) bytes
    /// were appended.
    fn read_until_or_stop(&mut self, delimiter: u8, buffer: &mut Vec<u8>) -> Outcome<usize>;

    /// Reads as [`BufRead::read_line`] does, stop-checked between its reads.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested; [`progress`](Stopped::progress) bytes
    /// were appended. The bytes of a character that had not arrived whole are
    /// not among them: use `read_until` where that matters.
    fn read_line_or_stop(&mut self, buffer: &mut String) -> Outcome<usize> {
        let mut bytes = Vec::new();
        let outcome = self.read_until_or_stop(b'\n', &mut bytes);
        append(buffer, &bytes, outcome)
    }

    /// Skips as [`BufRead::skip_until`] does, stop-checked between its reads.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested; [`progress`](Stopped::progress) bytes
    /// were skipped.
    fn skip_until_or_stop(&mut self, delimiter: u8) -> Outcome<usize> {
        self.read_until_or_stop(delimiter, &mut Vec::new())
    }

    /// Reads as `read_until_or_stop` does, for the loops over `lines()` and
    /// `split()`. If it is stopped, it puts the part back where it came from, if
    /// that is possible.
    #[doc(hidden)]
    fn part_or_stop(&mut self, delimiter: u8, part: &mut Vec<u8>) -> Outcome<usize> {
        self.read_until_or_stop(delimiter, part)
    }

    #[doc(hidden)]
    fn lines_or_stop(self) -> Lines<Self>
    where
        Self: Sized,
    {
        Lines(self)
    }

    #[doc(hidden)]
    fn split_or_stop(self, delimiter: u8) -> Split<Self>
    where
        Self: Sized,
    {
        Split(self, delimiter)
    }
}

impl<B: FillBufOrStop + ?Sized> BufReadOrStop for B {
    fn read_until_or_stop(&mut self, delimiter: u8, buffer: &mut Vec<u8>) -> Outcome<usize> {
        let mut done = 0;
        loop {
            let (used, found) = {
                // mutant: read-until-says-how-far
                let available =
                    match self.fill_buf_or_stop().map_err(|stopped| stopped.after(done))? {
                        Ok(available) => available,
                        Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                        Err(error) => return Ok(Err(error)),
                    };
                let at = available.iter().position(|byte| *byte == delimiter);
                let used = at.map_or(available.len(), |at| at + 1);
                buffer.extend_from_slice(&available[..used]);
                (used, at.is_some())
            };
            self.consume(used);
            done += used;
            if found || used == 0 {
                return Ok(Ok(done));
            }
        }
    }

    fn part_or_stop(&mut self, delimiter: u8, part: &mut Vec<u8>) -> Outcome<usize> {
        let start = part.len();
        self.read_until_or_stop(delimiter, part).map_err(|stopped| {
            // mutant: stopped-loop-puts-part-line
            if self.take_back(&part[start..]) { stopped.after(0) } else { stopped }
        })
    }
}

/// Gives `bytes` a stop-checked `next`, for `#[blocking] for` loops.
///
/// # Examples
///
/// ```
/// use std::io::{self, Read};
/// use std::net::TcpStream;
/// use stopruntime::stoppable;
///
/// #[stoppable(return)]
/// fn sum(stream: &TcpStream) -> io::Result<u64> {
///     let mut sum = 0;
///     #[blocking]
///     for byte in stream.bytes() {
///         sum += u64::from(byte?);
///     }
///     Ok(sum)
/// }
/// ```
pub trait BytesOrStop: ReadOrStop + Sized {
    #[doc(hidden)]
    fn bytes_or_stop(self) -> Bytes<Self> {
        Bytes(self)
    }
}

impl<R: ReadOrStop> BytesOrStop for R {}

impl<R: ReadOrStop> ReadOrStop for BufReader<R> {
    fn read_or_stop(&mut self, buffer: &mut [u8]) -> Outcome<usize> {
        if goes_round(self, buffer.len()) {
            return self.get_mut().read_or_stop(buffer);
        }
        if let Err(error) = self.ready_or_stop()? {
            return Ok(Err(error));
        }
        unwrap_stop(self.read(buffer))
    }

    fn read_vectored_or_stop(&mut self, buffers: &mut [IoSliceMut<'_>]) -> Outcome<usize> {
        let total = buffers.iter().fold(0_usize, |total, part| total.saturating_add(part.len()));
        if goes_round(self, total) {
            return self.get_mut().read_vectored_or_stop(buffers);
        }
        if let Err(error) = self.ready_or_stop()? {
            return Ok(Err(error));
        }
        unwrap_stop(self.read_vectored(buffers))
    }

    fn seeks(&self) -> bool {
        self.get_ref().seeks()
    }

    fn ready_or_stop(&self) -> Outcome<()> {
        if self.buffer().is_empty() {
            self.get_ref().ready_or_stop()
        } else {
            scope::check().map(Ok)
        }
    }

    fn copy_to_or_stop(&mut self, writer: &mut dyn WriteOrStop, limit: u64) -> Copied {
        copy::from_buffer(self, writer, limit)
    }
}

/// Whether a read of this much goes round the buffer without its knowing. What
/// the buffer keeps although it has been read is found again by
/// `seek_relative`: over a reader that seeks, `read` itself has to forget it.
fn goes_round<R: ReadOrStop>(reader: &BufReader<R>, length: usize) -> bool {
    let round = reader.buffer().is_empty() && length >= reader.capacity();
    // mutant: seek-past-buffer-empties-it
    round && !reader.get_ref().seeks()
}

impl<R: ReadOrStop> FillBufOrStop for BufReader<R> {
    fn fill_buf_or_stop(&mut self) -> Outcome<&[u8]> {
        scope::check()?;
        if self.buffer().is_empty() {
            // mutant: bufreader-fills-when-ready
            let mut filled = self.get_ref().ready_or_stop()?;
            if filled.is_ok() {
                filled = unwrap_stop(self.fill_buf().map(drop))?;
            }
            if let Err(error) = filled {
                return Ok(Err(error));
            }
        }
        Ok(Ok(self.buffer()))
    }
}

/// Goes over lines, stop-checked, like [`std::io::Lines`].
#[derive(Debug)]
pub struct Lines<B>(B);

impl<B: BufReadOrStop> Lines<B> {
    pub(crate) fn next_or_stop(&mut self) -> Result<Option<io::Result<String>>, Stopped> {
        let mut bytes = Vec::new();
        let outcome = self.0.part_or_stop(b'\n', &mut bytes)?;
        let mut line = String::new();
        Ok(match append(&mut line, &bytes, Ok(outcome))? {
            Ok(0) => None,
            Ok(_) => {
                if line.ends_with('\n') {
                    line.pop();
                    if line.ends_with('\r') {
                        line.pop();
                    }
                }
                Some(Ok(line))
            }
            Err(error) => Some(Err(error)),
        })
    }
}

/// Goes over the pieces between delimiters, stop-checked, like [`std::io::Split`].
#[derive(Debug)]
pub struct Split<B>(B, u8);

impl<B: BufReadOrStop> Split<B> {
    pub(crate) fn next_or_stop(&mut self) -> Result<Option<io::Result<Vec<u8>>>, Stopped> {
        let mut part = Vec::new();
        Ok(match self.0.part_or_stop(self.1, &mut part)? {
            Ok(0) => None,
            Ok(_) => {
                if part.last() == Some(&self.1) {
                    part.pop();
                }
                Some(Ok(part))
            }
            Err(error) => Some(Err(error)),
        })
    }
}

/// Goes over bytes, stop-checked, like [`std::io::Bytes`].
#[derive(Debug)]
pub struct Bytes<R>(R);

impl<R: ReadOrStop> Bytes<R> {
    pub(crate) fn next_or_stop(&mut self) -> Result<Option<io::Result<u8>>, Stopped> {
        let mut byte = [0];
        loop {
            return Ok(match self.0.read_or_stop(&mut byte)? {
                Ok(0) => None,
                Ok(_) => Some(Ok(byte[0])),
                // mutant: bytes-goes-on-after-signal
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => Some(Err(error)),
            });
        }
    }
}
