//! What expanded code names. Not for use by hand; everything here is safe to call.

pub mod carries;
pub mod ended;
mod iterate;
pub mod leaves;
mod limit;
mod receiver;
mod region;
mod swallowed;
mod unblock;
mod wait;

pub use carries::Of;
pub use iterate::{IntoIterOrStop, IterOrStop, Iterable, NextOrStop, into_iter_or_stop};
pub use leaves::{Leave, Way, exit, leave};
pub use limit::limited;
pub use receiver::{Deeper, First, Found, Otherwise, Through, Via, Walk, never_run, steps, via};
pub use region::{Region, ResettingRegion, left_by, looked, region, resetting_region};

pub use crate::ext::{
    AcceptOrStop, BufReadOrStop, BytesOrStop, ConnectOrStop, ConnectTimeoutOrStop, FileOrStop,
    FillBufOrStop, IncomingOrStop, InitialiseOrStop, JoinOrStop, LockBefore, LockOrStop,
    OpenOrStop, OutputOrStop, PeekFromOrStop, PeekOrStop, ReadOrStop, ReadWriteLockOrStop,
    ReceiverOrStop, RecvFromOrStop, RecvOrStop, SendOrStop, SendToOrStop, SenderOrStop,
    StatusOrStop, StdinOrStop, SubmitAndWaitOrStop, SubmitWithArgsOrStop, WaitOrStop,
    WaitWithOutputOrStop, WriteOrStop, copy_or_stop, park_or_stop, park_timeout_or_stop,
    sleep_or_stop, sleep_until_or_stop,
};
pub use swallowed::left;
pub use unblock::unblocked;
pub use wait::{
    Descriptor, HasDescriptor, MayReadAhead, NoDescriptor, ReadsAhead, ReadsNothingAhead, Ready,
};

pub use crate::foreign::{foreign, foreign_reset};
pub use crate::scope::{CarriesStop, Shield, Stopped, check};

/// Enters a shield.
#[must_use]
pub fn shield() -> Shield {
    Shield::enter()
}
