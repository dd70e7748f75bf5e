//! `io::copy`, stop-checked.
//!
//! std's reads a piece and then writes it: a thread that is stopped in between holds
//! bytes that are at neither end. This one never holds any:
//!
//! ```text
//! loop:  fetch   the next piece, so that it can come again        (stop-checked)
//!        write   as much of it as the other end takes             (stop-checked)
//!        settle  what is written is taken off the source, the rest stays
//! ```

mod buffer;
mod descriptor;
mod no_wait;
mod pieces;

pub(in crate::ext) use buffer::from_buffer;
pub(in crate::ext) use descriptor::from_descriptor;
pub(in crate::ext) use pieces::{Copied, Source, by_pieces, up_to};

use crate::ext::Outcome;
use crate::ext::{ReadOrStop, WriteOrStop};

/// Copies as [`std::io::copy`] does, stop-checked between its single reads and
/// writes. Returns the number of bytes copied.
///
/// If it is stopped, nothing is lost, whatever the other end does: what was not
/// written comes again with the next read. How that is done depends on the source, of
/// which the copy has to be the only reader:
///
/// | source | not written: |
/// |---|---|
/// | `BufReader`, `&[u8]`, `Cursor` … | stays in the buffer |
/// | a regular file, a block device | read, and given back by lseek(2) |
/// | a stream socket | looked at (`MSG_PEEK`, recv(2)), and taken when it is written |
/// | a pipe, a FIFO, a child's output | looked at through a pipe of the call's own (tee(2)), and taken when it is written |
/// | standard input | put back into its buffer, which stop-checked reads have |
/// | anything else: a terminal, a device, a file in `/proc`, a reader of your own; a pipe where no descriptors are left or tee(2) and splice(2) are refused | written |
///
/// The last kind cannot give back: it is read, in small pieces, when the other
/// end has room, and what has been read is written before a stop is seen. Over
/// such a source, a writer that does not tell when it has room (a `LineWriter`)
/// can put a stop off; put a `BufReader` around the source.
///
/// An error leaves as little behind as a stop does. If you must not stop in the
/// middle of a message, put the call in a [`shield`](crate::shield()).
///
/// # Errors
///
/// [`Stopped`](crate::Stopped): a stop is requested; the first [`progress`](crate::Stopped::progress)
/// bytes have been copied.
///
/// # Examples
///
/// ```
/// use std::io::Write;
/// use std::os::unix::net::UnixStream;
/// use stopruntime::Stopper;
/// use stopruntime::ext::copy_or_stop;
///
/// let (mut source, mut other) = UnixStream::pair()?;
/// other.write_all(b"a message")?;
/// drop(other);
/// let mut copy = Vec::new();
/// assert_eq!(copy_or_stop(&mut source, &mut copy)??, 9);
/// assert_eq!(copy, b"a message");
/// Stopper::current().request_stop();
/// assert!(copy_or_stop(&mut source, &mut copy).is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn copy_or_stop<R, W>(reader: &mut R, mut writer: &mut W) -> Outcome<u64>
where
    R: CopyFromOrStop + ?Sized,
    W: CopyToOrStop + ?Sized,
{
    let Copied { bytes, end } = reader.copy_to_or_stop(&mut writer, u64::MAX);
    match end {
        Ok(end) => Ok(end.map(|()| bytes)),
        Err(stopped) => Err(stopped.after(usize::try_from(bytes).unwrap_or(usize::MAX))),
    }
}

/// Gives a copy its bytes: every [`ReadOrStop`].
///
/// # Examples
///
/// As at [`copy_or_stop`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be copied from by a call that can be stopped",
    label = "reading from it has no stop-checked form",
    note = "copy from the stream that it reads from, or implement `stopruntime::ext::ReadOrStop` for it; std's own `io::copy`, marked `#[blocking(as_is)]` over `stopruntime::Stoppable`, can be stopped but drops what it has read and not written"
)]
pub trait CopyFromOrStop: ReadOrStop {}

#[diagnostic::do_not_recommend]
impl<R: ReadOrStop + ?Sized> CopyFromOrStop for R {}

/// Takes the bytes of a copy: every [`WriteOrStop`].
///
/// # Examples
///
/// As at [`copy_or_stop`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be copied to by a call that can be stopped",
    label = "writing to it has no stop-checked form",
    note = "copy to the stream that it writes to, or to a `BufWriter` over one of std's; for standard output, copy to `File::from(io::stdout().as_fd().try_clone_to_owned()?)`"
)]
pub trait CopyToOrStop: WriteOrStop {}

#[diagnostic::do_not_recommend]
impl<W: WriteOrStop + ?Sized> CopyToOrStop for W {}
