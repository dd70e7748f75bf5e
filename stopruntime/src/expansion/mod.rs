//! What expanded code names. Not for use by hand; all of it is safe to call.

mod receiver;

pub use receiver::{Found, Otherwise, Through, Via, Walk, never_run, steps, via};

pub use crate::ext::{
    AcceptOrStop, BufReadOrStop, BytesOrStop, ConnectOrStop, ConnectTimeoutOrStop, FileOrStop,
    FillBufOrStop, IncomingOrStop, InitialiseOrStop, JoinOrStop, LockBefore, LockOrStop,
    OpenOrStop, OutputOrStop, PeekFromOrStop, PeekOrStop, ReadOrStop, ReadWriteLockOrStop,
    ReceiverOrStop, RecvFromOrStop, RecvOrStop, SendOrStop, SendToOrStop, SenderOrStop,
    StatusOrStop, StdinOrStop, SubmitAndWaitOrStop, SubmitWithArgsOrStop, WaitOrStop,
    WaitWithOutputOrStop, WriteOrStop, copy_or_stop, park_or_stop, park_timeout_or_stop,
    sleep_or_stop, sleep_until_or_stop,
};
pub use crate::scope::{CarriesStop, Shield, Stopped, check};

use crate::ext::{Bytes, Incoming, Lines, Split};
use crate::scope;
use crate::sync::mpsc;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// Enters a shield.
#[must_use]
pub fn shield() -> Shield {
    Shield::new()
}

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
fn waited(outcome: std::io::Result<()>) {
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

/// What a function that is left on a stop can return.
#[diagnostic::on_unimplemented(
    message = "a stop cannot leave a function that returns `{Self}`",
    label = "left here when a stop is requested",
    note = "it can return `()`, `Option<_>`, or a `Result<_, E>` where `E: From<stopruntime::Stopped>`; for any other type say what to return: `#[stoppable(or = EXPR)]`, which a closure does not have"
)]
pub trait Leave {
    /// The value to return.
    fn leave(stopped: Stopped) -> Self;
}

impl Leave for () {
    fn leave(_: Stopped) {}
}

impl<T> Leave for Option<T> {
    fn leave(_: Stopped) -> Option<T> {
        None
    }
}

impl<T, E: From<Stopped>> Leave for Result<T, E> {
    fn leave(stopped: Stopped) -> Result<T, E> {
        Err(stopped.into())
    }
}

/// The value with which a function is left.
#[must_use]
pub fn leave<R: Leave>(stopped: Stopped) -> R {
    R::leave(stopped)
}

/// What a marked call that is made as it is can return.
#[diagnostic::on_unimplemented(
    message = "a marked call that returns `{Self}` cannot tell that it was stopped",
    label = "this call has no stop-checked form and is made as it is",
    note = "it has to return `()`, an `Option`, or a `Result` whose error implements `stopruntime::CarriesStop` (`io::Error` does); if what it waits for has a file descriptor, use `#[blocking(readable)]`"
)]
pub trait Nested: Sized {
    /// The value, unless it says that the call was stopped.
    ///
    /// # Errors
    ///
    /// [`Stopped`].
    fn nested(self) -> Result<Self, Stopped>;
}

impl Nested for () {
    fn nested(self) -> Result<(), Stopped> {
        check()
    }
}

impl<T> Nested for Option<T> {
    /// A stopped function returns `None`; a value is never lost.
    fn nested(self) -> Result<Option<T>, Stopped> {
        if self.is_none() {
            check()?;
        }
        Ok(self)
    }
}

impl<T, E: CarriesStop> Nested for Result<T, E> {
    fn nested(self) -> Result<Result<T, E>, Stopped> {
        match self.as_ref().err().and_then(CarriesStop::stopped) {
            Some(stopped) if scope::must_stop() => Err(stopped),
            // Another thread's stop that came home in a result is an error.
            _ => Ok(self),
        }
    }
}

/// Looks whether a call that was made as it is was stopped.
///
/// # Errors
///
/// [`Stopped`].
pub fn nested<R: Nested>(result: R) -> Result<R, Stopped> {
    result.nested()
}

/// An iterator whose `next` is stop-checked.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it waits for the next item"
)]
pub trait NextOrStop {
    /// What it yields.
    type Item;

