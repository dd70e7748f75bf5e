//! Commands that are run to their end, stop-checked.

use super::attended::Attended;
use crate::ext::Outcome;
use crate::scope::Stopped;
use std::io;
use std::process::{Command, ExitStatus, Output};

/// Runs a child and collects its output, stop-checked: [`Command::output`].
///
/// # Examples
///
/// ```
/// use std::process::Command;
/// use stopruntime::ext::OutputOrStop;
///
/// let output = Command::new("echo").arg("text").output_or_stop()??;
/// assert_eq!(output.stdout, b"text\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped in its `output`",
    label = "this call has no stop-checked form",
    note = "`std::process::Command` has one; a call of your own that is made of marked calls is marked `#[blocking(as_is)]`"
)]
pub trait OutputOrStop {
    /// What the plain call returns.
    type Output;

    /// Runs a command to its end and returns what it has written.
    ///
    /// As in std, standard output and error are captured and standard input is
    /// null, unless they are set. Unlike in std, those that were not set are set
    /// from then on: it makes no difference to another `output`, but a later
    /// `spawn` or `status` of the same [`Command`] does not inherit them.
    ///
    /// # Stopped
    ///
    /// If the call is stopped, nothing was started; or the child was killed
    /// (`SIGKILL`) and reaped, its pipes are closed, and
    /// [`progress`](Stopped::progress) bytes of its output are dropped. What it did
    /// until then stays done. If the child must survive a stop, `spawn` it and mark
    /// its [`wait_with_output`](crate::ext::WaitWithOutputOrStop). If the child had
    /// already ended by itself, its result is returned, and the next call sees the
    /// stop.
    ///
    /// Processes that the child has started are not killed, except by
    /// [`kill_group`](crate::ext::KillGroup). While they hold the pipes open, more output
    /// may come, which the call waits for as std's does; a stop does not wait for it. If
    /// they write later, their pipe is closed (`SIGPIPE`,
    /// pipe(7)).
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested; no child is left. A child that this process
    /// may not kill, because it has changed its user, is left running, and the call
    /// returns kill(2)'s error.
    ///
    /// Of kind [`Unsupported`](io::ErrorKind::Unsupported), with nothing started:
    /// this std does not tell which streams are set; see what its text advises.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::process::Command;
    /// use stopruntime::ext::OutputOrStop;
    /// use stopruntime::thread;
    ///
    /// let waiting = thread::spawn(|| Command::new("sleep").arg("3600").output_or_stop());
    /// // Ends at once; there is no `sleep` any more.
    /// assert!(waiting.stop_and_join().unwrap().is_err());
    /// ```
    fn output_or_stop(&mut self) -> Result<Self::Output, Stopped>;
}

impl OutputOrStop for Command {
    type Output = io::Result<Output>;

    fn output_or_stop(&mut self) -> Outcome<Output> {
        Attended::output_of(self, false)
    }
}

/// Runs a child and waits for it, stop-checked: [`Command::status`].
///
/// # Examples
///
/// ```
/// use std::process::Command;
/// use stopruntime::ext::StatusOrStop;
///
/// let status = Command::new("true").status_or_stop()??;
/// assert!(status.success());
/// # Ok::<(), std::io::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped in its `status`",
    label = "this call has no stop-checked form",
    note = "`std::process::Command` has one; a call of your own that is made of marked calls is marked `#[blocking(as_is)]`"
)]
pub trait StatusOrStop {
    /// What the plain call returns.
    type Output;

    /// Runs a command to its end. As in std, its streams are inherited unless
    /// they are set.
    ///
    /// # Stopped
    ///
    /// If the call is stopped, nothing was started; or the child was killed
    /// (`SIGKILL`) and reaped. What it did until then stays done, and processes that
    /// it has started go on, except after [`kill_group`](crate::ext::KillGroup). If the
    /// child must survive a stop, `spawn` it and mark its
    /// [`wait`](crate::ext::WaitOrStop). If the child had already ended by itself, its status
    /// is returned, and the next call sees the stop.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested; no child is left. A child that this process
    /// may not kill, because it has changed its user, is left running, and the call
    /// returns kill(2)'s error.
    fn status_or_stop(&mut self) -> Result<Self::Output, Stopped>;
}

impl StatusOrStop for Command {
    type Output = io::Result<ExitStatus>;

    fn status_or_stop(&mut self) -> Outcome<ExitStatus> {
        Attended::status_of(self, false)
    }
}
