//! What would end the process, or disturb others, if a region were less careful: each has
//! ended one.

mod children;
mod handlers;
mod leaving;
mod masks;
mod stacks;
mod surroundings;

use std::mem::zeroed;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// A set of these signals.
pub(crate) fn set(signals: &[i32]) -> libc::sigset_t {
    // SAFETY: a local set, filled in.
    unsafe {
        let mut set: libc::sigset_t = zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in signals {
            libc::sigaddset(&raw mut set, *signal);
        }
        set
    }
}

pub(crate) fn all() -> libc::sigset_t {
    // SAFETY: a local set, filled in.
    unsafe {
        let mut set: libc::sigset_t = zeroed();
        libc::sigfillset(&raw mut set);
        set
    }
}

/// Changes the mask as the foreign code would; the one before.
pub(crate) fn mask(how: i32, change: &libc::sigset_t) -> libc::sigset_t {
    // SAFETY: two sets.
    unsafe {
        let mut before: libc::sigset_t = zeroed();
        assert_eq!(libc::pthread_sigmask(how, change, &raw mut before), 0);
        before
    }
}

pub(crate) fn has(set: &libc::sigset_t, signal: i32) -> bool {
    // SAFETY: a set.
    unsafe { libc::sigismember(set, signal) == 1 }
}

pub(crate) fn blocked() -> libc::sigset_t {
    mask(libc::SIG_BLOCK, &set(&[]))
}

pub(crate) fn install(signal: i32, handler: extern "C" fn(i32), mask: libc::sigset_t) {
    // SAFETY: a handler that counts, or makes a plain call.
    unsafe {
        let mut action: libc::sigaction = zeroed();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_mask = mask;
        action.sa_flags = libc::SA_RESTART;
        assert_eq!(libc::sigaction(signal, &raw const action, null_mut()), 0);
    }
}

pub(crate) fn raise(signal: i32) {
    // SAFETY: to this thread.
    unsafe { libc::pthread_kill(libc::pthread_self(), signal) };
}

pub(crate) static COUNT: AtomicU32 = AtomicU32::new(0);

pub(crate) extern "C" fn count(_: i32) {
    // A call of its own, which would be handed over.
    // SAFETY: no argument.
    unsafe { libc::syscall(libc::SYS_getppid) };
    COUNT.fetch_add(1, SeqCst);
}
