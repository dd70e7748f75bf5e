//! The rules of the [table](super::table).
//!
//! # Safety
//!
//! The invariant of this module: a rule makes the call that it was asked about in a form
//! that does not wait, or calls with places of its own.

#![allow(unsafe_code)]

use super::at_once;
use super::kernel::{AGAIN, CANCELED, given, plain, put, time};
use super::look::{Kind, is_connected, is_nonblocking, is_ready, kind, leads_to_pipe, option};
use super::refusal::refusal;
use super::verdict::{Call, Verdict};
use core::sync::atomic::Ordering::Relaxed;

use Verdict::{Give, Run, RunForNow, RunWith};

/// What may be sent after the stop: goodbyes.
const GRACE: usize = 64 * 1024;

pub(super) fn run(_: &Call<'_>) -> Verdict {
    Run
}

pub(super) fn run_for_now(_: &Call<'_>) -> Verdict {
    RunForNow
}

pub(super) fn cancel(call: &Call<'_>) -> Verdict {
    Give(refusal(call.region, call.number, &call.args))
}

pub(super) fn wait(call: &Call<'_>) -> Verdict {
    // mutant: wait-of-no-time-runs
    run_or_cancel(at_once::is(call))
}

pub(super) fn interrupt(_: &Call<'_>) -> Verdict {
    Give(-(libc::EINTR as isize))
}

fn run_or_cancel(runs: bool) -> Verdict {
    if runs { Run } else { Give(CANCELED) }
}

pub(super) fn read(call: &Call<'_>) -> Verdict {
    let descriptor = call.args[0];
    match kind(descriptor) {
        Kind::File => Run,
        // mutant: netlink-with-data-is-read
        Kind::Socket if is_netlink(descriptor) && is_ready(descriptor, libc::POLLIN) => Run,
        // Found there again and again, it is ended all the same.
        // mutant: timer-lets-data-be-read
        _ if !call.sees_all && is_ready(descriptor, libc::POLLIN) => RunForNow,
        Kind::Socket => cancel(call),
        Kind::Pipe => run_or_cancel(at_once::is(call) && is_ready(descriptor, libc::POLLIN)),
        Kind::Device | Kind::Nameless => {
            run_or_cancel(at_once::is(call) || is_ready(descriptor, libc::POLLIN))
        }
    }
}

fn is_netlink(socket: usize) -> bool {
    option(socket, libc::SO_DOMAIN) == libc::AF_NETLINK
}

pub(super) fn write(call: &Call<'_>) -> Verdict {
    const ROOM: usize = 4096;
    let [descriptor, buffer, length, ..] = call.args;
    match kind(descriptor) {
        Kind::Socket if call.number == libc::SYS_write => {
            let flags = libc::MSG_DONTWAIT as usize;
            grace(call, || {
                // SAFETY: what write(2) is of a socket.
                unsafe { plain(libc::SYS_sendto, [descriptor, buffer, length, flags, 0, 0]) }
            })
        }
        Kind::Socket if call.number == libc::SYS_writev => {
            // SAFETY: zeroed is a message of nothing.
            let mut message: libc::msghdr = unsafe { core::mem::zeroed() };
            message.msg_iov = buffer as *mut _;
            message.msg_iovlen = length as _;
            let place = &raw const message as usize;
            let flags = libc::MSG_DONTWAIT as usize;
            grace(call, || {
                // SAFETY: what writev(2) is of a socket.
                unsafe { plain(libc::SYS_sendmsg, [descriptor, place, flags]) }
            })
        }
        Kind::Pipe if at_once::is(call) => Run,
        Kind::Pipe if !is_ready(descriptor, libc::POLLOUT) => Give(CANCELED),
        Kind::Pipe if call.number == libc::SYS_write && length > ROOM => RunWith(ROOM),
        // More than a page in pieces, which cannot be cut here.
        Kind::Pipe if call.number != libc::SYS_write && length_of(buffer, length) > ROOM => {
            Give(CANCELED)
        }
        Kind::Device | Kind::Nameless => {
            run_or_cancel(at_once::is(call) || is_ready(descriptor, libc::POLLOUT))
        }
        // Of a socket a positioned one, which says itself what is wrong.
        Kind::File | Kind::Socket | Kind::Pipe => Run,
    }
}

/// How many bytes these pieces have, of which more than some are too many.
fn length_of(pieces: usize, count: usize) -> usize {
    let mut length = 0_usize;
    for index in 0..count.min(1024) {
        let Some(piece) = given::<libc::iovec>(pieces + index * size_of::<libc::iovec>()) else {
            break;
        };
        length = length.saturating_add(piece.iov_len);
    }
    length
}

pub(super) fn send(call: &Call<'_>) -> Verdict {
    let flags = if call.number == libc::SYS_sendmsg { 2 } else { 3 };
    let mut args = call.args;
    args[flags] |= libc::MSG_DONTWAIT as usize;
    // SAFETY: the same call, which does not wait.
    grace(call, || unsafe { plain(call.number, args) })
}

/// A send that does not wait, as long as there is some grace left.
fn grace(call: &Call<'_>, send: impl FnOnce() -> isize) -> Verdict {
    let before = call.region.sent.load(Relaxed);
    // mutant: goodbyes-have-an-end
    if before > GRACE {
        return cancel(call);
    }
    match send() {
        AGAIN => cancel(call),
        raw => {
            let more = if call.number == libc::SYS_sendmmsg { 1024 } else { 1 };
            let bytes = raw.max(0).cast_unsigned().saturating_mul(more);
            call.region.sent.store(before.saturating_add(bytes), Relaxed);
            Give(raw)
        }
    }
}

