//! Waiting for a descriptor: `#[blocking(readable)]`, `#[blocking(writable)]`,
//! and system calls by number.

use super::ends::Shared;
use super::stream::{self, keeping};
use super::{Case, Fixture, Outcome, ends, expect, until_not_interrupted, write};
use core::ffi::c_long;
use core::time::Duration;
use libc::{SYS_ppoll, SYS_read};
use rustix::event::{EventfdFlags, eventfd};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use stopruntime::Stopped;
use stopruntime::expansion::{Descriptor as _, Ready};
use stopruntime::sys::syscall_or_stop;

pub(super) const CASES: &[Case] = &[
    Case::new("#[blocking(readable)] (eventfd)", &[SYS_ppoll], || {
        event(|file| read_when((&&&Ready(file)).readable().map(Ok), file))
    }),
    Case::new("#[blocking(readable)] (timerfd)", &[SYS_ppoll], timer),
    Case::new("#[blocking(readable)] (terminal)", &[SYS_ppoll], || {
        typed(|file| read_when((&&&Ready(file)).readable().map(Ok), file))
    }),
    Case::new("File::read (terminal)", &[SYS_read], || typed(|file| stream::read(&mut &*file))),
    Case::new("#[blocking(writable)] (pipe)", &[SYS_ppoll], write::when_writable),
    #[cfg(target_arch = "x86_64")]
    Case::new("sys::syscall_or_stop(SYS_poll)", &[libc::SYS_poll], || {
        const FOREVER: usize = (-1_isize).cast_unsigned();
        event(|file| by_number(libc::SYS_poll, [FOREVER, 0, 0], file))
    })
    .on_ppoll(&[SYS_ppoll]),
    Case::new("sys::syscall_or_stop(SYS_ppoll)", &[SYS_ppoll], || {
        event(|file| by_number(SYS_ppoll, [0; 3], file))
    }),
];

/// The plain read after the wait, with what it says.
fn read_when(wait: Result<io::Result<()>, Stopped>, file: impl AsFd) -> Outcome {
    Outcome::of(wait, |()| read(file))
}

fn read(file: impl AsFd) -> io::Result<String> {
    let mut buffer = [0; 64];
    let length = rustix::io::read(file, &mut buffer)?;
    Ok(match buffer[..length].first_chunk() {
        Some(number) if length == size_of::<u64>() => u64::from_ne_bytes(*number).to_string(),
        _ => super::text(&buffer[..length]),
    })
}

fn waiting<F: AsFd + Send + Sync + 'static>(
    file: F,
    feed: impl FnOnce(&F) -> io::Result<String> + Send + 'static,
    mut call: impl FnMut(&F) -> Outcome + Send + 'static,
) -> Fixture {
    let file = Arc::new(file);
    let (source, plain, left) = (file.clone(), file.clone(), Shared::new(file.clone()));
    Fixture {
        marked: Box::new(move || call(&file)),
        feed: Box::new(move || feed(&source)),
        plain: Box::new(move |_| read(&*plain)),
        verify: Box::new(move |_| {
            let more = ends::nonblocking(&mut *left.lock(), |file| read(file));
            let none = matches!(&more, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
            expect(none, || format!("left over: {more:?}"))
        }),
        keep: Box::new(()),
    }
}

fn event(call: fn(&OwnedFd) -> Outcome) -> io::Result<Fixture> {
    let file = eventfd(0, EventfdFlags::CLOEXEC)?;
    let feed = |file: &OwnedFd| {
        rustix::io::write(file, &7_u64.to_ne_bytes())?;
        Ok("7".into())
    };
    Ok(waiting(file, feed, call))
}

fn timer() -> io::Result<Fixture> {
    let file = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?;
    let feed = |file: &OwnedFd| {
        let soon = Timespec::try_from(Duration::from_nanos(1)).map_err(io::Error::other)?;
        let never = Timespec { tv_sec: 0, tv_nsec: 0 };
        let once = Itimerspec { it_interval: never, it_value: soon };
        timerfd_settime(file, TimerfdTimerFlags::empty(), &once)?;
        Ok("1".into())
    };
    Ok(waiting(file, feed, |file| read_when((&&&Ready(file)).readable().map(Ok), file)))
}

/// `file` and `call` are the terminal's side.
fn typed(call: fn(&File) -> Outcome) -> io::Result<Fixture> {
    let (master, terminal) = ends::terminal()?;
    // Hung up before the call it would take the line with it.
    let hung_up_last = master.file().try_clone()?;
    let feed = move |_: &File| {
        rustix::io::write(master.file(), b"a line\n")?;
        Ok("a line".into())
    };
    Ok(keeping(waiting(terminal, feed, call), hung_up_last))
}

/// `poll` and `ppoll` take the descriptor and their time-out in the same order.
fn by_number(number: c_long, [a, b, c]: [usize; 3], file: &OwnedFd) -> Outcome {
    let mut entry = libc::pollfd { fd: file.as_fd().as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let args = [&raw mut entry as usize, 1, a, b, c, 0];
    until_not_interrupted(|| {
        // SAFETY: one entry, which outlives the call; the time-out is a number
        // for `poll` and null for `ppoll`, and so is the mask.
        let ready = unsafe { syscall_or_stop(number, args) };
        let ready = ready.map(|ready| match ready {
            1 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        });
        read_when(ready, file)
    })
}
