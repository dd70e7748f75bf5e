//! From a call's number to the one piece that knows how to make it.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::how::How;
use super::{
    accept, children, connect, futex, ipc, locks, masked, numbers, open, sleep, transfer, wait,
};
use crate::kernel::plain::{UNSUPPORTED, plain};
use crate::runtime::record::Record;
use crate::scope::Stopped;
use core::ffi::c_long;

/// Makes the call, as its row in [`sys`](crate::sys) says.
///
/// # Safety
///
/// As the system call itself.
pub(super) unsafe fn dispatch(
    record: &Record,
    number: c_long,
    args: [usize; 6],
) -> Result<isize, Stopped> {
    // SAFETY: handed on to the piece that knows the call.
    unsafe {
        match numbers::how(number) {
            How::Buffer => transfer::buffer(record, number, args),
            How::Vector => transfer::vector(record, number, args),
            How::Receive => transfer::receive(record, args),
            How::Send => transfer::send(record, args),
            How::Message => transfer::message(record, number, args),
            How::Messages => transfer::messages(record, number, args),
            How::Sendfile => transfer::offset::<libc::off_t>(record, number, args, &[2]),
            How::Splice => transfer::offset::<libc::off64_t>(record, number, args, &[1, 3]),
            How::Connect => connect::connect(record, args),
            How::Accept => accept::accept(record, number, args),
            How::Path => open::path(record, number, args),
            How::Handle => open::handle(record, number, args),
            How::Range => locks::range(record, number, args),
            How::Deadline => ipc::deadline(record, number, args),
            How::Semaphore => ipc::semaphore(record, number, args),
            How::Msgsnd => ipc::msgsnd(record, number, args),
            How::Futex => futex::wait(record, args),
            How::FutexWaitv => futex::wait_for_any(record, args),
            How::Poll => wait::poll(record, args),
            How::Ppoll => wait::ppoll(record, args),
            How::Pause => wait::ppoll(record, [0; 6]),
            How::Select => masked::select(record, number, args),
            How::Epoll => masked::epoll(record, number, args),
            How::EpollWait => masked::epoll_wait(record, args),
            How::Suspend => masked::suspend(record, number, args),
            How::Ring => masked::ring(record, number, args),
            How::Signals => masked::signals(record, number, args),
            How::Sleep => sleep::sleep(record, args),
            How::Child => children::child(record, args),
            How::AnyChild => children::any_child(record, args),
            How::Plain => Ok(plain(number, args)),
            How::Flock => Ok(locks::flock(number, args)),
            How::Msgrcv => Ok(ipc::msgrcv(number, args)),
            // mutant: unknown-call-refused
            How::SecondThread | How::Refused => Ok(UNSUPPORTED),
        }
    }
}
