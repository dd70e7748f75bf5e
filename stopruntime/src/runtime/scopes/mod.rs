//! Scopes: what is asked to stop, and what a thread runs under.
//!
//! The flag of a thread is a hint, the scopes are the truth:
//!
//! | flag | meaning | a window | the way out | who stores it |
//! |---|---|---|---|---|
//! | 0 | nothing | goes on | nothing to do | the thread, from 3 by compare-and-swap |
//! | [`LOOK`] | look first | does not begin | settles and looks | requesters, the helper, the thread itself when it is stopped |
//! | [`LOOKED`] | has looked: nothing that it sees is stopped | goes on | settles and looks | the thread |
//!
//! A requester sets the scope's state, then the flags of the threads that run under
//! it, and each flag stays 1 or 3 until it is done, because a thread takes 3 to 0
//! only while no requester is in flight. So a thread that a requester may signal
//! settles on its way out, and meets no signal later. And a requester signals a
//! thread only if it finds it in a marked call and visibly under the scope, in this
//! order, and nothing has moved the thread's claim on meanwhile: no call is
//! interrupted that is not stopped.
//!
//! `tests/model` explores this protocol, and takes each part of it out once.

pub(crate) mod clock;
pub(crate) mod notified;
pub(crate) mod pool;
pub(crate) mod reason;

pub(crate) mod cell;
pub(crate) mod in_flight;

pub(crate) mod stack;
pub(crate) mod visible;

mod release;
pub(crate) mod reported;
mod seen;

pub(crate) mod request;

mod helper;
mod publish;

pub(crate) mod news;

pub(crate) mod look;

pub(crate) mod enter;

pub(crate) mod callbacks;

/// A thread's flag: something may be stopped.
pub(crate) const LOOK: u32 = 1;
/// A thread's flag: it has looked, and a requester may still be about to signal.
pub(crate) const LOOKED: u32 = 3;
