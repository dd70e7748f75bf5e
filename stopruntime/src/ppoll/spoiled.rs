//! The plain call, with the stop signal unblocked and an argument that the
//! handler [spoils](crate::runtime::spoil): for every call that reads memory.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::inside::inside;
use crate::kernel::plain::{INTERRUPTED, plain};
use crate::runtime::record::Record;
use crate::runtime::signal;
use crate::runtime::spoil::Bytes;
use crate::scope::Stopped;
use core::ffi::{c_int, c_long};

/// A part of an argument which the kernel looks at before the call has any
/// effect, and the error with which it refuses it once it is spoiled. Spoiled bytes
/// are put back after the call, over whatever the kernel has written there.
#[derive(Clone, Copy)]
pub(super) struct Part {
    bytes: Bytes,
    error: isize,
}

/// More than any part has.
const MOST: usize = 16;

impl Part {
    /// With all bits set: a negative number, or a length that is too big.
    pub(super) fn all_ones<T>(place: *mut T, error: c_int) -> Part {
        Part::filled(place, u8::MAX, error)
    }

    /// With no bit set.
    pub(super) fn zeroed<T>(place: *mut T, error: c_int) -> Part {
        Part::filled(place, 0, error)
    }

    fn filled<T>(place: *mut T, with: u8, error: c_int) -> Part {
        const { assert!(size_of::<T>() <= MOST) };
        let bytes = Bytes { place: place.cast(), length: size_of::<T>(), with };
        Part { bytes, error: -(error as isize) }
    }
}

/// Makes the call once: its raw result; `None` if a signal of the stop signal's
/// number has ended it without effect, or before it began, and there is no stop.
///
/// # Safety
///
/// As the call; the part is one of its arguments, in memory that nothing else
/// uses meanwhile.
pub(super) unsafe fn once(
    record: &Record,
    number: c_long,
    args: [usize; 6],
    part: Part,
) -> Result<Option<isize>, Stopped> {
    let Part { bytes, error } = part;
    let mut saved = [0; MOST];
    // SAFETY: the part is readable and as long as it says, which is no more than that.
    unsafe { bytes.place.copy_to_nonoverlapping(saved.as_mut_ptr(), bytes.length) };
    let (raw, spoiled) = inside(record, || {
        // SAFETY: the caller answers for the part and for the call.
        unsafe { record.argument.arm(bytes) };
        // mutant: signal-open-while-spoiling
        let mask = signal::set_mask(libc::SIG_UNBLOCK);
        // SAFETY: as above.
        let raw = unsafe { plain(number, args) };
        // mutant: signal-blocked-after-wait
        signal::restore_mask(&mask);
        (raw, record.argument.disarm())
    })?;
    // mutant: spoiled-put-back
    if spoiled {
        // SAFETY: as above: disarmed.
        unsafe { bytes.place.copy_from_nonoverlapping(saved.as_ptr(), bytes.length) };
    }
    // mutant: effect-kept
    let without_effect = raw == INTERRUPTED || spoiled && raw == error;
    if without_effect {
        record.check()?;
    }
    // mutant: stray-signal-does-not-end
    Ok((!(spoiled && without_effect)).then_some(raw))
}

/// Makes the call, once more after each stray signal of the stop signal's number.
///
/// # Safety
///
/// As [`once`].
pub(super) unsafe fn wait(
    record: &Record,
    number: c_long,
    args: [usize; 6],
    part: Part,
) -> Result<isize, Stopped> {
    loop {
        // SAFETY: the caller's call and its part.
        if let Some(raw) = unsafe { once(record, number, args, part)? } {
            return Ok(raw);
        }
    }
}
