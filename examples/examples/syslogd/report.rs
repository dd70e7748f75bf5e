//! What each thread does, on SIGUSR2: for the one that does not end.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;

use signal_hook::consts::SIGUSR2;
use stopruntime::thread::{Builder, StopOnDrop};
use stopruntime::{stoppable, threads};

use crate::complain;

/// Starts the thread that reports, until what this returns is dropped.
pub(crate) fn start() -> Result<StopOnDrop<io::Result<()>>, String> {
    let started = UnixStream::pair().and_then(|(signals, sender)| {
        // The handler writes a byte: a report is nothing to make in one.
        signal_hook::low_level::pipe::register(SIGUSR2, sender)?;
        Builder::new().name("report".into()).spawn(move || report(signals))
    });
    started
        .map(stopruntime::thread::JoinHandle::stop_on_drop)
        .map_err(|error| format!("no reports: {error}"))
}

#[stoppable]
fn report(mut signals: UnixStream) -> io::Result<()> {
    loop {
        #[blocking]
        let _signals = signals.read(&mut [0; 64])?;
        let report = threads();
        complain(format_args!("{} threads:\n{report}", report.len()));
    }
    Ok(())
}
