//! Readiness, time, signals and children.

use super::{Arranged, Case, arranged, case, pipe, put};
use core::ptr::{null, null_mut};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use stopruntime::{Stopped, sys};

const FOR_EVER: i32 = -1;

/// A wait for the reading end of a pipe.
fn waiting(call: fn(i32) -> Result<i32, Stopped>) -> Arranged {
    let (reader, writer) = pipe();
    arranged(
        move || call(reader.as_raw_fd()).map(i64::from),
        move || {
            put(&writer);
            std::mem::forget(writer);
        },
    )
}

fn poll(fd: i32, mask: *const libc::sigset_t, plain: bool) -> Result<i32, Stopped> {
    let mut entry = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry; the mask is null or valid.
    unsafe {
        if plain {
            sys::poll_or_stop(&raw mut entry, 1, FOR_EVER)
        } else {
            sys::ppoll_or_stop(&raw mut entry, 1, null(), mask)
        }
    }
}

fn select(fd: i32, mask: *const libc::sigset_t, plain: bool) -> Result<i32, Stopped> {
    // SAFETY: zeroed is an empty set; the mask is null or valid.
    unsafe {
        let mut set: libc::fd_set = std::mem::zeroed();
        libc::FD_SET(fd, &raw mut set);
        let set = &raw mut set;
        if plain {
            sys::select_or_stop(fd + 1, set, null_mut(), null_mut(), null_mut())
        } else {
            sys::pselect_or_stop(fd + 1, set, null_mut(), null_mut(), null(), mask)
        }
    }
}

fn epoll(
    fd: i32,
    wait: fn(i32, *mut libc::epoll_event) -> Result<i32, Stopped>,
) -> Result<i32, Stopped> {
    let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
    // SAFETY: a valid event, and a descriptor made just now.
    let epoll = unsafe {
        let epoll = OwnedFd::from_raw_fd(libc::epoll_create1(libc::EPOLL_CLOEXEC));
        assert_eq!(libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &raw mut event), 0);
        epoll
    };
    wait(epoll.as_raw_fd(), &raw mut event)
}

fn everything() -> libc::sigset_t {
    // SAFETY: a local set.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigfillset(&raw mut set);
        set
    }
}

fn sleeping(call: fn() -> Result<i32, Stopped>) -> Arranged {
    arranged(move || call().map(i64::from), || ())
}

/// A wait for SIGUSR2, blocked in the thread; fed, the thread has it pending.
fn for_signal(call: fn(*const libc::sigset_t) -> Result<i32, Stopped>) -> Arranged {
    let fed = Arc::new(AtomicBool::new(false));
    let pending = Arc::clone(&fed);
    arranged(
        move || {
            // SAFETY: a local set; raise sends to the calling thread.
            let set = unsafe {
                let mut set: libc::sigset_t = std::mem::zeroed();
                libc::sigemptyset(&raw mut set);
                libc::sigaddset(&raw mut set, libc::SIGUSR2);
                libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, null_mut());
                if pending.load(Ordering::SeqCst) {
                    libc::raise(libc::SIGUSR2);
                }
                set
            };
            call(&raw const set).map(i64::from)
        },
        move || fed.store(true, Ordering::SeqCst),
    )
}

/// A child that ends when its input does; dropped, it is gone.
struct Cat(Child);

