//! Commands that are run to their end, stop-checked.

use crate::ext::Outcome;
use crate::ext::process::set_streams;
use crate::ext::syscall;
use crate::ext::{ReadOutputOrStop, WaitOrStop};
use crate::runtime::attach;
use crate::runtime::signal;
use crate::scope::{self, Stopped};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Output};

/// Runs a child and collects its output, stop-checked: [`Command::output`].
///
/// # Examples
///
/// ```
/// use std::process::Command;
/// use stopruntime::ext::OutputOrStop;
///
/// let output = Command::new("echo").arg("text").output_or_stop().unwrap()?;
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
    /// Processes that the child has started are not killed. While they hold the pipes
    /// open, more output may come, which the call waits for as std's does; a stop
    /// does not wait for it. If they write later, their pipe is closed (`SIGPIPE`,
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
        scope::check()?;
        let mut child = match set_streams::capture(self).and_then(|()| Attended::spawn(self)) {
            Ok(child) => child,
            Err(error) => return Ok(Err(error)),
        };
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let status = match child.0.read_output_or_stop(&mut stdout, &mut stderr) {
            Ok(status) => status,
            Err(stopped) => match child.end_or(stopped)? {
                // mutant: child-with-unread-output
                Ok(_) if !child.is_hung_up() => return Err(stopped),
                // To read what is left does not wait.
                Ok(_) => scope::shield(|| child.0.read_output_or_stop(&mut stdout, &mut stderr))?,
                Err(error) => Err(error),
            },
        };
        Ok(status.map(|status| Output { status, stdout, stderr }))
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
/// let status = Command::new("true").status_or_stop().unwrap()?;
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
    /// it has started go on. If the child must survive a stop, `spawn` it and mark
    /// its [`wait`](WaitOrStop). If the child had already ended by itself, its status
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
        scope::check()?;
        let mut child = match Attended::spawn(self) {
            Ok(child) => child,
            Err(error) => return Ok(Err(error)),
        };
        match child.0.wait_or_stop() {
            Ok(status) => Ok(status),
            Err(stopped) => child.end_or(stopped),
        }
    }
}

/// A child that does not outlive the call that has started it, whichever way
/// that is left.
struct Attended(Child);

impl Attended {
    fn spawn(command: &mut Command) -> io::Result<Attended> {
        // mutant: child-stop-signal-open
        let _open = SignalOpen::where_blocked();
        command.spawn().map(Attended)
    }

    /// Ends the child, which is a stop unless it had ended by itself.
    fn end_or(&mut self, stopped: Stopped) -> Outcome<ExitStatus> {
        match self.end() {
            // mutant: child-ended-is-no-stop
            Ok(status) if status.signal() == Some(libc::SIGKILL) => Err(stopped),
            result => Ok(result),
        }
    }

    /// Returns whether no process holds the other ends of its pipes, its own children
    /// included.
    fn is_hung_up(&self) -> bool {
        let Child { stdout, stderr, .. } = &self.0;
        stdout.as_ref().is_none_or(|pipe| syscall::is_hung_up(pipe.as_raw_fd()))
            && stderr.as_ref().is_none_or(|pipe| syscall::is_hung_up(pipe.as_raw_fd()))
    }

    /// Kills the child unless it has ended, and reaps it.
    fn end(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.0.try_wait()? {
            return Ok(status);
        }
        // mutant: stopped-output-or-status-kills
        self.0.kill()?;
        // mutant: killed-child-reaped
        // Only for as long as the kernel takes to end it.
        self.0.wait()
    }
}

impl Drop for Attended {
    fn drop(&mut self) {
        // Of one that was reaped std knows the status. An error has been
        // reported, or comes second to one that is.
        // mutant: killed-child-reaped-on-drop
        let _ = self.end();
    }
}

/// Keeps the stop signal unblocked in this thread while it lives. On
/// [`Backend::Ppoll`](crate::Backend::Ppoll) the signal is blocked outside of the
/// waits, and a child would inherit that. It interrupts nothing: a thread that is in
/// no marked call is sent no signal.
struct SignalOpen(bool);

impl SignalOpen {
    fn where_blocked() -> SignalOpen {
        let blocked = !attach::registered().has_window();
        if blocked {
            signal::set_mask(libc::SIG_UNBLOCK);
        }
        SignalOpen(blocked)
    }
}

impl Drop for SignalOpen {
    fn drop(&mut self) {
        // mutant: parent-stays-blocked
        if self.0 {
            signal::set_mask(libc::SIG_BLOCK);
        }
    }
}
