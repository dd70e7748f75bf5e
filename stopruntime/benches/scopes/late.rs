//! A deadline that passes while the thread is blocked: how late does the call end?

use crate::goal;
use crate::table::{Spread, Table};
use std::io::{self, PipeReader};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};
use stopruntime::ext::ReadOrStop;
use stopruntime::until;

const SAMPLES: u32 = 1_000;

pub(crate) fn bench() -> io::Result<()> {
    let (reader, _writer) = io::pipe()?;
    let mut table = Table::new(
        "late",
        "µs after the deadline",
        &["time-out of ppoll(2)", "until + marked read"],
    );
    let mut times = [const { Vec::new() }; 2];
    for sample in 0..=SAMPLES {
        let limit = Duration::from_micros(500 + u64::from(sample * 977 % 1_500));
        for (way, times) in [times_out, is_stopped].iter().zip(&mut times) {
            let deadline = Instant::now() + limit;
            way(&reader, deadline);
            let late = Instant::now().checked_duration_since(deadline).expect("never early");
            times.extend(Some(late).filter(|_| sample > 0));
        }
    }
    let spreads = times.map(|times| Spread::of_times(&times, 1e6));
    table.row("median", &spreads);
    table.row(
        "99 of 100",
        &spreads.map(|spread| spread.map(|spread| Spread { median: spread.p99, ..spread })),
    );
    // How soon a sleeping processor is back depends on the machine, for both of them.
    let [kernels, ours] = spreads.map(|spread| spread.expect("samples").median);
    println!("    µs late, median: {ours:.2}");
    goal("of it, to the kernel's own time-out", ours / kernels, 1.25);
    println!("    never early in {SAMPLES}");
    table.keep()
}

/// By the kernel itself, as precisely as a thread usually asks.
fn times_out(reader: &PipeReader, deadline: Instant) {
    let left = deadline.saturating_duration_since(Instant::now());
    let time = libc::timespec {
        tv_sec: left.as_secs().cast_signed(),
        tv_nsec: left.subsec_nanos().into(),
    };
    let mut entry = libc::pollfd { fd: reader.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry, and a time.
    let ready = unsafe { libc::ppoll(&raw mut entry, 1, &raw const time, core::ptr::null()) };
    assert_eq!(ready, 0);
}

fn is_stopped(mut reader: &PipeReader, deadline: Instant) {
    let read = || reader.read_or_stop(&mut [0]).map_err(io::Error::from)?;
    assert_eq!(until(deadline, read).unwrap_err().kind(), io::ErrorKind::TimedOut);
}
