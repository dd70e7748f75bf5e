//! std's types that wait and cannot be stopped race-free: an implementation
//! that never applies, so that rustc says why at the call.

use super::{JoinOrStop, RecvOrStop, WaitOrStop};
use crate::stop::Stopped;
use std::io;
use std::sync::{Barrier, mpsc};

/// Nothing implements it; what rustc says of it is the point.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it waits",
    label = "std waits inside this call, where no request reaches it",
    note = "start the thread with `stopruntime::thread::spawn`, whose handle has a stop-checked `join`; hand data over through a socket or a pipe, whose reads are stop-checked; or wait with a time-out (`recv_timeout`) and mark the loop `#[checkpoint]`"
)]
pub trait CanBeStopped {}

impl<T> RecvOrStop for mpsc::Receiver<T>
where
    mpsc::Receiver<T>: CanBeStopped,
{
    fn recv_or_stop(&self, _: &mut [u8]) -> Result<io::Result<usize>, Stopped> {
        unreachable!("the where clause cannot be met")
    }
}

impl<T> JoinOrStop for std::thread::JoinHandle<T>
where
    std::thread::JoinHandle<T>: CanBeStopped,
{
    type Output = std::thread::Result<T>;

    fn join_or_stop(self) -> Result<Self::Output, Stopped> {
        unreachable!("the where clause cannot be met")
    }
}

impl WaitOrStop for Barrier
where
    for<'never> Barrier: CanBeStopped,
{
    type Output = std::sync::BarrierWaitResult;

    fn wait_or_stop(&mut self) -> Result<Self::Output, Stopped> {
        unreachable!("the where clause cannot be met")
    }
}
