//! Waiting for a signal: SIGUSR2, which has a handler that does nothing.

use super::readiness::{FOR_EVER, entry, epoll, set, waiting};
use super::{Arranged, Case, arranged, case};
use crate::thread_id;
use core::ptr::{null, null_mut};
use core::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::Arc;
use stopruntime::{Backend, Stopped, backend, sys};

const SIGNAL: i32 = libc::SIGUSR2;

extern "C" fn on_signal(_: i32) {}

/// A signal that a handler takes ends what waits.
fn handle_signal() {
    // SAFETY: a zeroed action is valid, and the handler does nothing.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = on_signal as *const () as usize;
        assert_eq!(libc::sigaction(SIGNAL, &raw const action, null_mut()), 0);
    }
}

fn empty() -> libc::sigset_t {
    // SAFETY: a local set.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        set
    }
}

fn everything() -> libc::sigset_t {
    let mut set = empty();
    // SAFETY: a local set.
    unsafe { libc::sigfillset(&raw mut set) };
    set
}

/// A wait for the signal, blocked in the thread; fed, the thread has it pending.
fn for_blocked(call: fn(*const libc::sigset_t) -> Result<i32, Stopped>) -> Arranged {
    handle_signal();
    let fed = Arc::new(AtomicBool::new(false));
    let pending = Arc::clone(&fed);
    arranged(
        move || {
            let mut set = empty();
            // SAFETY: a local set; raise sends to the calling thread.
            unsafe {
                libc::sigaddset(&raw mut set, SIGNAL);
                libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, null_mut());
                if pending.load(Ordering::SeqCst) {
                    libc::raise(SIGNAL);
                }
            }
            call(&raw const set).map(i64::from)
        },
        move || fed.store(true, Ordering::SeqCst),
    )
}

/// A wait for any signal; fed by one while it waits.
fn for_any(call: fn() -> Result<i32, Stopped>) -> Arranged {
    handle_signal();
    let thread = Arc::new(AtomicI32::new(0));
    let waits = Arc::clone(&thread);
    arranged(
        move || {
            waits.store(thread_id(), Ordering::SeqCst);
            call().map(i64::from)
        },
        move || {
            let (process, thread) = (std::process::id(), thread.load(Ordering::SeqCst));
            // SAFETY: three integers.
            let sent = unsafe { libc::syscall(libc::SYS_tgkill, process, thread, SIGNAL) };
            // A request that came meanwhile may have ended it.
            let has_ended = || std::io::Error::last_os_error().raw_os_error() == Some(libc::ESRCH);
            assert!(sent == 0 || has_ended());
        },
    )
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("pause", || for_any(made!(|| sys::pause_or_stop())))
            .waits_for_the_moment()
            .fails_with(libc::EINTR),
        case("sigsuspend", || for_blocked(made!(|_| sys::sigsuspend_or_stop(&empty()))))
            .fails_with(libc::EINTR),
        case("sigpause", || for_blocked(made!(|_| sys::sigpause_or_stop(SIGNAL))))
            .fails_with(libc::EINTR),
        case("sigwait", || {
            for_blocked(made!(|set| {
                let mut signal = 0;
                let result = sys::sigwait_or_stop(set, &raw mut signal);
                assert!(result.is_err() || signal == SIGNAL);
                result
            }))
        }),
        case("sigwaitinfo", || for_blocked(made!(|set| sys::sigwaitinfo_or_stop(set, null_mut()))))
            .gives(SIGNAL.into()),
        case("sigtimedwait", || {
            for_blocked(made!(|set| {
                let long = libc::timespec { tv_sec: 1_000, tv_nsec: 0 };
                sys::sigtimedwait_or_stop(set, null_mut(), &raw const long)
            }))
        })
        .gives(SIGNAL.into()),
    ]
}

/// Waits whose own mask would keep the stop signal out.
#[must_use]
pub fn with_full_masks() -> Vec<Case> {
    let mut cases = vec![
        case("ppoll", || {
            waiting(made!(|fd| entry(fd, |one| {
                sys::ppoll_or_stop(one, 1, null(), &everything())
            })))
        }),
        case("pselect", || {
            waiting(made!(|fd| set(fd, |set| {
                let mask = everything();
                sys::pselect_or_stop(fd + 1, set, null_mut(), null_mut(), null(), &raw const mask)
            })))
        }),
        case("epoll_pwait", || {
            waiting(made!(|fd| epoll(fd, |epoll, event| {
                let mask = everything();
                sys::epoll_pwait_or_stop(epoll, event, 1, FOR_EVER, &raw const mask)
            })))
        }),
        case("epoll_pwait2", || {
            waiting(made!(|fd| epoll(fd, |epoll, event| {
                let mask = everything();
                sys::epoll_pwait2_or_stop(epoll, event, 1, null(), &raw const mask)
            })))
        }),
        case("sigsuspend", || {
            for_any(made!(|| {
                let mask = everything();
                sys::sigsuspend_or_stop(&raw const mask)
            }))
        }),
        case("sigwaitinfo", || {
            for_any(made!(|| {
                let set = everything();
                sys::sigwaitinfo_or_stop(&raw const set, null_mut())
            }))
        }),
    ];
    if backend() == Backend::Ppoll {
        // Elsewhere a call that only a number names is made as it is.
        cases.push(case("syscall of ppoll", || {
            waiting(made!(|fd| entry(fd, |one| {
                let mask = everything();
                let args = [one as usize, 1, 0, &raw const mask as usize, 8, 0];
                sys::syscall_or_stop(libc::SYS_ppoll, args).map(|raw| raw as i32)
            })))
        }));
    }
    cases
}
