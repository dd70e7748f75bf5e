//! Asynchronous requests: libc's own, and the kernel's, for whose calls libc has
//! no functions and only a number names them.

use super::{Arranged, Case, FromWord, arranged, case, pipe, put};
use core::ptr::null;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex};
use stopruntime::sys;

/// A request to read a byte from a pipe. aio(7).
struct Request {
    control: Box<libc::aiocb>,
    _byte: Box<u8>,
    _reader: OwnedFd,
    writer: OwnedFd,
}

// SAFETY: what its pointers point to is its own.
unsafe impl Send for Request {}

impl Request {
    fn submit() -> Request {
        let (reader, writer) = pipe();
        let mut byte = Box::new(0_u8);
        // SAFETY: zeroed is a request to be filled in.
        let mut control: Box<libc::aiocb> = Box::new(unsafe { std::mem::zeroed() });
        control.aio_fildes = reader.as_raw_fd();
        control.aio_buf = (&raw mut *byte).cast();
        control.aio_nbytes = 1;
        control.aio_sigevent.sigev_notify = libc::SIGEV_NONE;
        // SAFETY: on the heap, with its buffer, until it has ended.
        assert_eq!(unsafe { libc::aio_read(&raw mut *control) }, 0);
        Request { control, _byte: byte, _reader: reader, writer }
    }

    fn address(&self) -> *const libc::aiocb {
        &raw const *self.control
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        put(&self.writer);
        let list = [self.address()];
        // SAFETY: a list of one request.
        while unsafe { libc::aio_error(list[0]) } == libc::EINPROGRESS {
            // SAFETY: as above.
            unsafe { libc::aio_suspend(list.as_ptr(), 1, null()) };
        }
    }
}

fn suspending() -> Arranged {
    let request = Arc::new(Mutex::new(Request::submit()));
    let other = Arc::clone(&request);
    arranged(
        move || {
            let list = [null(), request.lock().unwrap().address()];
            // SAFETY: a list of two, one of them no request.
            unsafe { sys::aio_suspend_or_stop(list.as_ptr(), 2, null()) }.map(i64::from)
        },
        move || put(&other.lock().unwrap().writer),
    )
}

/// A context of the kernel's own asynchronous input and output, which libc has
/// no functions for; dropped, it is gone. `io_getevents(2)`.
struct Context(usize);

impl Context {
    fn new() -> Context {
        let mut context = 0_usize;
        // SAFETY: a place for the context, which is 0.
        let made = unsafe { libc::syscall(libc::SYS_io_setup, 1, &raw mut context) };
        assert_eq!(made, 0, "{}", std::io::Error::last_os_error());
        Context(context)
    }

    /// Has something that is done at once: a write of eight bytes to a file.
    fn submit(&self) {
        /// `struct iocb` of `linux/aio_abi.h`: 64 bytes, of which these count.
        #[repr(C)]
        struct Request {
            _data_and_key: [u64; 2],
            operation: u16,
            _priority: i16,
            descriptor: u32,
            buffer: u64,
            length: u64,
            _offset_and_more: [u64; 3],
        }
        const WRITE: u16 = 1;
        let file = super::files::scratch(0);
        let request = Request {
            _data_and_key: [0; 2],
            operation: WRITE,
            _priority: 0,
            descriptor: std::os::fd::AsRawFd::as_raw_fd(&file) as u32,
            buffer: super::buffer() as u64,
            length: 8,
            _offset_and_more: [0; 3],
        };
        let list = [&raw const request];
        // SAFETY: one request, whose buffer lasts as long as the process.
        let done = unsafe { libc::syscall(libc::SYS_io_submit, self.0, 1, list.as_ptr()) };
        assert_eq!(done, 1, "{}", std::io::Error::last_os_error());
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: made by us.
        unsafe { libc::syscall(libc::SYS_io_destroy, self.0) };
    }
}

fn by_number() -> Arranged {
    let context = Arc::new(Context::new());
    let other = Arc::clone(&context);
    arranged(
        move || {
            let mut event = [0_u64; 4];
            let place = &raw mut event as usize;
            // SAFETY: a place for one event (32 bytes); no time-out.
            unsafe {
                let args = [context.0, 1, 1, place, 0, 0];
                sys::syscall_or_stop(libc::SYS_io_getevents, args)
            }
            .map(i64::from_word)
        },
        move || other.submit(),
    )
}

pub(super) fn cases() -> Vec<Case> {
    vec![case("aio_suspend", suspending).in_futex(), case("syscall", by_number).gives(1)]
}