pub(super) fn connect(call: &Call<'_>) -> Verdict {
    let socket = call.args[0];
    let is_stream =
        [libc::SOCK_STREAM, libc::SOCK_SEQPACKET].contains(&option(socket, libc::SO_TYPE));
    run_or_cancel(!is_stream || is_nonblocking(socket))
}

/// After a connect that was reported ready.
pub(super) fn socket_error(call: &Call<'_>) -> Verdict {
    let [socket, level, name, value, ..] = call.args;
    if level != libc::SOL_SOCKET as usize || name != libc::SO_ERROR as usize {
        return Run;
    }
    // SAFETY: the call as it is, which does not wait.
    let raw = unsafe { plain(call.number, call.args) };
    // mutant: connect-reported-ready-has-failed
    if raw == 0 && given::<i32>(value) == Some(0) && !is_connected(socket) {
        // SAFETY: the kernel has just written there.
        unsafe { (value as *mut i32).write_unaligned(libc::ECANCELED) };
    }
    Give(raw)
}

/// A sleep that is over at once; a loop of them is not to spin.
pub(super) fn sleep(call: &Call<'_>) -> Verdict {
    Give(nap(call))
}

pub(super) fn nap(call: &Call<'_>) -> isize {
    const AT_ONCE: u32 = 8;
    let naps = call.region.naps.load(Relaxed);
    // mutant: loop-of-sleeps-does-not-spin
    if naps < AT_ONCE {
        call.region.naps.store(naps + 1, Relaxed);
    } else {
        let while_ = libc::timespec { tv_sec: 0, tv_nsec: 1_000_000 };
        // SAFETY: a time, which outlives the call.
        unsafe { plain(libc::SYS_nanosleep, [&raw const while_ as usize, 0]) };
    }
    0
}

pub(super) fn wait4(call: &Call<'_>) -> Verdict {
    let mut args = call.args;
    if args[2] & libc::WNOHANG as usize != 0 {
        return Run;
    }
    args[2] |= libc::WNOHANG as usize;
    // SAFETY: the same call, which does not wait.
    match unsafe { plain(call.number, args) } {
        0 => Give(CANCELED),
        raw => Give(raw),
    }
}

pub(super) fn waitid(call: &Call<'_>) -> Verdict {
    let mut args = call.args;
    if args[3] & libc::WNOHANG as usize != 0 {
        return Run;
    }
    args[3] |= libc::WNOHANG as usize;
    // SAFETY: zeroed is a siginfo of nothing.
    let mut seen: libc::siginfo_t = unsafe { core::mem::zeroed() };
    let place = core::mem::replace(&mut args[2], &raw mut seen as usize);
    // SAFETY: the same call, which does not wait, and a place of our own.
    let raw = unsafe { plain(call.number, args) };
    if raw != 0 {
        return Give(raw);
    }
    // SAFETY: a process's id for all that this call fills in.
    if unsafe { seen.si_pid() } == 0 {
        return Give(CANCELED);
    }
    Give(if place == 0 || put(place, &seen) { 0 } else { -(libc::EFAULT as isize) })
}

pub(super) fn flock(call: &Call<'_>) -> Verdict {
    let [descriptor, operation, ..] = call.args;
    let at_once = libc::LOCK_NB as usize;
    if operation & at_once != 0 {
        return Run;
    }
    // SAFETY: the same call, which does not wait.
    match unsafe { plain(call.number, [descriptor, operation | at_once]) } {
        AGAIN => Give(CANCELED),
        raw => Give(raw),
    }
}

pub(super) fn fcntl(call: &Call<'_>) -> Verdict {
    const DENIED: isize = -(libc::EACCES as isize);
    let [descriptor, command, lock, ..] = call.args;
    let at_once = match command as i32 {
        libc::F_SETLKW => libc::F_SETLK,
        libc::F_OFD_SETLKW => libc::F_OFD_SETLK,
        _ => return Run,
    };
    // SAFETY: the same call, which does not wait.
    match unsafe { plain(call.number, [descriptor, at_once as usize, lock]) } {
        AGAIN | DENIED => Give(CANCELED),
        raw => Give(raw),
    }
}

pub(super) fn open(call: &Call<'_>) -> Verdict {
    let [first, second, third, ..] = call.args;
    let (directory, path, flags) = match call.number {
        libc::SYS_openat => (first, second, third),
        libc::SYS_openat2 => (first, second, given::<u64>(third).unwrap_or(0) as usize),
        _ => (libc::AT_FDCWD as usize, first, second),
    };
    let at_once = flags as i32 & (libc::O_NONBLOCK | libc::O_PATH) != 0;
    run_or_cancel(at_once || !leads_to_pipe(directory, path))
}

pub(super) fn sendfile(call: &Call<'_>) -> Verdict {
    if kind(call.args[0]) == Kind::File { Run } else { cancel(call) }
}

pub(super) fn ring(call: &Call<'_>) -> Verdict {
    const GETEVENTS: usize = 1;
    const HAS_TIME: usize = 8;
    let [_, to_submit, least, flags, argument, _] = call.args;
    // A mask and its length, another time, and where the time is.
    let at_once = flags & HAS_TIME != 0
        && given::<[usize; 3]>(argument).is_some_and(|[.., place]| time(place) == Some(true));
    if flags & GETEVENTS == 0 || least == 0 || at_once {
        Run
    } else if to_submit == 0 {
        Give(CANCELED)
    } else {
        RunWith(0)
    }
}
