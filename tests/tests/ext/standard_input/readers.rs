//! Marked functions that read standard input, each in its own way.

use std::io::{self, BufRead, Read, stdin};
use stopruntime::stoppable;

#[stoppable]
pub(super) fn line() -> io::Result<String> {
    let mut line = String::new();
    #[blocking]
    stdin().read_line(&mut line)?;
    Ok(line)
}

#[stoppable]
pub(super) fn line_of_a_lock() -> io::Result<String> {
    let mut line = String::new();
    #[blocking]
    stdin().lock().read_line(&mut line)?;
    Ok(line)
}

#[stoppable]
pub(super) fn line_of_a_variables_lock() -> io::Result<String> {
    let mut line = String::new();
    let input = &stdin();
    #[blocking]
    input.lock().read_line(&mut line)?;
    Ok(line)
}

#[stoppable]
pub(super) fn line_of_a_kept_lock() -> io::Result<String> {
    let mut line = String::new();
    #[blocking]
    let mut input = stdin().lock();
    #[blocking]
    input.read_line(&mut line)?;
    Ok(line)
}

#[stoppable]
pub(super) fn line_of_a_trait() -> io::Result<String> {
    let mut line = String::new();
    #[blocking]
    BufRead::read_line(&mut stdin().lock(), &mut line)?;
    Ok(line)
}

/// If it is stopped, an error: of what comes after the loop.
#[stoppable(break)]
pub(super) fn first_of_lines() -> io::Result<String> {
    #[blocking]
    for line in stdin().lines() {
        return Ok(line? + "\n");
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

#[stoppable(break)]
pub(super) fn first_of_a_locks_lines() -> io::Result<String> {
    #[blocking]
    for line in stdin().lock().lines() {
        return Ok(line? + "\n");
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}

#[stoppable]
pub(super) fn all_of_it() -> io::Result<String> {
    let mut all = String::new();
    #[blocking]
    stdin().read_to_string(&mut all)?;
    Ok(all)
}

#[stoppable]
pub(super) fn a_copy() -> io::Result<String> {
    let mut all = Vec::new();
    #[blocking]
    io::copy(&mut stdin().lock(), &mut all)?;
    Ok(String::from_utf8(all).unwrap())
}

pub(super) type Marked = fn() -> io::Result<String>;

pub(super) const LINES: [Marked; 7] = [
    line,
    line_of_a_lock,
    line_of_a_variables_lock,
    line_of_a_kept_lock,
    line_of_a_trait,
    first_of_lines,
    first_of_a_locks_lines,
];
