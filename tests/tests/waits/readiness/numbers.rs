//! Descriptors that the kernel makes up, by the types of the crate nix:
//! eventfd(2), `timerfd_create(2)`, signalfd(2), inotify(7).

use crate::readiness::phases::{Subject, phases};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use std::time::Duration;
use stop_tests::directory::Directory;
use stop_tests::per_backend;
use stopruntime::stoppable;

// ---- eventfd ----

#[stoppable]
fn count(event: &EventFd) -> Option<String> {
    #[blocking(readable)]
    let number = event.read().unwrap();
    Some(number.to_string())
}

#[stoppable]
fn add(event: &EventFd) -> Option<String> {
    #[blocking(writable)]
    let length = event.write(1).unwrap();
    Some(length.to_string())
}

/// As much as it holds: another 1 has to wait. eventfd(2).
const FULL: u64 = u64::MAX - 1;

fn event(number: u64) -> EventFd {
    let event = EventFd::from_flags(EfdFlags::EFD_CLOEXEC).unwrap();
    if number > 0 {
        event.write(number).unwrap();
    }
    event
}

// ---- timerfd ----

#[stoppable]
fn expire(timer: &TimerFd) -> Option<String> {
    #[blocking(readable)]
    timer.wait().unwrap();
    Some("expired".into())
}

fn expire_plainly(timer: &TimerFd) -> String {
    timer.wait().unwrap();
    "expired".into()
}

fn ring(timer: &TimerFd, _: i32) {
    let soon = Expiration::OneShot(Duration::from_nanos(1).into());
    timer.set(soon, TimerSetTimeFlags::empty()).unwrap();
}

// ---- signalfd ----

const SIGNAL: Signal = Signal::SIGUSR2;

/// Call it before the signal is sent.
fn block() {
    SigSet::from(SIGNAL).thread_block().unwrap();
}

#[stoppable]
fn take(signals: &SignalFd) -> Option<String> {
    #[blocking(readable)]
    let taken = signals.read_signal().unwrap();
    taken.map(|signal| signal.ssi_signo.to_string())
}

fn take_plainly(signals: &SignalFd) -> String {
    signals.read_signal().unwrap().map_or_else(String::new, |signal| signal.ssi_signo.to_string())
}

/// To the thread alone: the others of the process do not block it.
fn send(_: &SignalFd, thread: i32) {
    stop_tests::signals::send(thread, SIGNAL as i32);
}

// ---- inotify ----

/// A directory that is watched for new files, which a user keeps together.
struct Watched {
    inotify: Inotify,
    directory: Directory,
}

impl Watched {
    fn new() -> Watched {
        let directory = Directory::new().unwrap();
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC).unwrap();
        inotify.add_watch(directory.path(), AddWatchFlags::IN_CREATE).unwrap();
        Watched { inotify, directory }
    }

    #[stoppable]
    fn next(&self) -> Option<String> {
        #[blocking(readable = self.inotify)]
        let name = self.next_plainly();
        Some(name)
    }

    fn next_plainly(&self) -> String {
        let events = self.inotify.read_events().unwrap();
        let names = events.into_iter().filter_map(|event| event.name);
        names.map(|name| name.into_string().unwrap()).collect()
    }
}

per_backend! {
    fn an_eventfd_with_nothing_in_it() {
        let plain = |event: &EventFd| event.read().unwrap().to_string();
        phases(|| {
            Subject::new(event(0), count, plain, "7", |event, _| {
                event.write(7).unwrap();
            })
        });
    }

    fn an_eventfd_that_is_full() {
        let plain = |event: &EventFd| event.write(1).unwrap().to_string();
        phases(|| {
            Subject::new(event(FULL), add, plain, "8", |event, _| {
                assert_eq!(event.read().unwrap(), FULL);
            })
        });
    }

    fn a_timer() {
        phases(|| {
            let flags = TimerFlags::TFD_CLOEXEC;
            let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags).unwrap();
            Subject::new(timer, expire, expire_plainly, "expired", ring)
        });
    }

    fn a_signal() {
        phases(|| {
            let signals = SignalFd::with_flags(&SIGNAL.into(), SfdFlags::SFD_CLOEXEC).unwrap();
            Subject::new(signals, take, take_plainly, "12", send).preparing(block)
        });
    }

    fn a_new_file() {
        phases(|| {
            Subject::new(Watched::new(), Watched::next, Watched::next_plainly, "new", |watched, _| {
                std::fs::write(watched.directory.join("new"), "").unwrap();
            })
        });
    }
}
