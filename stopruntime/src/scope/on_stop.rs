//! Callbacks that run when a scope is stopped.
//!
//! # Safety
//!
//! The invariant of this module: what [`during`] makes of a callback that borrows is
//! withdrawn before `during` returns or unwinds.

#![allow(unsafe_code)]

use crate::runtime::scopes::callbacks::{self, Number, What};
use crate::runtime::scopes::cell::ScopeRef;
use crate::runtime::scopes::look;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::{fmt, mem};

/// Withdraws a callback of [`Stopper::on_stop`](crate::Stopper::on_stop) when it is dropped.
#[must_use = "dropped at once, it withdraws the callback at once"]
pub struct OnStop {
    number: Number,
}

impl OnStop {
    pub(super) fn new(scope: &ScopeRef, f: Box<dyn FnOnce() + Send>) -> OnStop {
        OnStop { number: callbacks::add(scope, What::Run(f)) }
    }
}

impl Drop for OnStop {
    fn drop(&mut self) {
        callbacks::withdraw(self.number);
    }
}

impl fmt::Debug for OnStop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OnStop").finish_non_exhaustive()
    }
}

/// Runs `body`, and `f` if the scope is stopped meanwhile.
pub(super) fn during<'f, R>(
    scope: &ScopeRef,
    f: impl FnOnce() + Send + 'f,
    body: impl FnOnce() -> R,
) -> R {
    let f: Box<dyn FnOnce() + Send + 'f> = Box::new(f);
    // SAFETY: only a lifetime is changed. The destructor of what holds it returns when
    // `f` has returned and is dropped, or has been dropped without being called; and it
    // runs before this function is left.
    let f = unsafe { mem::transmute::<Box<dyn FnOnce() + Send + 'f>, Box<dyn FnOnce() + Send>>(f) };
    let _on_stop = OnStop::new(scope, f);
    body()
}

/// Is ready when the scope is stopped.
pub(super) struct WhenStopped {
    scope: ScopeRef,
    waits: Option<(Number, Waker)>,
}

impl WhenStopped {
    pub(super) fn new(scope: ScopeRef) -> WhenStopped {
        WhenStopped { scope, waits: None }
    }

    fn withdraw(&mut self) {
        if let Some((number, _)) = self.waits.take() {
            callbacks::withdraw(number);
        }
    }
}

impl Future for WhenStopped {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if look::is_stopped(&self.scope) {
            self.withdraw();
            return Poll::Ready(());
        }
        let waker = context.waker();
        if self.waits.as_ref().is_none_or(|(_, known)| !known.will_wake(waker)) {
            self.withdraw();
            // If the scope is stopped by now, it wakes the task at once.
            let what = What::Wake(waker.clone());
            let number = callbacks::add(&self.scope, what);
            self.waits = Some((number, waker.clone()));
        }
        Poll::Pending
    }
}

impl Drop for WhenStopped {
    fn drop(&mut self) {
        self.withdraw();
    }
}
