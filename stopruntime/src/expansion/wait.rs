//! The options `readable` and `writable`.

use crate::scope::Stopped;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// Waits until the descriptor is readable.
///
/// # Errors
///
/// [`Stopped`].
///
/// # Panics
///
/// If the kernel cannot wait for the descriptor (poll(2): there is no memory).
#[track_caller]
pub fn readable<T: AsFd + ?Sized>(descriptor: &T) -> Result<(), Stopped> {
    waited(crate::ext::wait_readable(descriptor.as_fd().as_raw_fd())?);
    Ok(())
}

/// The marked call's own type of error is not known.
#[track_caller]
fn waited(outcome: io::Result<()>) {
    if let Err(error) = outcome {
        panic!("#[blocking]: the wait for the descriptor failed: {error}");
    }
}

/// Waits until the descriptor is writable.
///
/// # Errors
///
/// [`Stopped`].
///
/// # Panics
///
/// As [`readable`].
#[track_caller]
pub fn writable<T: AsFd + ?Sized>(descriptor: &T) -> Result<(), Stopped> {
    waited(crate::ext::wait_writable(descriptor.as_fd().as_raw_fd())?);
    Ok(())
}
