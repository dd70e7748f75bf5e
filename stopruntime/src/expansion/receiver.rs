//! That a marked method is found where the plain one would be.
//!
//! A method is looked for on the receiver's type, then on what that derefs to, and
//! so on. `wrapper.recv(…)` is a method of the wrapper's if it has one;
//! `wrapper.recv_or_stop(…)`, which it does not have, would be found on the socket
//! behind it. So expanded code holds, in an arm that is never reached, a walk from
//! the type of the receiver to the type that has the variant, which rustc only
//! checks: through references and std's pointers and guards, which have none of
//! the methods that can be marked, and through nothing else.
//!
//! ```text
//! via(&RECEIVER)                          Via<&MutexGuard<TcpStream>, First>
//!     .step()  by `Otherwise`, `Through`  Via<MutexGuard<TcpStream>, Deeper>
//!     .step()  the same                   Via<TcpStream, Deeper>
//!     .step()  by `steps::ReadOrStop`     Found
//!     .step()                             Found
//! ```
//!
//! The methods of `steps` take `&self` and the method of [`Otherwise`] takes `&mut self`,
//! so rustc tries those of `steps` first. If no type on the way has the variant, the error
//! comes from here too, because rustc's own words for a missing method name no remedy. For
//! a type of std that cannot be stopped they do name one, unless the type stands behind a
//! pointer: hence `First`.

use crate::ext::refused::{
    CanInitialise, CanJoin, CanLock, CanMeet, CanReadAndWrite, CanReceive, CanSend,
};
use crate::sync;
use crate::thread;
use core::cell::{LazyCell, Ref, RefMut};
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::ops::Deref;
use core::panic::AssertUnwindSafe;
use core::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, LazyLock, MutexGuard, RwLockReadGuard, RwLockWriteGuard};

/// Says that the walk has arrived at this type.
#[derive(Debug)]
pub struct Via<X: ?Sized, L>(PhantomData<L>, PhantomData<X>);

/// Says that it is the type of the receiver itself.
#[derive(Debug)]
pub struct First;

/// Says that it is behind a pointer.
#[derive(Debug)]
pub struct Deeper;

/// Says that the type has the variant.
#[derive(Debug)]
pub struct Found;

/// Begins at the type of the receiver.
#[must_use]
pub const fn via<X: ?Sized>(_: &X) -> Via<X, First> {
    Via(PhantomData, PhantomData)
}

/// What stands before code that rustc checks and that never runs.
///
/// # Panics
///
/// Always.
pub fn never_run() -> ! {
    unreachable!("this arm is behind all values")
}

impl Found {
    /// Stays there.
    #[must_use]
    pub const fn step(&self) -> Found {
        Found
    }
}

/// Where it goes on from a type without the variant.
#[diagnostic::on_unimplemented(
    message = "`{X}` has no stop-checked form of this call",
    label = "no request would end this wait",
    note = "if it is a type parameter, give it the bound of `stopruntime::ext`: `{X}: ReadOrStop`, `WriteOrStop` or `FillBufOrStop`",
    note = "if it is a `dyn Trait`, make that bound a supertrait of the trait; of a trait that is not yours, make one with both as supertraits",
    note = "if it stops by itself, say `#[blocking(as_is)]`: it is `#[stoppable]`, or reads through a `stopruntime::Stoppable`",
    note = "if it waits for a file descriptor, say `#[blocking(readable)]` or `#[blocking(writable)]`, or `#[blocking(readable = EXPR)]` with the descriptor",
    note = "if it is a method of what `{X}` derefs to, write the dereference, `(*receiver).method(..)`",
    note = "if it is a lock, channel or condition, there are those of `stopruntime::sync`, and the feature `crossbeam-channel`"
)]
pub trait Through<X: ?Sized> {
    /// The next [`Via`], or [`Found`].
    type Next: Walk;
}

/// What a step returns.
pub trait Walk {
    /// One.
    fn new() -> Self;
}

impl Walk for Found {
    fn new() -> Found {
        Found
    }
}

impl<X: ?Sized, L> Walk for Via<X, L> {
    fn new() -> Via<X, L> {
        Via(PhantomData, PhantomData)
    }
}

/// The step from a type without the variant.
pub trait Otherwise<X: ?Sized, L> {
    /// Goes through it.
    fn step(&mut self) -> L::Next
    where
        L: Through<X>,
    {
        L::Next::new()
    }
}

impl<X: ?Sized, L> Otherwise<X, L> for Via<X, L> {}