impl Drop for Cat {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// A wait for a child; fed by its end.
fn for_child(call: fn(i32) -> Result<i32, Stopped>) -> Arranged {
    let mut command = Command::new("cat");
    let mut cat = Cat(command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap());
    let id = cat.0.id() as i32;
    arranged(
        move || call(id).map(i64::from),
        move || {
            drop(cat.0.stdin.take());
            // Until it is there to be reaped, which the call does.
            // SAFETY: zeroed is a valid siginfo.
            unsafe {
                let mut info: libc::siginfo_t = std::mem::zeroed();
                let options = libc::WEXITED | libc::WNOWAIT;
                assert_eq!(libc::waitid(libc::P_PID, id as u32, &raw mut info, options), 0);
            }
            std::mem::forget(cat);
        },
    )
}

const LONG: libc::timespec = libc::timespec { tv_sec: 1_000, tv_nsec: 0 };

pub fn cases() -> Vec<Case> {
    vec![
        case("poll", || waiting(|fd| poll(fd, null(), true))),
        case("ppoll", || waiting(|fd| poll(fd, null(), false))),
        case("select", || waiting(|fd| select(fd, null(), true))),
        case("pselect", || waiting(|fd| select(fd, null(), false))),
        case("epoll_wait", || {
            waiting(|fd| {
                epoll(fd, |epoll, event| {
                    // SAFETY: one event.
                    unsafe { sys::epoll_wait_or_stop(epoll, event, 1, FOR_EVER) }
                })
            })
        }),
        case("epoll_pwait", || {
            waiting(|fd| {
                epoll(fd, |epoll, event| {
                    // SAFETY: one event.
                    unsafe { sys::epoll_pwait_or_stop(epoll, event, 1, FOR_EVER, null()) }
                })
            })
        }),
        case("epoll_pwait2", || {
            waiting(|fd| {
                epoll(fd, |epoll, event| {
                    // SAFETY: one event.
                    unsafe { sys::epoll_pwait2_or_stop(epoll, event, 1, null(), null()) }
                })
            })
        }),
        case("sigwait", || {
            for_signal(|set| {
                let mut signal = 0;
                // SAFETY: a valid set and place.
                unsafe { sys::sigwait_or_stop(set, &raw mut signal) }
            })
        }),
        case("sigwaitinfo", || {
            for_signal(|set| {
                // SAFETY: a valid set.
                unsafe { sys::sigwaitinfo_or_stop(set, null_mut()) }
            })
        }),
        case("sigtimedwait", || {
            for_signal(|set| {
                // SAFETY: a valid set and time.
                unsafe { sys::sigtimedwait_or_stop(set, null_mut(), &LONG) }
            })
        }),
        case("waitpid", || {
            for_child(|id| {
                // SAFETY: no status.
                unsafe { sys::waitpid_or_stop(id, null_mut(), 0) }
            })
        }),
        case("wait4", || {
            for_child(|id| {
                // SAFETY: no status, no usage.
                unsafe { sys::wait4_or_stop(id, null_mut(), 0, null_mut()) }
            })
        }),
        case("waitid", || {
            for_child(|id| {
                // SAFETY: no info.
                unsafe { sys::waitid_or_stop(libc::P_PID, id as u32, null_mut(), libc::WEXITED) }
            })
        }),
        case("waitid (any)", || {
            for_child(|_| {
                // SAFETY: no info.
                unsafe { sys::waitid_or_stop(libc::P_ALL, 0, null_mut(), libc::WEXITED) }
            })
        })
        .not_on_ppoll(),
        case("wait", || {
            for_child(|_| {
                // SAFETY: no status.
                unsafe { sys::wait_or_stop(null_mut()) }
            })
        })
        .not_on_ppoll(),
    ]
}

/// Calls that nothing but time or a signal ends: before and during only.
pub fn endless() -> Vec<Case> {
    vec![
        case("pause", || {
            sleeping(|| {
                // SAFETY: takes no argument.
                unsafe { sys::pause_or_stop() }
            })
        }),
        case("sigsuspend", || {
            sleeping(|| {
                // SAFETY: zeroed is an empty set.
                unsafe { sys::sigsuspend_or_stop(&std::mem::zeroed()) }
            })
        }),
        case("nanosleep", || {
            sleeping(|| {
                // SAFETY: a valid time.
                unsafe { sys::nanosleep_or_stop(&LONG, null_mut()) }
            })
        }),
        case("clock_nanosleep", || {
            sleeping(|| {
                // SAFETY: a valid time.
                unsafe { sys::clock_nanosleep_or_stop(libc::CLOCK_BOOTTIME, 0, &LONG, null_mut()) }
            })
        }),
        case("sleep", || {
            sleeping(|| {
                // SAFETY: a number.
                unsafe { sys::sleep_or_stop(1_000) }.map(|left| left as i32)
            })
        }),
        case("usleep", || {
            sleeping(|| {
                // SAFETY: a number.
                unsafe { sys::usleep_or_stop(u32::MAX) }
            })
        }),
    ]
}

pub fn with_full_masks() -> Vec<Case> {
    vec![
        case("ppoll, full mask", || waiting(|fd| poll(fd, &everything(), false))),
        case("pselect, full mask", || waiting(|fd| select(fd, &everything(), false))),
        case("epoll_pwait, full mask", || {
            waiting(|fd| {
                epoll(fd, |epoll, event| {
                    // SAFETY: one event and a valid mask.
                    unsafe { sys::epoll_pwait_or_stop(epoll, event, 1, FOR_EVER, &everything()) }
                })
            })
        }),
        case("sigsuspend, full mask", || {
            sleeping(|| {
                // SAFETY: a valid mask.
                unsafe { sys::sigsuspend_or_stop(&everything()) }
            })
        }),
        case("sigwaitinfo, full set", || {
            sleeping(|| {
                // SAFETY: a valid set.
                unsafe { sys::sigwaitinfo_or_stop(&everything(), null_mut()) }
            })
        }),
    ]
}
