//! Commands whose process group ends with them.

use super::attended::Attended;
use super::command::{OutputOrStop, StatusOrStop};
use super::output::{Held, ReadOutputOrStop, WaitWithOutputOrStop, read_output};
use crate::ext::sealed::Sealed;
use crate::ext::{Outcome, WaitOrStop};
use crate::scope;
use core::ffi::c_int;
use std::io;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Output};

/// Lets a child take the processes along that it has started.
///
/// The trait is [sealed](crate::ext).
pub trait KillGroup: Sealed {
    /// Runs the command in a process group of its own, which ends with it.
    ///
    /// What this returns has `spawn`, `output` and `status`, and the last two can be marked.
    /// When the child has ended, or was killed because of a stop or because its handle was
    /// dropped, what is left of its group is killed (`SIGKILL`), and the child is reaped. So
    /// no grandchild goes on alone. The end of the grandchildren is not waited for, because
    /// they are not our children: one may hold its port for some milliseconds more.
    ///
    /// `output` and `wait_with_output` read until the child has ended, and then what it and
    /// its group have written by then: they do not wait for a grandchild that holds a pipe.
    /// (They do before Linux 5.3, and where a filter refuses `pidfd_open(2)`.)
    ///
    /// A process that has left the group is not killed: a daemon that calls setsid(2), the
    /// jobs of an interactive shell. The group is not the terminal's foreground group: Ctrl-C
    /// does not reach it, and a process in it that reads from the terminal is stopped
    /// (`SIGTTIN`).
    ///
    /// The [`process_group`](std::os::unix::process::CommandExt::process_group) of the command
    /// is set to 0, for later calls of the same [`Command`] too.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::process::Command;
    /// use std::time::Duration;
    /// use stopruntime::ext::{KillGroup, OutputOrStop};
    /// use stopruntime::within;
    ///
    /// let mut script = Command::new("sh");
    /// script.args(["-c", "sleep 3600 | sort"]);
    /// let limit = Duration::from_millis(20);
    /// let error = within(limit, || script.kill_group().output_or_stop()?).unwrap_err();
    /// // `sleep` and `sort` have been killed.
    /// assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    /// ```
    #[doc(alias = "setpgid")]
    #[doc(alias = "killpg")]
    fn kill_group(&mut self) -> GroupCommand<'_>;
}

impl KillGroup for Command {
    fn kill_group(&mut self) -> GroupCommand<'_> {
        GroupCommand(self)
    }
}

/// Runs a command in a process group that ends with it; see [`KillGroup`].
///
/// `output` and `status` are [`Command`]'s, and can be marked.
///
/// # Examples
///
/// As at [`KillGroup::kill_group`].
#[derive(Debug)]
#[must_use = "it does nothing unless it is run"]
pub struct GroupCommand<'a>(&'a mut Command);

impl GroupCommand<'_> {
    /// Starts the command. As in std, its streams are inherited unless they are set.
    ///
    /// # Errors
    ///
    /// As [`Command::spawn`].
    ///
    /// # Examples
    ///
    /// As at [`GroupChild`].
    pub fn spawn(&mut self) -> io::Result<GroupChild> {
        Attended::spawn(self.0, true).map(GroupChild)
    }

    /// Runs the command to its end and returns what it has written by then.
    ///
    /// # Errors
    ///
    /// As [`Command::output`].
    pub fn output(&mut self) -> io::Result<Output> {
        scope::shield(|| self.output_or_stop())?
    }

    /// Runs the command to its end.
    ///
    /// # Errors
    ///
    /// As [`Command::status`].
    pub fn status(&mut self) -> io::Result<ExitStatus> {
        scope::shield(|| self.status_or_stop())?
    }
}

impl OutputOrStop for GroupCommand<'_> {
    type Output = io::Result<Output>;

    fn output_or_stop(&mut self) -> Outcome<Output> {
        Attended::output_of(self.0, true)
    }
}

impl StatusOrStop for GroupCommand<'_> {
    type Output = io::Result<ExitStatus>;

    fn status_or_stop(&mut self) -> Outcome<ExitStatus> {
        Attended::status_of(self.0, true)
    }
}

