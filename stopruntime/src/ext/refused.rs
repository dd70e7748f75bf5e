//! std's types that wait and cannot be stopped race-free: an implementation
//! that never applies, so that rustc says why at the call. The documentation of a trait does
//! not show them among its implementations.

use super::{JoinOrStop, LockOrStop, ReceiverOrStop, SenderOrStop, WaitOrStop};
use crate::scope::Stopped;
use std::sync::{Barrier, BarrierWaitResult, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// Refuses: nothing implements it, and what rustc says then is its purpose.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it receives",
    label = "std waits inside this call, where no request reaches it",
    note = "use `stopruntime::sync::mpsc`, which is the same and can be stopped"
)]
pub trait CanReceive {}

#[doc(hidden)]
impl<T> ReceiverOrStop for mpsc::Receiver<T>
where
    mpsc::Receiver<T>: CanReceive,
{
    type Message = T;
    type Disconnected = mpsc::RecvError;
    type NotInTime = mpsc::RecvTimeoutError;

    fn recv_or_stop(&self) -> Result<Result<T, mpsc::RecvError>, Stopped> {
        unreachable!("the bound cannot be met")
    }

    fn recv_timeout_or_stop(
        &self,
        _: Duration,
    ) -> Result<Result<T, mpsc::RecvTimeoutError>, Stopped> {
        unreachable!("the bound cannot be met")
    }

    fn recv_deadline_or_stop(
        &self,
        _: Instant,
    ) -> Result<Result<T, mpsc::RecvTimeoutError>, Stopped> {
        unreachable!("the bound cannot be met")
    }
}

/// Refuses as [`CanReceive`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it sends",
    label = "std waits inside this call, where no request reaches it",
    note = "use `stopruntime::sync::mpsc`, which is the same and can be stopped"
)]
pub trait CanSend {}

macro_rules! sender {
    ($($sender:ty),*) => {$(
        #[doc(hidden)]
        impl<T> SenderOrStop for $sender
        where
            $sender: CanSend,
        {
            type Message = T;
            type Disconnected = mpsc::SendError<T>;
            type NotInTime = mpsc::SendError<T>;

            fn send_or_stop(&self, _: T) -> Result<Result<(), mpsc::SendError<T>>, Stopped> {
                unreachable!("the bound cannot be met")
            }

            fn send_timeout_or_stop(
                &self,
                _: T,
                _: Duration,
            ) -> Result<Result<(), mpsc::SendError<T>>, Stopped> {
                unreachable!("the bound cannot be met")
            }

            fn send_deadline_or_stop(
                &self,
                _: T,
                _: Instant,
            ) -> Result<Result<(), mpsc::SendError<T>>, Stopped> {
                unreachable!("the bound cannot be met")
            }
        }
    )*};
}
sender!(mpsc::Sender<T>, mpsc::SyncSender<T>);

/// Refuses as [`CanReceive`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it waits for the lock",
    label = "std waits inside this call, where no request reaches it",
    note = "use `stopruntime::sync::Mutex`, which is the same and can be stopped"
)]
pub trait CanLock {}

#[doc(hidden)]
impl<T: ?Sized> LockOrStop for std::sync::Mutex<T>
where
    std::sync::Mutex<T>: CanLock,
{
    type Output = ();

    fn lock_or_stop(&self) -> Result<(), Stopped> {
        unreachable!("the bound cannot be met")
    }
}

#[doc(hidden)]
impl<T: ?Sized> LockOrStop for std::sync::Arc<std::sync::Mutex<T>>
where
    std::sync::Arc<std::sync::Mutex<T>>: CanLock,
{
    type Output = ();

    fn lock_or_stop(&self) -> Result<(), Stopped> {
        unreachable!("the bound cannot be met")
    }
}

/// Refuses as [`CanReceive`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it waits for the lock",
    label = "std waits inside this call, where no request reaches it",
    note = "use `stopruntime::sync::RwLock`, which is the same and can be stopped"
)]
pub trait CanReadAndWrite {}

