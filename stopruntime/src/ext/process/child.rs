//! Waiting for children.

use crate::ext::Outcome;
use crate::ext::syscall;
use crate::scope::{self, Stopped};
use std::io;
use std::process::{Child, ExitStatus};

/// Waits for a child, stop-checked: `wait`.
///
/// # Examples
///
/// ```
/// use std::process::Command;
/// use stopruntime::{Stopper, ext::WaitOrStop};
///
/// let mut child = Command::new("sleep").arg("60").spawn()?;
/// Stopper::current().request_stop();
/// if child.wait_or_stop().is_err() {
///     child.kill()?;
/// }
/// child.wait()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped in its `wait`",
    label = "this call has no stop-checked form",
    note = "`std::process::Child` has one; a call of your own that is made of marked calls is marked `#[blocking(as_is)]`"
)]
pub trait WaitOrStop {
    /// What the plain call returns.
    type Output;

    /// Waits for the end of a child process.
    ///
    /// If it is stopped, the child is still running, or still there to be reaped. As
    /// in std, its standard input is closed before the wait.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested; the child was not reaped.
    fn wait_or_stop(&mut self) -> Result<Self::Output, Stopped>;
}

impl WaitOrStop for Child {
    type Output = io::Result<ExitStatus>;

    fn wait_or_stop(&mut self) -> Outcome<ExitStatus> {
        scope::check()?;
        // mutant: wait-for-child-closes-input
        drop(self.stdin.take());
        // A child that std has reaped already has no id to wait for.
        match self.try_wait() {
            Ok(None) => {}
            // mutant: child-not-waited-for-twice
            Ok(Some(status)) => return Ok(Ok(status)),
            Err(error) => return Ok(Err(error)),
        }
        // Wait first and reap then, through std, which keeps the status.
        Ok(syscall::wait_for_end(self.id())?.and_then(|()| self.wait()))
    }
}
