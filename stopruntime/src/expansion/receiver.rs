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
//! via(&RECEIVER, &result)                 Via<&Mutex…Guard<TcpStream>, _>
//!     .step()  by `Otherwise`, `Through`  Via<MutexGuard<TcpStream>, _>
//!     .step()  the same                   Via<TcpStream, _>
//!     .step()  by `steps::ReadOrStop`     Found
//!     .step()                             Found
//! ```
//!
//! The methods of `steps` borrow their receiver shared and that of [`Otherwise`]
//! exclusively, so rustc looks at those first. `R` is the type of what the
//! marked call returned: if that could not be found, it is an error already, and
//! rustc keeps quiet about all that depends on it.

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

/// Arrived at this type.
#[derive(Debug)]
pub struct Via<X: ?Sized, R>(PhantomData<R>, PhantomData<X>);

/// At the type that has the variant.
#[derive(Debug)]
pub struct Found;

/// Begins at the type of the receiver.
#[must_use]
pub const fn via<X: ?Sized, R>(_: &X, _: &R) -> Via<X, R> {
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
    message = "a mark does not reach through `{X}`",
    label = "this may be a method of `{X}`, and what can be stopped stands behind it",
    note = "if it is its own, use `#[blocking(as_is)]` where its error carries the stop, or `#[blocking(readable)]` or `#[blocking(writable)]` where it waits for a file descriptor; if it is one of what stands behind it, write the dereference: `(*receiver).method(..)`"
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

impl<X: ?Sized, R> Walk for Via<X, R> {
    fn new() -> Via<X, R> {
        Via(PhantomData, PhantomData)
    }
}

/// The step from a type without the variant.
pub trait Otherwise<X: ?Sized, R> {
    /// Goes through it.
    fn step(&mut self) -> R::Next
    where
        R: Through<X>,
    {
        R::Next::new()
    }
}

impl<X: ?Sized, R> Otherwise<X, R> for Via<X, R> {}

macro_rules! through {
    ($([$($parameter:tt)*] $pointer:ty => $target:ty),* $(,)?) => {$(
        #[diagnostic::do_not_recommend]
        impl<Result, $($parameter)*> Through<$pointer> for Result {
            type Next = Via<$target, Result>;
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
    [T: ?Sized] sync::RwLockReadGuard<'_, T> => T,
    [T: ?Sized] sync::RwLockWriteGuard<'_, T> => T,
}

/// Types that have the variants as methods of their own.
macro_rules! found {
    ($([$($parameter:tt)*] $of:ty),* $(,)?) => {$(
        #[diagnostic::do_not_recommend]
        impl<Result, $($parameter)*> Through<$of> for Result {
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

            impl<T: $module::$name + ?Sized, R> $name for Via<T, R> {}
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
