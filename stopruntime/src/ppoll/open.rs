//! Opening: a FIFO waits for its other end, a terminal for its carrier, and a file
//! for the holder of a lease on it.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::spoiled::{Part, wait};
use crate::kernel::given::given;
use crate::kernel::plain::plain;
use crate::runtime::record::Record;
use crate::scope::Stopped;
use core::ffi::{CStr, c_int, c_long, c_uint};

/// openat(2) and openat2(2): the path is the second argument.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn path(
    record: &Record,
    number: c_long,
    mut args: [usize; 6],
) -> Result<isize, Stopped> {
    if args[1] == 0 {
        // SAFETY: the caller's call, which the kernel refuses.
        return Ok(unsafe { plain(number, args) });
    }
    // SAFETY: the caller's path.
    let mut path = unsafe { CStr::from_ptr(args[1] as *const _) }.to_bytes_with_nul().to_vec();
    args[1] = path.as_mut_ptr() as usize;
    // An empty path.
    let part = Part::zeroed(path.as_mut_ptr(), libc::ENOENT);
    // SAFETY: the caller's call, with a copy of its path.
    unsafe { wait(record, number, args, part) }
}

/// `open_by_handle_at(2)`: the handle, whose length comes first.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn handle(
    record: &Record,
    number: c_long,
    mut args: [usize; 6],
) -> Result<isize, Stopped> {
    /// Before the bytes of the handle: their number, and its type.
    const HEAD: usize = size_of::<c_uint>() + size_of::<c_int>();
    const MOST: usize = 128;

    // SAFETY: the caller's handle begins with its length.
    let length = unsafe { given::<c_uint>(args[1]) }.map_or(0, |length| length as usize);
    if !(1..=MOST).contains(&length) {
        // SAFETY: the caller's call, which the kernel refuses.
        return Ok(unsafe { plain(number, args) });
    }
    // As aligned as its numbers are.
    let mut copy = [0 as c_uint; (HEAD + MOST) / size_of::<c_uint>()];
    let place = copy.as_mut_ptr();
    // SAFETY: the caller's handle of that length.
    unsafe { (args[1] as *const u8).copy_to_nonoverlapping(place.cast(), HEAD + length) };
    args[1] = place as usize;
    let part = Part::all_ones(place, libc::EINVAL);
    // SAFETY: the caller's call, with a copy of its handle.
    unsafe { wait(record, number, args, part) }
}
