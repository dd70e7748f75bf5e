//! Standard input, which is a pipe for as long as a case lasts. One case at a
//! time: it is the process's own.

use super::buffered::of_next;
use super::stream::{keeping, read, reading};
use super::{Case, EARLY, Fixture, Outcome, Progress, text};
use libc::SYS_read;
use rustix::stdio::dup2_stdin;
use std::io::{self, PipeWriter, Stdin, stdin};
use std::os::fd::{AsFd, OwnedFd};
use stopruntime::expansion::NextOrStop;
use stopruntime::ext::StdinOrStop;

pub(super) const CASES: &[Case] = &[
    Case::new("Stdin::read", &[SYS_read], || from_pipe(0, read)),
    Case::new("Stdin::read_line", &[SYS_read], || from_pipe(EARLY, read_line))
        .with_progress(Progress::Exactly(EARLY)),
    Case::new("Stdin::lines", &[SYS_read], || {
        from_pipe(0, |_| of_next(NextOrStop::next_or_stop(&mut stdin().lines_or_stop())))
    }),
];

/// The standard input that was there before, put back when dropped.
struct Before(OwnedFd);

impl Drop for Before {
    fn drop(&mut self) {
        // Nothing reads it; a pipe that is left there does no harm.
        let _ = dup2_stdin(&self.0);
    }
}

fn from_pipe(early: usize, call: fn(&mut Stdin) -> Outcome) -> io::Result<Fixture> {
    let before = Before(stdin().as_fd().try_clone_to_owned()?);
    let (reader, writer) = io::pipe()?;
    dup2_stdin(reader)?;
    let ends: (Stdin, PipeWriter) = (stdin(), writer);
    Ok(keeping(reading(ends, early, call)?, before))
}

fn read_line(input: &mut Stdin) -> Outcome {
    let mut line = String::new();
    let result = input.read_line_or_stop(&mut line);
    Outcome::of_compound(result, |_| Ok(text(line.as_bytes())), || line.clone().into_bytes())
}
