//! The output of a child, stop-checked.
//!
//! Both pipes are read as they fill: a child that waits for room in one would never
//! come to the end of the other. The pipes stay blocking, so there is nothing to
//! restore after a stop: a read takes what poll(2) has announced without waiting,
//! because there is no other reader (and if there is one, a read that waits is
//! stop-checked too).

use crate::ext::Outcome;
use crate::ext::WaitOrStop;
use crate::ext::sealed::Sealed;
use crate::ext::syscall;
use crate::scope::{self, Stopped};
use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::process::{Child, ExitStatus, Output};

/// Waits for a child and its output, stop-checked: [`Child::wait_with_output`].
///
/// # Examples
///
/// ```
/// use std::process::{Command, Stdio};
/// use stopruntime::ext::WaitWithOutputOrStop;
///
/// let mut child = Command::new("echo").arg("text").stdout(Stdio::piped()).spawn()?;
/// let output = child.wait_with_output_or_stop()??;
/// assert_eq!(output.stdout, b"text\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped in its `wait_with_output`",
    label = "this call has no stop-checked form",
    note = "`std::process::Child` has one; a call of your own that is made of marked calls is marked `#[blocking(as_is)]`"
)]
pub trait WaitWithOutputOrStop {
    /// What the plain call returns.
    type Output;

    /// Reads what a child process writes to its pipes, to their end, and waits
    /// for the child's. As in std, its standard input is closed first.
    ///
    /// Unlike std's, it does not take the child by value (rustc asks for `mut` where
    /// that is missing): if the call is stopped, the child keeps running and can be
    /// read, waited for and killed. A child that only the call itself holds
    /// (`command.spawn()?.wait_with_output()`) keeps running and is never reaped.
    ///
    /// What had been read before a stop is dropped with it; `progress` says how much
    /// that was. If that matters, call
    /// [`read_output_or_stop`](ReadOutputOrStop::read_output_or_stop), which reads
    /// into your own buffers.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested; the child was not reaped, and
    /// [`progress`](Stopped::progress) bytes of its output were read and
    /// dropped.
    fn wait_with_output_or_stop(&mut self) -> Result<Self::Output, Stopped>;
}

impl WaitWithOutputOrStop for Child {
    type Output = io::Result<Output>;

    fn wait_with_output_or_stop(&mut self) -> Outcome<Output> {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let status = self.read_output_or_stop(&mut stdout, &mut stderr)?;
        Ok(status.map(|status| Output { status, stdout, stderr }))
    }
}

/// Waits for a child and its output, and keeps what it has read if it is stopped.
///
/// The trait is [sealed](crate::ext).
pub trait ReadOutputOrStop: Sealed {
    /// Appends what a child process writes to its pipes to `stdout` and
    /// `stderr`, to their end, and waits for the child's. Its standard input is
    /// closed first. A pipe that has come to its end is closed, and its field
    /// of the [`Child`] is `None` from then on.
    ///
    /// If it was stopped or has failed, it can simply be called again with the same
    /// buffers, by any thread that has the child then.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested; the child was not reaped, and
    /// [`progress`](Stopped::progress) bytes, of both together, were appended.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::process::{Command, Stdio};
    /// use stopruntime::ext::ReadOutputOrStop;
    /// use stopruntime::{Stopper, shield};
    ///
    /// let mut child = Command::new("echo").arg("everything").stdout(Stdio::piped()).spawn()?;
    /// let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    /// Stopper::current().request_stop();
    /// assert!(child.read_output_or_stop(&mut stdout, &mut stderr).is_err());
    /// // The child is still there. In the clean-up, where the request stands:
    /// let status = shield(|| child.read_output_or_stop(&mut stdout, &mut stderr))??;
    /// assert!(status.success() && stdout == b"everything\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    fn read_output_or_stop(
        &mut self,
        stdout: &mut Vec<u8>,
        stderr: &mut Vec<u8>,
    ) -> Outcome<ExitStatus>;
}

