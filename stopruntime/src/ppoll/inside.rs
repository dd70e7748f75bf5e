//! The wait itself, as the stop protocol has it.

use crate::runtime::record::Record;
use crate::runtime::scopes::LOOK;
use crate::scope::Stopped;
use core::sync::atomic::{Ordering, fence};

/// Runs the one system call that waits, between setting and clearing the
/// marker, unless a stop is requested.
pub(crate) fn inside<R>(record: &Record, wait: impl FnOnce() -> R) -> Result<R, Stopped> {
    // Of a call that a handler has left by siglongjmp: its memory is another's.
    record.argument.disarm();
    loop {
        // mutant: marker-set-before-wait
        record.line.marker.store(1, Ordering::Relaxed);
        // Race 1 of the protocol: here the thread pays for the fence itself. It alone orders
        // the two, which `tests/loom` shows with this file.
        // mutant: marker-before-flag-fence
        fence(Ordering::SeqCst);
        // mutant: flag-looked-at-after-marker
        if record.line.flag.load(Ordering::SeqCst) != LOOK {
            break;
        }
        left(record);
        record.check()?;
    }
    let outcome = wait();
    left(record);
    Ok(outcome)
}

/// The marker is cleared, and a request that has come since is waited for.
fn left(record: &Record) {
    // mutant: marker-cleared-after-wait
    record.line.marker.store(0, Ordering::Relaxed);
    // Race 2.
    // mutant: marker-cleared-before-flag-fence
    fence(Ordering::SeqCst);
    if record.line.flag.load(Ordering::SeqCst) & LOOK != 0 {
        // mutant: way-out-waits-for-requesters
        record.settle();
        let _ = record.evaluate();
    }
}
