//! What a marked loop goes over.

use crate::ext::{BufReadOrStop, Bytes, Incoming, IncomingOrStop, Lines, ReadOrStop, Split};
use crate::scope::Stopped;
use crate::sync::mpsc;
use std::io;

/// Goes over items by a stop-checked `next`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it waits for the next item"
)]
pub trait NextOrStop {
    /// What it yields.
    type Item;

    /// Returns the next item.
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

/// Makes `iter` stop-checked.
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
