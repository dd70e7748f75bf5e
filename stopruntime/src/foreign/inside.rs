//! Entering and leaving a region.

use super::{support, ways};
use crate::runtime::attach;
use crate::runtime::record::Record;
use crate::runtime::scopes::{LOOK, look};
use crate::runtime::signal;
use crate::runtime::slot;
use crate::scope::{Stopped, check, told};
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{Ordering, compiler_fence, fence};

/// The region that a thread is in, until it is dropped. Two registers, all of which is
/// inlined up to what is cold: a region costs as much as ten instructions.
pub(crate) struct Inside<'thread> {
    /// None where something stands in for the thread's record: late in its end.
    record: Option<&'thread Record>,
    left: Left,
}

/// What leaving it takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    /// A store and a look.
    Quickly,
    /// The order of the two as well, and the stop signal is blocked again if it was.
    Thoroughly { was_blocked: bool },
    /// Nothing: it is inside of another one.
    ByAnother,
}

impl<'thread> Inside<'thread> {
    /// The thread's, if it has one.
    #[inline(always)]
    pub(super) fn record(&self) -> Option<&'thread Record> {
        self.record
    }

    #[inline(always)]
    pub(crate) fn enter() -> Result<Self, Stopped> {
        let inside = match slot::record() {
            Some(record) if support::is_quick() => Inside::quickly(record),
            record => enter_thoroughly(record)?,
        };
        if let Some(record) = inside.record
            && record.line.flag.load(Relaxed) == LOOK
        {
            look(record)?;
        }
        Ok(inside)
    }

    #[inline(always)]
    fn quickly(record: &'thread Record) -> Self {
        let is_outermost = !record.region.is_open();
        // Race 1 of the protocol, with this word for the marker. Requesters make the order.
        record.region.open.store(1, Ordering::Release);
        compiler_fence(Ordering::SeqCst);
        let left = if is_outermost { Left::Quickly } else { Left::ByAnother };
        Inside { record: Some(record), left }
    }
}

/// Where the thread is new here, the first region begins, or the stop signal is blocked or
/// sent without a barrier.
#[cold]
#[inline(never)]
fn enter_thoroughly(record: Option<&Record>) -> Result<Inside<'_>, Stopped> {
    let found = record.or_else(|| {
        attach::registered();
        slot::record()
    });
    let Some(record) = found else {
        return check().map(|()| Inside { record: None, left: Left::ByAnother });
    };
    support::prepare();
    if record.region.is_open() {
        return Ok(Inside { record: Some(record), left: Left::ByAnother });
    }
    // It is not in a region of another copy of the runtime.
    let was_blocked =
        !record.has_window() && signal::is_stop_in(&signal::set_mask(libc::SIG_UNBLOCK));
    record.region.open.store(1, Ordering::Release);
    fence(Ordering::SeqCst);
    Ok(Inside { record: Some(record), left: Left::Thoroughly { was_blocked } })
}

#[cold]
#[inline(never)]
fn look(record: &Record) -> Result<(), Stopped> {
    if record.must_stop() {
        told::region_not_begun();
        return Err(Stopped::found());
    }
    Ok(())
}

impl Drop for Inside<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        let Some(record) = self.record else { return };
        match self.left {
            Left::Quickly => {
                // Race 2, likewise.
                record.region.open.store(0, Ordering::Release);
                compiler_fence(Ordering::SeqCst);
                if record.line.flag.load(Relaxed) != 0 || !record.region.is_untouched() {
                    told::region_left(put_back(record));
                }
            }
            Left::Thoroughly { was_blocked } => leave_thoroughly(record, was_blocked),
            Left::ByAnother => {}
        }
    }
}

#[cold]
#[inline(never)]
fn leave_thoroughly(record: &Record, was_blocked: bool) {
    record.region.open.store(0, Ordering::Release);
    fence(Ordering::SeqCst);
    let mut was_touched = false;
    if record.line.flag.load(Relaxed) != 0 || !record.region.is_untouched() {
        was_touched = put_back(record);
    }
    if !record.has_window() {
        // mutant: signal-stays-open-for-other-copys-region
        signal::set_mask(if was_blocked { libc::SIG_BLOCK } else { libc::SIG_UNBLOCK });
    }
    told::region_left(was_touched);
}

/// The region is closed, and something may have been changed, or a signal be on its way.
/// Whether something has been changed.
#[cold]
#[inline(never)]
fn put_back(record: &Record) -> bool {
    let was_touched = !record.region.is_untouched();
    // mutant: leaving-region-disarms
    ways::disarm(record);
    if record.line.flag.load(Ordering::SeqCst) & LOOK != 0 {
        record.settle();
    }
    if was_touched {
        look::has_ended_region();
    }
    was_touched
}

/// While a marked call of a callback waits on the backend that keeps the signal blocked.
pub(crate) struct Paused<'thread>(Option<&'thread Record>);

impl Paused<'_> {
    pub(crate) fn begin(record: &Record) -> Paused<'_> {
        let record = Some(record).filter(|record| record.region.is_watched());
        if let Some(record) = record {
            record.region.paused.store(1, Relaxed);
            signal::set_mask(libc::SIG_BLOCK);
        }
        Paused(record)
    }
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        let Some(record) = self.0 else { return };
        record.region.paused.store(0, Relaxed);
        // What has come meanwhile is delivered here; what has come to the call was its own.
        signal::set_mask(libc::SIG_UNBLOCK);
        if record.line.flag.load(Ordering::SeqCst) & LOOK != 0 {
            ways::arm_here(record);
        }
    }
}