/// A child that leads a process group; see [`KillGroup`].
///
/// It has the methods of a [`Child`](std::process::Child), and its fields by methods.
///
/// Dropping it kills the group and reaps the child. A marked `wait` or `wait_with_output`
/// that is stopped leaves both running, for as long as the handle is there.
///
/// # Examples
///
/// ```
/// use std::io;
/// use std::process::Command;
/// use stopruntime::ext::KillGroup;
/// use stopruntime::{stoppable, thread};
///
/// #[stoppable]
/// fn work() -> io::Result<()> {
///     let mut worker = Command::new("sh").args(["-c", "sleep 3600 & wait"]).kill_group().spawn()?;
///     #[blocking]
///     let status = worker.wait()?; // a stop leaves the function, which drops the worker
///     println!("{status}");
///     Ok(())
/// }
///
/// let supervisor = thread::spawn(work);
/// assert!(supervisor.stop_and_join().unwrap().is_err());
/// // `sleep` has been killed.
/// ```
#[derive(Debug)]
#[must_use = "dropping it kills the child and its group"]
pub struct GroupChild(Attended);

impl Sealed for GroupChild {}

impl GroupChild {
    /// Returns the child's process id, which is that of its group.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Returns the writing end of the child's standard input, if it is piped and not taken.
    pub fn stdin(&mut self) -> &mut Option<ChildStdin> {
        &mut self.0.child().stdin
    }

    /// Returns the reading end of the child's standard output, if it is piped and not taken.
    pub fn stdout(&mut self) -> &mut Option<ChildStdout> {
        &mut self.0.child().stdout
    }

    /// Returns the reading end of the child's standard error, if it is piped and not taken.
    pub fn stderr(&mut self) -> &mut Option<ChildStderr> {
        &mut self.0.child().stderr
    }

    /// Kills the child and its group: `SIGKILL`. Afterwards it can be waited for.
    ///
    /// Once it has been waited for, it does nothing.
    ///
    /// # Errors
    ///
    /// kill(2)'s, of the child: it may be another user's by now.
    pub fn kill(&mut self) -> io::Result<()> {
        self.0.kill()
    }

    /// Sends a signal to the child and its group, `SIGTERM` to ask them to end.
    ///
    /// Once the child has been waited for, it does nothing.
    ///
    /// # Errors
    ///
    /// kill(2)'s: there is no such signal; all of the group are another user's by now.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::process::Command;
    /// use std::time::Duration;
    /// use stopruntime::ext::{KillGroup, WaitOrStop};
    /// use stopruntime::within;
    ///
    /// let mut worker = Command::new("sh").args(["-c", "sleep 3600 & wait"]).kill_group().spawn()?;
    /// worker.send_signal(15)?; // libc::SIGTERM
    /// // It has two seconds to clean up. Dropping it kills what is left.
    /// let status = within(Duration::from_secs(2), || worker.wait_or_stop()?)?;
    /// assert!(!status.success());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn send_signal(&mut self, signal: c_int) -> io::Result<()> {
        self.0.signal_group(signal)
    }

    /// Returns the status of the child if it has ended; then its group has been killed, and
    /// the child reaped.
    ///
    /// # Errors
    ///
    /// waitid(2)'s: other code has reaped the child.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.try_wait()
    }

    /// Waits for the end of the child, kills what is left of its group, and reaps the child.
    /// Its standard input is closed first.
    ///
    /// # Errors
    ///
    /// As [`try_wait`](GroupChild::try_wait).
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        self.0.wait()
    }

    /// Reads what the child writes to its pipes, until it has ended or they are at their end,
    /// and [waits](GroupChild::wait).
    ///
    /// # Errors
    ///
    /// Those of reading, and of `wait`.
    pub fn wait_with_output(&mut self) -> io::Result<Output> {
        scope::shield(|| self.wait_with_output_or_stop())?
    }
}

impl WaitOrStop for GroupChild {
    type Output = io::Result<ExitStatus>;

    fn wait_or_stop(&mut self) -> Outcome<ExitStatus> {
        self.0.wait_or_stop()
    }
}

impl WaitWithOutputOrStop for GroupChild {
    type Output = io::Result<Output>;

    fn wait_with_output_or_stop(&mut self) -> Outcome<Output> {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let status = self.read_output_or_stop(&mut stdout, &mut stderr)?;
        Ok(status.map(|status| Output { status, stdout, stderr }))
    }
}

impl ReadOutputOrStop for GroupChild {
    fn read_output_or_stop(
        &mut self,
        stdout: &mut Vec<u8>,
        stderr: &mut Vec<u8>,
    ) -> Outcome<ExitStatus> {
        read_output(&mut self.0, stdout, stderr)
    }
}
