//! What is installed in this process, for every thread to read without a lock, which
//! another thread might hold when the process forks; and for the signal handler.
//!
//! # Safety
//!
//! The invariant of this module: a pointer is null or to a value that is never
//! changed or freed.

#![allow(unsafe_code)]

use crate::runtime::backend::{Backend, Rseq};
use core::ffi::c_int;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicI32, AtomicPtr, AtomicU8, Ordering};

/// 0: not installed yet.
static BACKEND: AtomicU8 = AtomicU8::new(0);
static SIGNAL: AtomicI32 = AtomicI32::new(0);
static RSEQ: AtomicPtr<Rseq> = AtomicPtr::new(null_mut());
static IGNORED: AtomicPtr<String> = AtomicPtr::new(null_mut());

/// The backend in force, if one is installed. Async-signal-safe.
pub(crate) fn backend() -> Option<Backend> {
    match BACKEND.load(Ordering::Acquire) {
        0 => None,
        index => Some(Backend::ALL[usize::from(index) - 1]),
    }
}

/// The last step of the installation.
pub(super) fn set_backend(backend: Backend) {
    BACKEND.store(backend as u8 + 1, Ordering::Release);
}

/// The stop signal. Async-signal-safe.
pub(crate) fn signal() -> c_int {
    SIGNAL.load(Ordering::Relaxed)
}

pub(super) fn set_signal(signal: c_int) {
    SIGNAL.store(signal, Ordering::Relaxed);
}

/// What the timer of the probe carries, so that its signal is told apart from a
/// user's timer with the same number.
pub(super) fn probe_value() -> libc::sigval {
    libc::sigval { sival_ptr: SIGNAL.as_ptr().cast() }
}

/// Whether this is the value of the probe's signal. Async-signal-safe.
pub(super) fn is_probe(value: libc::sigval) -> bool {
    value.sival_ptr == probe_value().sival_ptr
}

/// What the probe has found.
pub(super) fn rseq() -> Rseq {
    // SAFETY: the module's invariant.
    unsafe { RSEQ.load(Ordering::Acquire).as_ref() }.copied().unwrap_or(Rseq::NotTried)
}

pub(super) fn found(rseq: Rseq) {
    RSEQ.store(Box::into_raw(Box::new(rseq)), Ordering::Release);
}

/// Why the environment's choice of a backend was not taken.
pub(super) fn ignored() -> Option<String> {
    // SAFETY: the module's invariant.
    unsafe { IGNORED.load(Ordering::Acquire).as_ref() }.cloned()
}

/// Told by the first marked call, which has no caller to hand an error to.
pub(super) fn ignore(why: String) {
    IGNORED.store(Box::into_raw(Box::new(why)), Ordering::Release);
}