/// Refuses as [`CanReceive`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while another thread initialises it",
    label = "std waits inside this call, where no request reaches it",
    note = "use `Once` and `OnceLock` of `stopruntime::sync`, which are the same and can be stopped"
)]
pub trait CanInitialise {}

/// Refuses `read` and `write` of locks that cannot be stopped.
pub trait ReadWriteLockOrStop {
    #[doc(hidden)]
    fn read_or_stop(&self) -> Result<(), Stopped>;
    #[doc(hidden)]
    fn write_or_stop(&self) -> Result<(), Stopped>;
}

/// Refuses to initialise once where that cannot be stopped.
pub trait InitialiseOrStop {
    #[doc(hidden)]
    fn get_or_init_or_stop<F>(&self, _: F) -> Result<(), Stopped>;
    #[doc(hidden)]
    fn set_or_stop<T>(&self, _: T) -> Result<(), Stopped>;
    #[doc(hidden)]
    fn call_once_or_stop<F>(&self, _: F) -> Result<(), Stopped>;
    #[doc(hidden)]
    fn call_once_force_or_stop<F>(&self, _: F) -> Result<(), Stopped>;
}

/// As it is, and shared.
macro_rules! lock {
    ($($name:ident, unless $can:ident, for $([$($parameter:tt)*] $lock:ty),*:
        $methods:tt);*) => {$($(
        lock!(@ $name, $can, [$($parameter)*] $lock, $methods);
        lock!(@ $name, $can, [$($parameter)*] std::sync::Arc<$lock>, $methods);
    )*)*};
    (@ $name:ident, $can:ident, [$($parameter:tt)*] $lock:ty,
        { $($method:ident($($argument:ident)?)),* }) => {
        // Over any lifetime, because rustc refuses a bound that it can see to
        // be false.
        impl<$($parameter)*> $name for $lock
        where
            for<'any> $lock: $can,
        {$(
            fn $method$(<$argument>)?(&self $(, _: $argument)?) -> Result<(), Stopped> {
                unreachable!("the bound cannot be met")
            }
        )*}
    };
}
lock! {
    ReadWriteLockOrStop, unless CanReadAndWrite, for [T: ?Sized] std::sync::RwLock<T>: {
        read_or_stop(), write_or_stop()
    };
    InitialiseOrStop, unless CanInitialise, for [] std::sync::Once, [V] std::sync::OnceLock<V>: {
        get_or_init_or_stop(F), set_or_stop(F), call_once_or_stop(F), call_once_force_or_stop(F)
    }
}

/// Refuses as [`CanReceive`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it joins a thread",
    label = "std waits inside this call, where no request reaches it",
    note = "start the thread with `stopruntime::thread::spawn`, whose handle has a stop-checked `join`"
)]
pub trait CanJoin {}

macro_rules! handle {
    ($([$($parameter:tt)*] $handle:ty),*) => {$(
        #[doc(hidden)]
        impl<$($parameter)*> JoinOrStop for $handle
        where
            $handle: CanJoin,
        {
            type Output = thread::Result<T>;

            fn join_or_stop(&self) -> Result<Self::Output, Stopped> {
                unreachable!("the bound cannot be met")
            }
        }
    )*};
}
handle!([T] thread::JoinHandle<T>, ['scope, T] thread::ScopedJoinHandle<'scope, T>);

/// Refuses as [`CanReceive`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it waits for the other threads",
    label = "std waits inside this call, where no request reaches it",
    note = "use `stopruntime::sync::Barrier`"
)]
pub trait CanMeet {}

// Over any lifetime, because rustc refuses a bound that it can see to be false.
#[doc(hidden)]
impl WaitOrStop for Barrier
where
    for<'any> Barrier: CanMeet,
{
    type Output = BarrierWaitResult;

    // Inlined, it is no symbol that a `dylib` would export: rustc 1.95 fails on
    // those of an implementation that never applies.
    #[inline]
    fn wait_or_stop(&mut self) -> Result<Self::Output, Stopped> {
        unreachable!("the bound cannot be met")
    }
}