impl ReadOutputOrStop for Child {
    fn read_output_or_stop(
        &mut self,
        stdout: &mut Vec<u8>,
        stderr: &mut Vec<u8>,
    ) -> Outcome<ExitStatus> {
        read_output(self, stdout, stderr)
    }
}

/// A child, or what holds one and ends it in a way of its own.
pub(super) trait Held {
    fn child(&mut self) -> &mut Child;
    fn try_wait(&mut self) -> io::Result<Option<ExitStatus>>;
    fn wait_or_stop(&mut self) -> Outcome<ExitStatus>;
    /// What can be read when the child has ended, if that ends something else.
    fn watch(&self) -> io::Result<Option<OwnedFd>> {
        Ok(None)
    }
    /// Ends what is to end with the child, which has ended.
    fn end_rest(&mut self) {}
}

impl Held for Child {
    fn child(&mut self) -> &mut Child {
        self
    }

    fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.try_wait()
    }

    fn wait_or_stop(&mut self) -> Outcome<ExitStatus> {
        WaitOrStop::wait_or_stop(self)
    }
}

/// [`read_output_or_stop`](ReadOutputOrStop::read_output_or_stop) of any of them.
pub(super) fn read_output(
    held: &mut impl Held,
    stdout: &mut Vec<u8>,
    stderr: &mut Vec<u8>,
) -> Outcome<ExitStatus> {
    scope::check()?;
    drop(held.child().stdin.take());
    let before = stdout.len() + stderr.len();
    let outcome = match read_to_ends(held, stdout, stderr) {
        // With everything read, a child that has ended needs no wait: its
        // output is not given up for a request that comes now.
        Ok(Ok(())) => match held.try_wait() {
            Ok(None) => held.wait_or_stop(),
            Ok(Some(status)) => Ok(Ok(status)),
            Err(error) => Ok(Err(error)),
        },
        Ok(Err(error)) => Ok(Err(error)),
        Err(stopped) => Err(stopped),
    };
    outcome.map_err(|stopped| stopped.after(stdout.len() + stderr.len() - before))
}

fn read_to_ends(held: &mut impl Held, stdout: &mut Vec<u8>, stderr: &mut Vec<u8>) -> Outcome<()> {
    let mut end = match held.watch() {
        Ok(end) => end,
        Err(error) => return Ok(Err(error)),
    };
    while let Child { stdout: out, stderr: err, .. } = held.child()
        && (out.is_some() || err.is_some())
    {
        let descriptors =
            [descriptor(out.as_ref()), descriptor(err.as_ref()), descriptor(end.as_ref())];
        let [out_is_ready, err_is_ready, has_ended] = match syscall::any_readable(descriptors)? {
            Ok(readable) => readable,
            Err(error) => return Ok(Err(error)),
        };
        let mut read = Ok(());
        if out_is_ready {
            read = read_some(out, stdout)?;
        }
        if err_is_ready && read.is_ok() {
            read = read_some(err, stderr)?;
        }
        if read.is_err() {
            return Ok(read);
        }
        if has_ended {
            // What it has started may hold the pipes open.
            // mutant: group-ends-while-output-is-read
            held.end_rest();
            end = None;
        }
    }
    Ok(Ok(()))
}

/// -1, which poll(2) passes over, for one that is not there.
fn descriptor(one: Option<&impl AsRawFd>) -> RawFd {
    one.map_or(-1, AsRawFd::as_raw_fd)
}

/// One read of a pipe, which is closed at its end.
fn read_some(pipe: &mut Option<impl AsRawFd>, buffer: &mut Vec<u8>) -> Outcome<()> {
    match syscall::append(descriptor(pipe.as_ref()), buffer)? {
        Ok(0) => *pipe = None,
        Ok(_) => {}
        // The pipe may be non-blocking by its owner's wish, and its bytes gone
        // to another reader.
        Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
        Err(error) => return Ok(Err(error)),
    }
    Ok(Ok(()))
}
