//! The rules of poll(2) and select(2): what is ready is reported, and if nothing
//! is, the sockets and pipes are, so that the call that follows fails.
//!
//! An error of these calls would be worse: event loops abort, or panic.
//!
//! # Safety
//!
//! The invariant of this module: where something is written for the foreign code, the
//! kernel has just accepted the same place, or has written there.

#![allow(unsafe_code)]

use super::kernel::{CANCELED, copy_in, given, plain, time};
use super::look::{Kind, kind};
use super::rules::nap;
use super::verdict::{Call, Verdict};
use Verdict::Give;
use core::ffi::c_long;

#[cfg(target_arch = "x86_64")]
use libc::{SYS_poll as POLL, SYS_select as SELECT};
/// No number.
#[cfg(not(target_arch = "x86_64"))]
const POLL: c_long = -2;
#[cfg(not(target_arch = "x86_64"))]
const SELECT: c_long = -3;

const NONE: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 0 };

pub(super) fn is_reported(kind: Kind) -> bool {
    matches!(kind, Kind::Socket | Kind::Pipe)
}

/// Whether the time that [one of these](is_one) has is one of no length; `None` if it has none.
fn time_of(number: c_long, args: &[usize; 6]) -> Option<bool> {
    match number {
        POLL => Some(args[2] as i32).filter(|time| *time >= 0).map(|time| time == 0),
        libc::SYS_ppoll => time(args[2]),
        // A timeval or a timespec: both are two words.
        _ => time(args[4]),
    }
}

/// Whether this is [one](is_one) that does not wait.
pub(super) fn is_at_once(number: c_long, args: &[usize; 6]) -> bool {
    is_one(number) && time_of(number, args) == Some(true)
}

pub(super) fn poll(call: &Call<'_>) -> Verdict {
    let [entries, count, ..] = call.args;
    let time = time_of(call.number, &call.args);
    // Without the mask, which may block SIGSYS.
    let none = NONE;
    let args = [entries, count, &raw const none as usize, 0, 0];
    // SAFETY: the same call, which does not wait.
    let raw = unsafe { plain(libc::SYS_ppoll, args) };
    if time == Some(true) || raw != 0 {
        return Give(raw);
    }
    let mut waits = Waits::new();
    let mut reported = 0;
    for index in 0..count {
        let entry = entries as *mut libc::pollfd;
        // SAFETY: the kernel has read and written each of them.
        let entry = unsafe { &mut *entry.add(index) };
        if entry.fd < 0 {
            continue;
        }
        let kind = kind(entry.fd as usize);
        waits.see(kind);
        if call.sees_all && is_reported(kind) {
            let asked = libc::POLLIN | libc::POLLOUT | libc::POLLRDNORM | libc::POLLWRNORM;
            entry.revents = entry.events & asked | libc::POLLERR | libc::POLLHUP;
            reported += 1;
        }
    }
    Give(if reported > 0 { reported } else { waits.paced(time.is_some(), call) })
}

/// What a poll or select waits for that reports nothing.
struct Waits {
    any: bool,
    ends: bool,
}

impl Waits {
    fn new() -> Waits {
        Waits { any: false, ends: false }
    }

    fn see(&mut self, kind: Kind) {
        self.any = true;
        self.ends |= kind != Kind::Nameless;
    }

    /// A wait for a terminal or another device fails. One for what has no name alone, an
    /// eventfd above all, is an event loop's: those take `EINTR`, and abort the process for
    /// another error. `None` is `EINTR`.
    fn result(&self, timed: bool) -> Option<isize> {
        // mutant: poll-of-eventfds-is-interrupted
        if self.ends { Some(CANCELED) } else { (!self.any && timed).then_some(0) }
    }

    /// The same, and a loop of them does not spin.
    fn paced(&self, timed: bool, call: &Call<'_>) -> isize {
        let result = self.result(timed);
        if result != Some(CANCELED) {
            nap(call);
        }
        result.unwrap_or(-(libc::EINTR as isize))
    }
}

pub(super) fn is_one(number: c_long) -> bool {
    [POLL, SELECT, libc::SYS_ppoll, libc::SYS_pselect6].contains(&number)
}

/// What [one of them](is_one) says in the place of `EINTR`.
pub(super) fn interrupted(number: c_long, args: &[usize; 6]) -> Option<isize> {
    let [first, second, ..] = *args;
    if is_at_once(number, args) {
        // Its number was guessed. Nothing is ready: a poll has said so in each entry; a select
        // has not in its sets.
        return [POLL, libc::SYS_ppoll].contains(&number).then_some(0);
    }
    let mut waits = Waits::new();
    match number {
        POLL | libc::SYS_ppoll => {
            for index in 0..second {
                match given::<libc::pollfd>(first + index * size_of::<libc::pollfd>()) {
                    Some(entry) if entry.fd >= 0 => waits.see(kind(entry.fd as usize)),
                    Some(_) => {}
                    None => break,
                }
            }
        }
        _ => {
            for word in 0..first.min(MOST).div_ceil(64) {
                let asked = [1, 2, 3].map(|set| given::<u64>(args[set] + word * 8));
                let asked = asked.into_iter().flatten().fold(0, |all, set| all | set);
                for bit in (0..64).filter(|bit| asked & 1 << bit != 0) {
                    waits.see(kind(word * 64 + bit));
                }
            }
        }
    }
    waits.result(time_of(number, args).is_some())
}

/// The descriptors of the sets that a select can have here; with more it fails.
const MOST: usize = 4096;
type Set = [u64; MOST / 64];

pub(super) fn select(call: &Call<'_>) -> Verdict {
    let [count, places @ .., timeout, _] = call.args;
    let places: [usize; 3] = places;
    let time = time(timeout);
    let none = NONE;
    let args = [count, places[0], places[1], places[2], &raw const none as usize, 0];
    // SAFETY: the same call, which does not wait, without the mask.
    let made = || unsafe { plain(libc::SYS_pselect6, args) };
    if time == Some(true) {
        return Give(made());
    }
    let words = count.div_ceil(64);
    if count > MOST {
        return Give(CANCELED);
    }
    let mut asked: [Set; 3] = [[0; MOST / 64]; 3];
    for (set, place) in asked.iter_mut().zip(places) {
        // SAFETY: a set has room for so many words.
        if place != 0 && !unsafe { copy_in(place, set.as_mut_ptr().cast(), words * 8) } {
            return Give(-(libc::EFAULT as isize));
        }
    }
    let raw = made();
    if raw != 0 {
        return Give(raw);
    }
    let mut waits = Waits::new();
    let mut reported = 0;
    for (which, (set, place)) in asked.iter().zip(places).enumerate() {
        for descriptor in 0..count {
            let bit = set[descriptor / 64] & 1 << (descriptor % 64);
            if bit == 0 {
                continue;
            }
            let kind = kind(descriptor);
            waits.see(kind);
            // Not as an exception.
            if call.sees_all && which < 2 && is_reported(kind) {
                // SAFETY: the kernel has just written this set.
                unsafe { *(place as *mut u64).add(descriptor / 64) |= bit };
                reported += 1;
            }
        }
    }
    if reported > 0 {
        return Give(reported);
    }
    for (set, place) in asked.iter().zip(places).filter(|(_, place)| *place != 0) {
        // An error leaves the sets as they were.
        // SAFETY: as above.
        unsafe { core::ptr::copy_nonoverlapping(set.as_ptr(), place as *mut u64, words) };
    }
    Give(waits.paced(time.is_some(), call))
}