macro_rules! through {
    ($([$($parameter:tt)*] $pointer:ty => $target:ty),* $(,)?) => {$(
        #[diagnostic::do_not_recommend]
        impl<L, $($parameter)*> Through<$pointer> for L {
            type Next = Via<$target, Deeper>;
        }
    )*};
}
through! {
    [T: ?Sized] &T => T,
    [T: ?Sized] &mut T => T,
    [T: ?Sized] Box<T> => T,
    [T: ?Sized] Rc<T> => T,
    [T: ?Sized] Arc<T> => T,
    [P: Deref] Pin<P> => P::Target,
    [T: ?Sized] ManuallyDrop<T> => T,
    [T] AssertUnwindSafe<T> => T,
    [T, F: FnOnce() -> T] LazyCell<T, F> => T,
    [T, F: FnOnce() -> T] LazyLock<T, F> => T,
    [T: ?Sized] Ref<'_, T> => T,
    [T: ?Sized] RefMut<'_, T> => T,
    [T: ?Sized] MutexGuard<'_, T> => T,
    [T: ?Sized] RwLockReadGuard<'_, T> => T,
    [T: ?Sized] RwLockWriteGuard<'_, T> => T,
    [T: ?Sized] sync::MutexGuard<'_, T> => T,
    [T] thread::StopOnDrop<T> => thread::JoinHandle<T>,
    [T: ?Sized] sync::RwLockReadGuard<'_, T> => T,
    [T: ?Sized] sync::RwLockWriteGuard<'_, T> => T,
}

/// Types that have the variants as methods of their own.
macro_rules! found {
    ($([$($parameter:tt)*] $of:ty),* $(,)?) => {$(
        #[diagnostic::do_not_recommend]
        impl<L, $($parameter)*> Through<$of> for L {
            type Next = Found;
        }
    )*};
}
found! {
    [T: ?Sized] sync::Mutex<T>,
    [T: ?Sized] sync::RwLock<T>,
    [] sync::Condvar,
    [] sync::Barrier,
    [] sync::Once,
    [T] sync::OnceLock<T>,
    [] sync::Semaphore,
    [T] sync::mpsc::Sender<T>,
    [T] sync::mpsc::SyncSender<T>,
    [T] sync::mpsc::Receiver<T>,
    [T] thread::JoinHandle<T>,
    [T] thread::ScopedJoinHandle<'_, T>,
}

/// Types of std that cannot be stopped: the first is refused by the call itself.
macro_rules! refused {
    ($([$($parameter:tt)*] $of:ty: $can:ident),* $(,)?) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($parameter)*> Through<$of> for First {
            type Next = Found;
        }

        // Over any lifetime, because rustc refuses a bound that it can see to be false.
        impl<$($parameter)*> Through<$of> for Deeper
        where
            for<'any> $of: $can,
        {
            type Next = Found;
        }
    )*};
}
refused! {
    [T] std::sync::mpsc::Receiver<T>: CanReceive,
    [T] std::sync::mpsc::Sender<T>: CanSend,
    [T] std::sync::mpsc::SyncSender<T>: CanSend,
    [T: ?Sized] std::sync::Mutex<T>: CanLock,
    [T: ?Sized] std::sync::RwLock<T>: CanReadAndWrite,
    [] std::sync::Once: CanInitialise,
    [T] std::sync::OnceLock<T>: CanInitialise,
    [T] std::thread::JoinHandle<T>: CanJoin,
    ['scope, T] std::thread::ScopedJoinHandle<'scope, T>: CanJoin,
    [] std::sync::Barrier: CanMeet,
}

/// The step at a type with the variant, for each trait that has some.
pub mod steps {
    use super::{Found, Via};
    use crate::expansion::iterate;
    use crate::ext;

    macro_rules! steps {
        ($($module:ident::{$($name:ident),*})*) => {$($(
            #[doc = concat!("At a type that is `", stringify!($name), "`.")]
            pub trait $name {
                /// Is there.
                #[must_use]
                fn step(&self) -> Found {
                    Found
                }
            }

            impl<T: $module::$name + ?Sized, L> $name for Via<T, L> {}
        )*)*};
    }
    steps! {
        ext::{
            AcceptOrStop, BufReadOrStop, BytesOrStop, FileOrStop, FillBufOrStop, IncomingOrStop,
            InitialiseOrStop, JoinOrStop, LockOrStop, OpenOrStop, OutputOrStop, PeekFromOrStop,
            PeekOrStop, ReadOrStop, ReadWriteLockOrStop, ReceiverOrStop, RecvFromOrStop,
            RecvOrStop, SendOrStop, SenderOrStop, StatusOrStop, StdinOrStop,
            SubmitAndWaitOrStop, WaitOrStop, WaitWithOutputOrStop, WriteOrStop
        }
        iterate::{IterOrStop}
    }

    // Their traits have a parameter that the type does not tell; a type that has
    // the one method has the other.
    pub use SendOrStop as SendToOrStop;
    pub use SubmitAndWaitOrStop as SubmitWithArgsOrStop;
}
