//! The rule of epoll(7): as in [`readiness`](super::readiness).
//!
//! # Safety
//!
//! The invariant of this module: where something is written for the foreign code, the
//! kernel has just accepted the same place.

#![allow(unsafe_code)]

use super::kernel::{plain, time};
use super::look::kind;
use super::readiness::is_reported;
use super::verdict::{Call, Verdict};
use Verdict::{Give, Run};

pub(super) fn wait(call: &Call<'_>) -> Verdict {
    let [instance, events, count, timeout, ..] = call.args;
    if !call.sees_all {
        return Run;
    }
    let at_once = if call.number == libc::SYS_epoll_pwait2 {
        time(timeout) == Some(true)
    } else {
        timeout as i32 == 0
    };
    // SAFETY: the same call, which does not wait, without the mask.
    let raw = unsafe { plain(libc::SYS_epoll_pwait, [instance, events, count, 0, 0, 8]) };
    if at_once || raw != 0 {
        return Give(raw);
    }
    match members(instance, events as *mut libc::epoll_event, count) {
        // Timers alone, or no /proc: an error here ends event loops.
        0 => Run,
        reported => Give(reported),
    }
}

/// Reports the sockets and pipes of an instance, as `/proc/self/fdinfo` says.
#[inline(never)]
fn members(instance: usize, events: *mut libc::epoll_event, count: usize) -> isize {
    let mut text = [0_u8; 2048];
    let length = information(instance, &mut text);
    let mut reported = 0;
    let mut rest = &text[..length];
    while reported < count
        && let Some((descriptor, asked, data, after)) = next_member(rest)
    {
        rest = after;
        if !is_reported(kind(descriptor)) {
            continue;
        }
        let asked =
            asked as u32 & (libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP).cast_unsigned();
        let event = libc::epoll_event {
            events: asked | (libc::EPOLLERR | libc::EPOLLHUP).cast_unsigned(),
            u64: data,
        };
        // SAFETY: the caller has given room for `count` of them; the kernel has checked.
        unsafe { events.add(reported).write_unaligned(event) };
        reported += 1;
    }
    reported.cast_signed()
}

fn information(instance: usize, text: &mut [u8]) -> usize {
    let mut path = *b"/proc/self/fdinfo/\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let mut digits = 1;
    while instance / 10_usize.pow(digits) != 0 && digits < 9 {
        digits += 1;
    }
    for digit in 0..digits {
        path[18 + digit as usize] = b'0' + (instance / 10_usize.pow(digits - 1 - digit) % 10) as u8;
    }
    let flags = (libc::O_RDONLY | libc::O_CLOEXEC) as usize;
    let at = libc::AT_FDCWD as usize;
    // SAFETY: a path that ends with 0.
    let file = unsafe { plain(libc::SYS_openat, [at, path.as_ptr() as usize, flags, 0]) };
    if file < 0 {
        return 0;
    }
    let file = file.cast_unsigned();
    let mut length = 0;
    while length < text.len() {
        let rest = &mut text[length..];
        // SAFETY: room for so many bytes.
        let read = unsafe { plain(libc::SYS_read, [file, rest.as_mut_ptr() as usize, rest.len()]) };
        if read <= 0 {
            break;
        }
        length += read.cast_unsigned();
    }
    // SAFETY: opened above.
    unsafe { plain(libc::SYS_close, [file]) };
    length
}

/// `tfd: 5 events: 19 data: 5 …`: descriptor, events, data, and what follows.
fn next_member(text: &[u8]) -> Option<(usize, u64, u64, &[u8])> {
    let (descriptor, text) = number(after(text, b"tfd:")?, 10)?;
    let (events, text) = number(after(text, b"events:")?, 16)?;
    let (data, text) = number(after(text, b"data:")?, 16)?;
    Some((descriptor as usize, events, data, text))
}

fn after<'text>(text: &'text [u8], word: &[u8]) -> Option<&'text [u8]> {
    let at = text.windows(word.len()).position(|window| window == word)?;
    Some(&text[at + word.len()..])
}

fn number(text: &[u8], radix: u64) -> Option<(u64, &[u8])> {
    let start = text.iter().position(|byte| *byte != b' ')?;
    let text = &text[start..];
    let digit = |byte: &u8| (*byte as char).to_digit(radix as u32).map(u64::from);
    let end = text.iter().position(|byte| digit(byte).is_none()).unwrap_or(text.len());
    let value = text[..end].iter().filter_map(digit);
    Some((
        value.fold(0, |value, digit| value.wrapping_mul(radix).wrapping_add(digit)),
        &text[end..],
    ))
}
