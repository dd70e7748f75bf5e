//! Locks and channels whose waits can be stopped: the shapes of [`std::sync`].
//!
//! Every blocking method has its plain form, which waits as std's does, and its
//! `_or_stop` form, which a marked call becomes. Each primitive is a futex
//! (futex(2)); its algorithm is written once, over how it waits.
//!
//! A stopped waiter takes nothing with it: the lock, the permit, the message and the
//! wake-up that it did not act upon are there for the others. To stop it, no lock of
//! another thread is taken.
//!
//! What is *taken* (a lock, a permit, a message, a place at a barrier) is not
//! taken once a stop is requested, even if it is free, just as a read is not begun
//! even if there is data. What is only *waited for* (a condition, a value that is
//! initialised once) goes before a stop if it is there: the call takes nothing
//! from the others and has nothing to wait for.
//!
//! Poisoning is std's, so that code moves over unchanged: `lock()` returns a
//! [`LockResult`]. Types that cannot wait are std's own here, so that a
//! `use std::sync::…` needs a change of its root alone. One of these can make a thread
//! wait: a [`LazyLock`] that another thread initialises. That wait cannot be stopped; use
//! an [`OnceLock`], whose wait can.

mod barrier;
mod condvar;
pub mod mpsc;
mod mutex;
mod once;
mod once_lock;
mod poison;
mod rwlock;
mod semaphore;
mod wait;

pub use barrier::{Barrier, BarrierWaitResult};
pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Mutex, MutexGuard};
pub use once::{Once, OnceState};
pub use once_lock::OnceLock;
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use semaphore::{Semaphore, SemaphoreGuard};
pub use std::sync::{
    Arc, LazyLock, LockResult, PoisonError, TryLockError, TryLockResult, Weak, atomic,
};
