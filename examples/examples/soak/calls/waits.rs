//! Sleeping and waiting for readiness: a sleep that says it is over is, and an
//! event is reported once or still there.

use super::Call;
use crate::bout::{Bout, Outcome};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, epoll, eventfd};
use rustix::io::Errno;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use stopruntime::{Stopped, ext, sys};

pub(super) const CALLS: &[Call] = &[
    Call::new("sleep", |bout| {
        sleep(bout, ext::sleep_or_stop);
        Ok(())
    }),
    Call::new("poll", |bout| {
        poll(bout, |entry| {
            let entry = core::ptr::from_mut(entry).cast();
            // SAFETY: one entry, which outlives the call; rustix has the kernel's type.
            let ready = unsafe { sys::poll_or_stop(entry, 1, -1)? };
            Ok(usize::try_from(ready).map_err(|_| io::Error::last_os_error()))
        })
    }),
    Call::new("epoll_wait", epoll_wait),
];

pub(super) fn sleep(bout: &mut Bout, sleep: fn(Duration) -> Result<(), Stopped>) {
    let (slept, early) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    while bout.goes_on() {
        let mut targets = Vec::new();
        for _ in 0..bout.random.u8(1..5) {
            let (slept, early) = (Arc::clone(&slept), Arc::clone(&early));
            targets.push(bout.start(move |aside| {
                loop {
                    let long = aside.random().bool();
                    let time = aside.random().u64(0..if long { 3_600_000_000_000 } else { 60_000 });
                    let (start, time) = (Instant::now(), Duration::from_nanos(time));
                    let Ok(()) = sleep(time) else { return Ok(()) };
                    early.fetch_add((start.elapsed() < time).into(), Ordering::Relaxed);
                    slept.fetch_add(1, Ordering::Relaxed);
                    aside.look();
                }
            }));
        }
        bout.stop_all(targets);
    }
    bout.tally.effects += slept.load(Ordering::Relaxed);
    bout.balance("sleeps that were cut short", 0, early.load(Ordering::Relaxed));
}

/// Several threads wait for what an eventfd counts, and take one each.
pub(super) fn poll(bout: &mut Bout, poll: fn(&mut PollFd<'_>) -> Outcome<usize>) -> io::Result<()> {
    let flags = EventfdFlags::SEMAPHORE | EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC;
    let events = Arc::new(eventfd(0, flags)?);
    let taken = Arc::new(AtomicU64::new(0));
    let mut given = 0;
    while bout.goes_on() {
        let mut targets = Vec::new();
        for _ in 0..bout.random.u8(1..5) {
            let (events, taken) = (Arc::clone(&events), Arc::clone(&taken));
            targets.push(bout.start(move |aside| {
                loop {
                    let mut entry = PollFd::new(&*events, PollFlags::IN);
                    let Ok(ready) = poll(&mut entry) else { return Ok(()) };
                    if ready? != 1 {
                        return Err(io::Error::other("poll ended with nothing ready"));
                    }
                    match rustix::io::read(&*events, &mut [0; 8]) {
                        Ok(_) => drop(taken.fetch_add(1, Ordering::Relaxed)),
                        // Another one was faster.
                        Err(Errno::AGAIN) => {}
                        Err(error) => return Err(error.into()),
                    }
                    aside.look();
                }
            }));
        }
        for _ in 0..bout.random.u8(0..4) {
            bout.pause();
            rustix::io::write(&*events, &1_u64.to_ne_bytes())?;
            given += 1;
        }
        bout.stop_all(targets);
    }
    if bout.gave_up() {
        return Ok(());
    }
    let mut left = 0;
    while rustix::io::read(&*events, &mut [0; 8]).is_ok() {
        left += 1;
    }
    bout.tally.effects += taken.load(Ordering::Relaxed);
    bout.balance("events", given, taken.load(Ordering::Relaxed) + left);
    Ok(())
}

/// Edge-triggered: that an event is reported once is the effect of the call.
fn epoll_wait(bout: &mut Bout) -> io::Result<()> {
    let events = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
    let set = Arc::new(epoll::create(epoll::CreateFlags::CLOEXEC)?);
    let flags = epoll::EventFlags::IN | epoll::EventFlags::ET;
    epoll::add(&*set, &events, epoll::EventData::new_u64(7), flags)?;
    let reported = Arc::new(AtomicU64::new(0));
    while bout.goes_on() {
        let before = reported.load(Ordering::Relaxed);
        let mut targets = Vec::new();
        for _ in 0..bout.random.u8(1..5) {
            let (set, reported) = (Arc::clone(&set), Arc::clone(&reported));
            targets.push(bout.start(move |aside| {
                loop {
                    let mut event = libc::epoll_event { events: 0, u64: 0 };
                    // SAFETY: room for one event, which outlives the call.
                    let result =
                        unsafe { sys::epoll_wait_or_stop(set.as_raw_fd(), &raw mut event, 1, -1) };
                    let Ok(count) = result else { return Ok(()) };
                    if count < 0 {
                        return Err(io::Error::last_os_error());
                    }
                    if count != 1 || { event.u64 } != 7 {
                        return Err(io::Error::other("epoll_wait ended without the event"));
                    }
                    reported.fetch_add(1, Ordering::Relaxed);
                    aside.look();
                }
            }));
        }
        let given = u64::from(bout.random.u8(0..4) != 0);
        if given == 1 {
            bout.pause();
            rustix::io::write(&events, &1_u64.to_ne_bytes())?;
        }
        bout.stop_all(targets);
        if bout.gave_up() {
            return Ok(());
        }
        let mut left = [epoll::Event { flags, data: epoll::EventData::new_u64(0) }];
        let left = epoll::wait(&*set, &mut left, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))?;
        let seen = reported.load(Ordering::Relaxed) - before;
        bout.balance("edges", given, seen + left as u64);
        rustix::io::read(&events, &mut [0; 8]).map(drop).or_else(|error| match error {
            Errno::AGAIN => Ok(()),
            error => Err(error),
        })?;
    }
    bout.tally.effects += reported.load(Ordering::Relaxed);
    Ok(())
}
