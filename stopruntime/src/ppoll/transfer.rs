//! Calls that move data. What they are told in registers alone (`read`, `recv`)
//! is made as the form that is told by a vector or a message.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::file::kind_of;
use super::spoiled::{Part, wait};
use crate::kernel::given::{each_given, given};
use crate::kernel::plain::{UNSUPPORTED, plain};
use crate::runtime::record::Record;
use crate::scope::Stopped;
use core::ffi::{c_int, c_long, c_void};
use core::ops::Add;
use libc::{iovec, mmsghdr, msghdr, socklen_t};

const FAULT: isize = -(libc::EFAULT as isize);

/// `read`, `write`, `pread` and `pwrite`, as the vectored form of one part.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn buffer(
    record: &Record,
    number: c_long,
    args: [usize; 6],
) -> Result<isize, Stopped> {
    let [descriptor, buffer, length, offset, ..] = args;
    if length == 0 {
        // SAFETY: the caller's call.
        return unsafe { nothing(record, number, args) };
    }
    if length > isize::MAX.unsigned_abs() {
        // SAFETY: the caller's call, which the kernel refuses.
        return Ok(unsafe { plain(number, args) });
    }
    let number = match number {
        libc::SYS_read => libc::SYS_readv,
        libc::SYS_write => libc::SYS_writev,
        libc::SYS_pread64 => libc::SYS_preadv,
        _ => libc::SYS_pwritev,
    };
    let mut one = iovec { iov_base: buffer as *mut _, iov_len: length };
    let part = Part::all_ones(&raw mut one.iov_len, libc::EINVAL);
    // SAFETY: the same transfer; the vector outlives the call.
    unsafe { wait(record, number, [descriptor, &raw mut one as usize, 1, offset, 0, 0], part) }
}

/// `read` and `write` of no bytes: of a datagram's socket it is a message, and
/// waits for room; of all else it ends by itself.
///
/// # Safety
///
/// As the call.
unsafe fn nothing(record: &Record, number: c_long, args: [usize; 6]) -> Result<isize, Stopped> {
    if number == libc::SYS_write && kind_of(args[0] as c_int) == libc::S_IFSOCK {
        // SAFETY: as the call itself.
        return unsafe { send(record, args) };
    }
    // SAFETY: the caller's call.
    Ok(unsafe { plain(number, args) })
}

/// The vectored forms: a descriptor, a vector, its length.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn vector(
    record: &Record,
    number: c_long,
    mut args: [usize; 6],
) -> Result<isize, Stopped> {
    let [_, vector, count, ..] = args;
    // SAFETY: the caller's vector.
    let Some(mut vector) = (unsafe { copied::<iovec>(vector, count) }) else {
        // SAFETY: the caller's call, which is refused or has nothing to transfer.
        return Ok(unsafe { plain(number, args) });
    };
    args[1] = vector.as_mut_ptr() as usize;
    // SAFETY: the first of at least one.
    let part = Part::all_ones(unsafe { &raw mut (*vector.as_mut_ptr()).iov_len }, libc::EINVAL);
    // SAFETY: the caller's call, with a copy of its vector.
    unsafe { wait(record, number, args, part) }
}

/// sendfile(2) and splice(2): an offset is one of these arguments, or none is
/// given. Without one the call is told all in registers.
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn offset<Offset: Copy + Add<Output = Offset> + TryFrom<isize>>(
    record: &Record,
    number: c_long,
    mut args: [usize; 6],
    places: &[usize],
) -> Result<isize, Stopped> {
    let at = places.iter().copied().find(|at| args[*at] != 0);
    // SAFETY: the caller's offset.
    let found = at.and_then(|at| Some((at, unsafe { given::<Offset>(args[at]) }?)));
    let Some((at, given)) = found else { return Ok(UNSUPPORTED) };
    let mut offset = given;
    let theirs = core::mem::replace(&mut args[at], &raw mut offset as usize);
    let part = Part::all_ones(&raw mut offset, libc::EINVAL);
    // SAFETY: the caller's call, with a copy of its offset.
    let raw = unsafe { wait(record, number, args, part)? };
    // Not what the kernel has written: the handler may have spoiled that.
    if let (1.., Ok(moved)) = (raw, Offset::try_from(raw)) {
        // SAFETY: the caller's place for it.
        unsafe { (theirs as *mut Offset).write_unaligned(given + moved) };
    }
    Ok(raw)
}

/// An array, unless the kernel makes nothing of it: of no entries, more than it
/// takes, or none at all.
///
/// # Safety
///
/// The address is null or leads to this many values.
unsafe fn copied<T: Copy>(address: usize, count: usize) -> Option<Vec<T>> {
    const MOST: usize = libc::UIO_MAXIOV as usize;
    // mutant: too-many-parts-not-read
    let is_looked_at = address != 0 && (1..=MOST).contains(&count);
    // SAFETY: the caller's.
    is_looked_at.then(|| unsafe { each_given(address, count) }.collect())
}

