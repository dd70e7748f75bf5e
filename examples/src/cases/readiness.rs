//! Waiting for a descriptor: `#[blocking(readable)]`, `#[blocking(writable)]`,
//! and system calls by number.

use super::ends::Shared;
use super::stream::keeping;
use super::{Case, Fixture, Outcome, expect, write};
use core::ffi::c_long;
use core::time::Duration;
use libc::SYS_ppoll;
use rustix::event::{EventfdFlags, eventfd};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use stopruntime::private::readable;
use stopruntime::sys::syscall_or_stop;

pub(super) const CASES: &[Case] = &[
    Case::new("#[blocking(readable)] (eventfd)", &[SYS_ppoll], || {
        event(|file| read_when(readable(file).map(Ok), file))
    }),
    Case::new("#[blocking(readable)] (timerfd)", &[SYS_ppoll], timer),
    Case::new("#[blocking(readable)] (terminal)", &[SYS_ppoll], terminal),
    Case::new("#[blocking(writable)] (pipe)", &[SYS_ppoll], write::when_writable),
    #[cfg(target_arch = "x86_64")]
    Case::new("sys::syscall_or_stop(SYS_poll)", &[libc::SYS_poll], || {
        const FOREVER: usize = (-1_isize).cast_unsigned();
        event(|file| by_number(libc::SYS_poll, [FOREVER, 0, 0], file))
    }),
    Case::new("sys::syscall_or_stop(SYS_ppoll)", &[SYS_ppoll], || {
        event(|file| by_number(SYS_ppoll, [0; 3], file))
    }),
];

/// The plain read after the wait, with what it says.
fn read_when(wait: Result<io::Result<()>, stopruntime::Stopped>, file: &OwnedFd) -> Outcome {
    Outcome::of(wait, |()| read(file))
}

fn read(file: &OwnedFd) -> io::Result<String> {
    let mut buffer = [0; 64];
    let length = rustix::io::read(file, &mut buffer)?;
    Ok(match buffer[..length].first_chunk() {
        Some(number) if length == size_of::<u64>() => u64::from_ne_bytes(*number).to_string(),
        _ => super::text(&buffer[..length]),
    })
}

fn waiting(
    file: OwnedFd,
    feed: impl FnOnce(&OwnedFd) -> io::Result<String> + Send + 'static,
    mut call: impl FnMut(&OwnedFd) -> Outcome + Send + 'static,
) -> Fixture {
    let file = std::sync::Arc::new(file);
    let (source, plain, left) = (file.clone(), file.clone(), Shared::new(file.clone()));
    Fixture {
        marked: Box::new(move || call(&file)),
        feed: Box::new(move || feed(&source)),
        plain: Box::new(move |_| read(&plain)),
        verify: Box::new(move |_| {
            let more = super::ends::nonblocking(&mut *left.lock(), |file| read(file));
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
    Ok(waiting(file, feed, |file| read_when(readable(file).map(Ok), file)))
}

fn terminal() -> io::Result<Fixture> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    let path = std::ffi::OsStr::from_bytes(name.as_bytes());
    let terminal = OpenOptions::new().read(true).write(true).open(path)?;
    let hung_up_last = master.try_clone()?;
    let feed = move |_: &OwnedFd| {
        rustix::io::write(&master, b"a line\n")?;
        Ok("a line".into())
    };
    let fixture = waiting(terminal.into(), feed, |file| read_when(readable(file).map(Ok), file));
    Ok(keeping(fixture, hung_up_last))
}

/// `poll` and `ppoll` take the descriptor and their time-out in the same order.
/// Both end at a foreign signal, as they do unmarked (signal(7)): the caller
/// goes on waiting.
fn by_number(number: c_long, [a, b, c]: [usize; 3], file: &OwnedFd) -> Outcome {
    let mut entry = libc::pollfd { fd: file.as_fd().as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let args = [&raw mut entry as usize, 1, a, b, c, 0];
    loop {
        // SAFETY: one entry, which outlives the call; the time-out is a number
        // for `poll` and null for `ppoll`, and so is the mask.
        let ready = unsafe { syscall_or_stop(number, args) };
        let ready = ready.map(|ready| match ready {
            1 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        });
        if !matches!(&ready, Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted) {
            return read_when(ready, file);
        }
    }
}
