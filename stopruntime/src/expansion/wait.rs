//! The options `readable` and `writable`.
//!
//! What they name is a descriptor, or has one: rustc picks the way to it by how often
//! the method's receiver has to be borrowed. A `BufReader` is asked first what it holds.

use crate::ext;
use crate::scope::{self, Stopped};
use std::io::{self, BufReader};
use std::os::fd::{AsFd, AsRawFd, RawFd};

/// Holds what is waited for.
#[derive(Debug)]
pub struct Ready<'a, T: ?Sized>(pub &'a T);

/// Has a descriptor.
pub trait Descriptor {
    #[doc(hidden)]
    fn number(&self) -> RawFd;

    #[doc(hidden)]
    fn has_read_ahead(&self) -> bool {
        false
    }

    /// Waits until the descriptor is readable, or not at all where bytes of it have been
    /// read ahead.
    ///
    /// # Errors
    ///
    /// [`Stopped`].
    ///
    /// # Panics
    ///
    /// If the kernel cannot wait for the descriptor (poll(2): there is no memory).
    #[track_caller]
    fn readable(&self) -> Result<(), Stopped> {
        // mutant: read-ahead-is-readable
        if self.has_read_ahead() {
            return scope::check();
        }
        waited(ext::wait_readable(self.number())?);
        Ok(())
    }

    /// Waits until the descriptor is writable.
    ///
    /// # Errors
    ///
    /// [`Stopped`].
    ///
    /// # Panics
    ///
    /// As [`readable`](Self::readable).
    #[track_caller]
    fn writable(&self) -> Result<(), Stopped> {
        waited(ext::wait_writable(self.number())?);
        Ok(())
    }
}

/// The marked call's own type of error is not known.
#[track_caller]
fn waited(outcome: io::Result<()>) {
    if let Err(error) = outcome {
        panic!("#[blocking]: the wait for the descriptor failed: {error}");
    }
}

impl<T: AsFd + ?Sized> Descriptor for &&&Ready<'_, T> {
    fn number(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

// Some have the number alone. To wait for it is no more than to look at it: whatever it
// is a number of by now, nothing is taken from it or done to it.
impl<T: AsRawFd + ?Sized> Descriptor for &&Ready<'_, T> {
    fn number(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl<T: AsRawFd + ?Sized> Descriptor for &Ready<'_, &mut T> {
    fn number(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl<T: AsRawFd + ?Sized> Descriptor for &Ready<'_, &T> {
    fn number(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Reads ahead of what its caller asks for, from something that may have a descriptor.
pub trait ReadsAhead {
    #[doc(hidden)]
    type Source;

    #[doc(hidden)]
    fn buffering(&self) -> &BufReader<Self::Source>;
}

impl<R> ReadsAhead for BufReader<R> {
    type Source = R;

    fn buffering(&self) -> &BufReader<R> {
        self
    }
}

impl<B: ReadsAhead + ?Sized> ReadsAhead for &B {
    type Source = B::Source;

    fn buffering(&self) -> &BufReader<B::Source> {
        (**self).buffering()
    }
}

impl<B: ReadsAhead + ?Sized> ReadsAhead for &mut B {
    type Source = B::Source;

    fn buffering(&self) -> &BufReader<B::Source> {
        (**self).buffering()
    }
}

impl<B: ReadsAhead<Source: AsFd>> Descriptor for &&&&&Ready<'_, B> {
    fn number(&self) -> RawFd {
        self.0.buffering().get_ref().as_fd().as_raw_fd()
    }

    fn has_read_ahead(&self) -> bool {
        !self.0.buffering().buffer().is_empty()
    }
}

impl<B: ReadsAhead<Source: AsRawFd>> Descriptor for &&&&Ready<'_, B> {
    fn number(&self) -> RawFd {
        self.0.buffering().get_ref().as_raw_fd()
    }

    fn has_read_ahead(&self) -> bool {
        !self.0.buffering().buffer().is_empty()
    }
}

/// Whether the receiver of the call has read ahead, where another descriptor is named.
pub trait MayReadAhead {
    /// Whether it has.
    fn has_read_ahead(&self) -> bool;
}

impl<B: ReadsAhead> MayReadAhead for &Ready<'_, B> {
    fn has_read_ahead(&self) -> bool {
        !self.0.buffering().buffer().is_empty()
    }
}

/// Reads nothing ahead, as far as is known.
pub trait ReadsNothingAhead {
    /// Says no.
    fn has_read_ahead(&self) -> bool {
        false
    }
}

impl<T: ?Sized> ReadsNothingAhead for Ready<'_, T> {}

/// Refuses: there is no descriptor.
pub trait NoDescriptor<T: ?Sized> {
    /// Refuses.
    ///
    /// # Errors
    ///
    /// None.
    fn readable(&self) -> Result<(), Stopped>
    where
        T: HasDescriptor;

    /// Refuses.
    ///
    /// # Errors
    ///
    /// None.
    fn writable(&self) -> Result<(), Stopped>
    where
        T: HasDescriptor;
}

impl<T: ?Sized> NoDescriptor<T> for Ready<'_, T> {
    fn readable(&self) -> Result<(), Stopped>
    where
        T: HasDescriptor,
    {
        Ok(())
    }

    fn writable(&self) -> Result<(), Stopped>
    where
        T: HasDescriptor,
    {
        Ok(())
    }
}

/// Is implemented by no type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no file descriptor to wait for",
    label = "neither `AsFd` nor `AsRawFd`",
    note = "say what to wait for: `readable = EXPR` or `writable = EXPR`, with a descriptor or what has one; if the call stops by itself, say `as_is`"
)]
pub trait HasDescriptor {}