/// recvfrom(2), as recvmsg(2).
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn receive(record: &Record, args: [usize; 6]) -> Result<isize, Stopped> {
    let [descriptor, buffer, length, flags, address, room] = args;
    // SAFETY: the caller's place for a length.
    let name = match (address, unsafe { given::<socklen_t>(room) }) {
        (0, _) => Some(0),
        (_, given) => given,
    };
    let Some(name) = name else { return Ok(FAULT) };
    let mut one = iovec { iov_base: buffer as *mut _, iov_len: length };
    let mut message = of_one(&mut one, address, name);
    // SAFETY: the caller's buffer and address; the message outlives the call.
    let raw = unsafe { received(record, descriptor, &mut message, flags)? };
    if raw >= 0 && address != 0 {
        // SAFETY: the caller's place for a length.
        // mutant: senders-address-length
        unsafe { (room as *mut socklen_t).write_unaligned(message.msg_namelen) };
    }
    Ok(raw)
}

/// sendto(2), as sendmsg(2).
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn send(record: &Record, args: [usize; 6]) -> Result<isize, Stopped> {
    let [descriptor, data, length, flags, address, name] = args;
    let mut one = iovec { iov_base: data as *mut _, iov_len: length };
    let mut message = of_one(&mut one, address, name as socklen_t);
    let part = Part::all_ones(&raw mut message.msg_iovlen, libc::EMSGSIZE);
    let call = [descriptor, &raw mut message as usize, flags, 0, 0, 0];
    // SAFETY: the caller's data and address; the message outlives the call.
    unsafe { wait(record, libc::SYS_sendmsg, call, part) }
}

/// A message of one part.
fn of_one(one: &mut iovec, address: usize, length: socklen_t) -> msghdr {
    // SAFETY: zeroed is a message of nothing.
    let mut message: msghdr = unsafe { core::mem::zeroed() };
    message.msg_iov = one;
    message.msg_iovlen = 1;
    message.msg_name = address as *mut c_void;
    message.msg_namelen = length;
    message
}

/// # Safety
///
/// As recvmsg(2).
unsafe fn received(
    record: &Record,
    descriptor: usize,
    message: &mut msghdr,
    flags: usize,
) -> Result<isize, Stopped> {
    let message = core::ptr::from_mut(message);
    // SAFETY: a field of the message.
    let part = Part::all_ones(unsafe { &raw mut (*message).msg_iovlen }, libc::EMSGSIZE);
    let args = [descriptor, message as usize, flags, 0, 0, 0];
    // SAFETY: the caller's call.
    unsafe { wait(record, libc::SYS_recvmsg, args, part) }
}

/// recvmsg(2) and sendmsg(2).
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn message(
    record: &Record,
    number: c_long,
    mut args: [usize; 6],
) -> Result<isize, Stopped> {
    let theirs = args[1] as *mut msghdr;
    // SAFETY: the caller's message.
    let Some(mut message) = (unsafe { given::<msghdr>(args[1]) }) else {
        // SAFETY: the caller's call, which the kernel refuses.
        return Ok(unsafe { plain(number, args) });
    };
    args[1] = &raw mut message as usize;
    let part = Part::all_ones(&raw mut message.msg_iovlen, libc::EMSGSIZE);
    // SAFETY: the caller's call, with a copy of its message.
    let raw = unsafe { wait(record, number, args, part)? };
    if raw >= 0 && number == libc::SYS_recvmsg {
        // SAFETY: the caller's message, of which the kernel writes this.
        // mutant: message-fields-handed-on
        unsafe { report(theirs, &message) };
    }
    Ok(raw)
}

/// recvmmsg(2) and sendmmsg(2).
///
/// # Safety
///
/// As the call.
pub(super) unsafe fn messages(
    record: &Record,
    number: c_long,
    mut args: [usize; 6],
) -> Result<isize, Stopped> {
    const MOST: usize = libc::UIO_MAXIOV as usize;
    let theirs = args[1] as *mut mmsghdr;
    // The kernel takes no more; the count has 32 bits.
    args[2] = (args[2] as u32 as usize).min(MOST);
    // SAFETY: the caller's messages.
    let Some(mut messages) = (unsafe { copied::<mmsghdr>(args[1], args[2]) }) else {
        // SAFETY: the caller's call, which is refused or has nothing to transfer.
        return Ok(unsafe { plain(number, args) });
    };
    args[1] = messages.as_mut_ptr() as usize;
    // SAFETY: the first of at least one.
    let length = unsafe { &raw mut (*messages.as_mut_ptr()).msg_hdr.msg_iovlen };
    // SAFETY: the caller's call, with a copy of its messages.
    let raw = unsafe { wait(record, number, args, Part::all_ones(length, libc::EMSGSIZE))? };
    for (at, message) in messages.iter().take(usize::try_from(raw).unwrap_or(0)).enumerate() {
        // SAFETY: one of the caller's messages, of which the kernel writes this.
        unsafe {
            let theirs = theirs.add(at);
            (&raw mut (*theirs).msg_len).write_unaligned(message.msg_len);
            if number == libc::SYS_recvmmsg {
                report(&raw mut (*theirs).msg_hdr, &message.msg_hdr);
            }
        }
    }
    Ok(raw)
}

/// What the kernel writes to a message that is received.
///
/// # Safety
///
/// `theirs` leads to a message, at any alignment.
unsafe fn report(theirs: *mut msghdr, message: &msghdr) {
    // SAFETY: fields of that message.
    unsafe {
        if !message.msg_name.is_null() {
            (&raw mut (*theirs).msg_namelen).write_unaligned(message.msg_namelen);
        }
        (&raw mut (*theirs).msg_controllen).write_unaligned(message.msg_controllen);
        (&raw mut (*theirs).msg_flags).write_unaligned(message.msg_flags);
    }
}
