//! Scopes that are no threads: what `Stopper::run` and `within` run, stopped from
//! outside or by a deadline, on each backend; and what they leave behind.

mod asynchronous;
mod callbacks;
mod channels;
mod checks;
mod idle;
mod leaving;
mod limits;
mod overdue;
mod requests;
mod shields;

use std::io::{PipeReader, PipeWriter, pipe};
use stopruntime::Stopped;
use stopruntime::ext::ReadOrStop;

const READS: [libc::c_long; 2] = [libc::SYS_read, libc::SYS_ppoll];

/// A pipe that stays empty: what a marked read waits on.
fn quiet() -> (PipeReader, PipeWriter) {
    pipe().unwrap()
}

/// Waits until it is stopped.
fn stopped(mut reader: &PipeReader) -> Stopped {
    reader.read_or_stop(&mut [0]).expect_err("nothing is ever written")
}

/// Reads the byte that comes.
fn reads(mut reader: &PipeReader) {
    assert_eq!(reader.read_or_stop(&mut [0]).expect("not stopped").expect("not interrupted"), 1);
}
