//! A child that ends with its handle, and the running of a command by one.

use super::output::{Held, read_output};
use super::set_streams;
use crate::ext::{Outcome, syscall};
use crate::runtime::{attach, signal};
use crate::scope::{self, Stopped};
use core::ffi::c_int;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Output};

/// A child that does not outlive its handle, whichever way that is left.
#[derive(Debug)]
pub(super) struct Attended {
    child: Child,
    /// It leads a process group, which ends with it.
    leads: bool,
    /// Neither its number nor that of its group is ours any more.
    reaped: bool,
}

impl Attended {
    /// Starts it, as the leader of a process group of its own if it `leads` one.
    pub(super) fn spawn(command: &mut Command, leads: bool) -> io::Result<Attended> {
        // mutant: child-stop-signal-open
        let _open = SignalOpen::where_blocked();
        if leads {
            command.process_group(0);
        }
        command.spawn().map(|child| Attended { child, leads, reaped: false })
    }

    /// Runs a command and returns what it has written.
    pub(super) fn output_of(command: &mut Command, leads: bool) -> Outcome<Output> {
        scope::check()?;
        let spawned = set_streams::capture(command).and_then(|()| Self::spawn(command, leads));
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => return Ok(Err(error)),
        };
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let status = match read_output(&mut child, &mut stdout, &mut stderr) {
            Ok(status) => status,
            Err(stopped) => match child.end_or(stopped)? {
                // mutant: child-with-unread-output
                Ok((_, is_whole)) if !is_whole => return Err(stopped),
                // To read what is left does not wait.
                Ok(_) => scope::shield(|| read_output(&mut child, &mut stdout, &mut stderr))?,
                Err(error) => Err(error),
            },
        };
        Ok(status.map(|status| Output { status, stdout, stderr }))
    }

    /// Runs a command and returns how it has ended.
    pub(super) fn status_of(command: &mut Command, leads: bool) -> Outcome<ExitStatus> {
        scope::check()?;
        let mut child = match Attended::spawn(command, leads) {
            Ok(child) => child,
            Err(error) => return Ok(Err(error)),
        };
        match child.wait_or_stop() {
            Ok(status) => Ok(status),
            Err(stopped) => Ok(child.end_or(stopped)?.map(|(status, _)| status)),
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end without a stop.
    pub(super) fn wait(&mut self) -> io::Result<ExitStatus> {
        drop(self.child.stdin.take());
        self.has_ended(0)?;
        self.reap()
    }

    /// Kills the child, and the group that it leads.
    pub(super) fn kill(&mut self) -> io::Result<()> {
        self.kill_group();
        // It may be another user's by now: the caller is to learn that.
        self.child.kill()
    }

    /// Returns whether it has ended; with no options, once it has.
    fn has_ended(&mut self, options: c_int) -> io::Result<bool> {
        let ended = if self.reaped { Ok(true) } else { syscall::has_ended(self.id(), options) };
        // Other code has reaped it, or the kernel.
        self.reaped |= ended.is_err();
        ended
    }

    /// Sends a signal to its group, unless it is reaped: no other group has its number
    /// before.
    pub(super) fn signal_group(&mut self, signal: c_int) -> io::Result<()> {
        // mutant: group-is-killed
        if self.leads && self.has_ended(libc::WNOHANG).is_ok() && !self.reaped {
            return syscall::signal_group(self.id(), signal);
        }
        Ok(())
    }

    fn kill_group(&mut self) {
        // What may not be killed stays.
        let _ = self.signal_group(libc::SIGKILL);
    }

    /// Of a child that has ended.
    fn reap(&mut self) -> io::Result<ExitStatus> {
        self.kill_group();
        self.reaped = true;
        self.child.wait()
    }

    /// Ends the child, which is a stop unless it had ended by itself; then, whether all
    /// that was written to its pipes is there.
    fn end_or(&mut self, stopped: Stopped) -> Outcome<(ExitStatus, bool)> {
        match self.end() {
            // mutant: child-ended-is-no-stop
            Ok((status, _)) if status.signal() == Some(libc::SIGKILL) => Err(stopped),
            result => Ok(result),
        }
    }

    /// Returns whether no process holds the other ends of its pipes, its own children
    /// included.
    fn is_hung_up(&self) -> bool {
        let Child { stdout, stderr, .. } = &self.child;
        stdout.as_ref().is_none_or(|pipe| syscall::is_hung_up(pipe.as_raw_fd()))
            && stderr.as_ref().is_none_or(|pipe| syscall::is_hung_up(pipe.as_raw_fd()))
    }

    /// Kills the child unless it has ended, and reaps it.
    fn end(&mut self) -> io::Result<(ExitStatus, bool)> {
        if !self.has_ended(libc::WNOHANG)? {
            // mutant: stopped-output-or-status-kills
            self.child.kill().inspect_err(|_| self.kill_group())?;
            // Only for as long as the kernel takes to end it.
            self.has_ended(0)?;
        }
        // Before those are killed that hold its pipes.
        let is_whole = self.is_hung_up();
        // mutant: killed-child-reaped
        self.reap().map(|status| (status, is_whole))
    }
}

impl Held for Attended {
    fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.has_ended(libc::WNOHANG)? { self.reap().map(Some) } else { Ok(None) }
    }

    fn wait_or_stop(&mut self) -> Outcome<ExitStatus> {
        scope::check()?;
        drop(self.child.stdin.take());
        if self.reaped {
            return Ok(self.child.wait());
        }
        Ok(syscall::wait_for_end(self.id())?.and_then(|()| self.reap()))
    }

    fn watch(&self) -> io::Result<Option<OwnedFd>> {
        if self.leads && !self.reaped { syscall::watch(self.id()) } else { Ok(None) }
    }

    fn end_rest(&mut self) {
        self.kill_group();
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
