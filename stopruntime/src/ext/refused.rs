//! std's types that wait and cannot be stopped race-free: an implementation
//! that never applies, so that rustc says why at the call.

use super::{JoinOrStop, RecvOrStop, WaitOrStop};
use crate::stop::Stopped;
use std::io;
use std::sync::{Barrier, BarrierWaitResult, mpsc};
use std::thread;

/// Nothing implements it; what rustc says of it is the point.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it receives",
    label = "std waits inside this call, where no request reaches it",
    note = "hand the values over through a socket or a pipe, whose reads are stop-checked; or, if the stop may come late, wait with `recv_timeout` and mark the loop `#[checkpoint]`"
)]
pub trait CanReceive {}

impl<T> RecvOrStop for mpsc::Receiver<T>
where
    mpsc::Receiver<T>: CanReceive,
{
    fn recv_or_stop(&self, _: &mut [u8]) -> Result<io::Result<usize>, Stopped> {
        unreachable!("the bound cannot be met")
    }
}

/// As [`CanReceive`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it joins a thread",
    label = "std waits inside this call, where no request reaches it",
    note = "start the thread with `stopruntime::thread::spawn`, whose handle has a stop-checked `join`"
)]
pub trait CanJoin {}

macro_rules! handle {
    ($([$($parameter:tt)*] $handle:ty),*) => {$(
        impl<$($parameter)*> JoinOrStop for $handle
        where
            $handle: CanJoin,
        {
            type Output = thread::Result<T>;

            fn join_or_stop(self) -> Result<Self::Output, Stopped> {
                unreachable!("the bound cannot be met")
            }
        }
    )*};
}
handle!([T] thread::JoinHandle<T>, ['scope, T] thread::ScopedJoinHandle<'scope, T>);

/// As [`CanReceive`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it waits for the other threads",
    label = "std waits inside this call, where no request reaches it",
    note = "wait outside of the `#[stoppable]` function, or for bytes on a pipe or a socket, whose reads are stop-checked"
)]
pub trait CanMeet {}

// Over any lifetime, because rustc refuses a bound that it can see to be false.
impl WaitOrStop for Barrier
where
    for<'any> Barrier: CanMeet,
{
    type Output = BarrierWaitResult;

    fn wait_or_stop(&mut self) -> Result<Self::Output, Stopped> {
        unreachable!("the bound cannot be met")
    }
}