    /// The next item.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and nothing was taken.
    fn next_or_stop(&mut self) -> Result<Option<Self::Item>, Stopped>;
}

/// What a `#[blocking] for` loop can go over.
#[diagnostic::on_unimplemented(
    message = "a `#[blocking]` loop over `{Self}` cannot be stopped",
    label = "nothing stop-checked yields these items",
    note = "it can go over `listener.incoming()`, `reader.lines()`, `reader.split(..)`, `reader.bytes()` and a `stopruntime::sync::mpsc::Receiver`; otherwise write a `loop` and mark the call in it that waits"
)]
pub trait IntoIterOrStop {
    /// The iterator.
    type IntoIter: NextOrStop;

    /// Begins the loop.
    fn into_iter_or_stop(self) -> Self::IntoIter;
}

/// What a `#[blocking] for` loop can go over by its `iter`.
#[diagnostic::on_unimplemented(
    message = "a `#[blocking]` loop over `iter` of `{Self}` cannot be stopped",
    label = "nothing stop-checked yields these items",
    note = "it can go over a `stopruntime::sync::mpsc::Receiver`; otherwise write a `loop` and mark the call in it that waits"
)]
pub trait Iterable {
    /// The iterator.
    type Iter<'receiver>: NextOrStop
    where
        Self: 'receiver;

    /// Begins the loop.
    fn begin(&self) -> Self::Iter<'_>;
}

/// `iter`, stop-checked.
pub trait IterOrStop: Iterable {
    /// Begins the loop.
    fn iter_or_stop(&self) -> Self::Iter<'_>;
}

impl<T: ?Sized> IterOrStop for T
where
    T: Iterable,
{
    fn iter_or_stop(&self) -> Self::Iter<'_> {
        self.begin()
    }
}

impl<T> Iterable for mpsc::Receiver<T> {
    type Iter<'receiver>
        = mpsc::Iter<'receiver, T>
    where
        T: 'receiver;

    fn begin(&self) -> mpsc::Iter<'_, T> {
        self.iter()
    }
}

/// Begins a loop.
pub fn into_iter_or_stop<I: IntoIterOrStop>(iterable: I) -> I::IntoIter {
    iterable.into_iter_or_stop()
}

impl<L: IncomingOrStop + ?Sized> NextOrStop for Incoming<'_, L> {
    type Item = io::Result<L::Stream>;

    #[inline(always)]
    fn next_or_stop(&mut self) -> Result<Option<Self::Item>, Stopped> {
        Incoming::next_or_stop(self).map(Some)
    }
}

macro_rules! iterators {
    ($($iterator:ident<$parameter:ident: $bound:ident> yields $item:ty),*) => {$(
        impl<$parameter: $bound> NextOrStop for $iterator<$parameter> {
            type Item = io::Result<$item>;

            fn next_or_stop(&mut self) -> Result<Option<Self::Item>, Stopped> {
                $iterator::next_or_stop(self)
            }
        }
    )*};
}
iterators! {
    Lines<B: BufReadOrStop> yields String,
    Split<B: BufReadOrStop> yields Vec<u8>,
    Bytes<R: ReadOrStop> yields u8
}

macro_rules! messages {
    ($([$($parameter:tt)*] $of:ty => $iterator:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($parameter)*> IntoIterOrStop for $of {
            type IntoIter = $iterator;

            fn into_iter_or_stop(self) -> $iterator {
                self.into_iter()
            }
        }

        impl<$($parameter)*> NextOrStop for $iterator {
            type Item = T;

            fn next_or_stop(&mut self) -> Result<Option<T>, Stopped> {
                Ok(self.receiver().recv_or_stop()?.ok())
            }
        }
    )*};
}
messages! {
    [T] mpsc::Receiver<T> => mpsc::IntoIter<T>,
    ['receiver, T] &'receiver mpsc::Receiver<T> => mpsc::Iter<'receiver, T>
}

#[diagnostic::do_not_recommend]
impl<'receiver, T> IntoIterOrStop for mpsc::Iter<'receiver, T> {
    type IntoIter = mpsc::Iter<'receiver, T>;

    fn into_iter_or_stop(self) -> mpsc::Iter<'receiver, T> {
        self
    }
}
