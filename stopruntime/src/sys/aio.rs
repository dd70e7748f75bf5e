//! Waiting for asynchronous requests of libc's own. aio(7).
//!
//! # Safety
//!
//! See the parent module; and: a request of our own is neither moved nor
//! dropped before it has ended.

#![allow(unsafe_code)]

use super::fail;
use crate::call::wait_while;
use crate::kernel::given::given;
use crate::runtime::futex::futex_wake;
use crate::scope::{self, Stopped};
use core::cell::UnsafeCell;
use core::ffi::c_int;
use core::ptr::{from_ref, null, null_mut};
use core::sync::atomic::{AtomicU32, Ordering};
use libc::{aiocb, timespec};
use std::io::{self, Write};
use std::os::fd::AsRawFd;

super::by_hand! {
    "aio_suspend", ppoll: SecondThread;
}

/// Calls `libc::aio_suspend`, stop-checked. `aio_suspend(3)`; a signal that is not
/// a request does not end it.
///
/// libc has these requests done by threads of its own, and waits for them in a
/// futex of its own, which no other call can wait in. So a second thread makes
/// the plain call, for the caller's requests and one more that ends when a stop
/// is requested: a pipe and two threads for each call that has to wait.
/// `io_uring_enter`, or a signal as notification and `sigwaitinfo`, need none.
///
/// # Errors
///
/// [`Stopped`]: a stop is requested, and nothing was waited for. The requests
/// go on.
///
/// # Safety
///
/// As the plain call.
#[doc(alias = "aio_suspend")]
pub unsafe fn aio_suspend_or_stop(
    list: *const *const aiocb,
    count: c_int,
    timeout: *const timespec,
) -> Result<c_int, Stopped> {
    scope::check()?;
    let at_once = timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the caller's list.
    let now = unsafe { libc::aio_suspend(list, count, &raw const at_once) };
    // SAFETY: the calling thread's errno.
    let errno = unsafe { *libc::__errno_location() };
    if now == 0 || count < 1 || ![libc::EAGAIN, libc::EINTR].contains(&errno) {
        return Ok(now);
    }
    // SAFETY: libc has looked at the list: it has this many entries.
    let requests = unsafe { core::slice::from_raw_parts(list, count as usize) };
    // SAFETY: null or the caller's.
    let timeout = unsafe { given(timeout as usize) };
    match suspend(requests, timeout) {
        Ok(outcome) => outcome.map(|errno| if errno == 0 { 0 } else { fail(errno) as c_int }),
        Err(error) => Ok(fail(error.raw_os_error().unwrap_or(libc::EAGAIN)) as c_int),
    }
}

/// The requests of a call, to be looked at by the thread that waits for them.
#[derive(Clone, Copy)]
struct Requests<'list>(&'list [*const aiocb]);

// SAFETY: libc looks at requests from threads of its own as well; the list is
// only read.
unsafe impl Send for Requests<'_> {}

/// 0, or the errno of the plain call.
fn suspend(
    requests: &[*const aiocb],
    timeout: Option<timespec>,
) -> io::Result<Result<c_int, Stopped>> {
    let bell = Bell::hang()?;
    let all = [requests, &[bell.request.get().cast_const()]].concat();
    let all = Requests(&all);
    let done = &AtomicU32::new(0);
    std::thread::scope(|scope| {
        let waits = std::thread::Builder::new().spawn_scoped(scope, move || {
            let errno = plain(all, timeout);
            done.store(1, Ordering::Release);
            futex_wake(done);
            errno
        })?;
        // Lets the other thread go if it still waits, and in a panic.
        let ring = Ring(&bell);
        let outcome = wait_while(done, 0);
        drop(ring);
        let errno = waits.join().unwrap_or(libc::EINTR);
        Ok(outcome.map(|()| errno))
    })
}

/// The plain call, on a thread that takes no signals.
fn plain(all: Requests<'_>, timeout: Option<timespec>) -> c_int {
    let timeout = timeout.as_ref().map_or(null(), from_ref);
    // SAFETY: local sets; a list of this many requests, which outlive the
    // call, and so does the time-out.
    unsafe {
        let mut every: libc::sigset_t = core::mem::zeroed();
        libc::sigfillset(&raw mut every);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const every, null_mut());
        match libc::aio_suspend(all.0.as_ptr(), all.0.len() as c_int, timeout) {
            0 => 0,
            _ => *libc::__errno_location(),
        }
    }
}

/// Rings when it is dropped.
struct Ring<'bell>(&'bell Bell);

impl Drop for Ring<'_> {
    fn drop(&mut self) {
        self.0.ring();
    }
}

/// A request of our own that ends when we want it to: a byte to be read from a
/// pipe.
struct Bell {
    /// libc writes to it from its own threads.
    request: Box<UnsafeCell<aiocb>>,
    _byte: Box<UnsafeCell<u8>>,
    reader: io::PipeReader,
    writer: io::PipeWriter,
}

impl Bell {
    fn hang() -> io::Result<Bell> {
        let (reader, writer) = io::pipe()?;
        let byte = Box::new(UnsafeCell::new(0));
        // SAFETY: zeroed is a request without anything.
        let mut request: aiocb = unsafe { core::mem::zeroed() };
        request.aio_fildes = reader.as_raw_fd();
        request.aio_buf = byte.get().cast();
        request.aio_nbytes = 1;
        request.aio_sigevent.sigev_notify = libc::SIGEV_NONE;
        let request = Box::new(UnsafeCell::new(request));
        // SAFETY: on the heap, with its buffer, until `drop` has seen its end.
        if unsafe { libc::aio_read(request.get()) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Bell { request, _byte: byte, reader, writer })
    }

    /// Ends the request: what is being done has its byte now, and what waits
    /// for one of libc's threads need not be done any more.
    fn ring(&self) {
        let _ = (&self.writer).write_all(&[1]);
        // SAFETY: our own request, which libc has not ended or has.
        unsafe { libc::aio_cancel(self.reader.as_raw_fd(), self.request.get()) };
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.ring();
        let list = [self.request.get().cast_const()];
        // SAFETY: one request, our own, whose result is fetched once.
        unsafe {
            while libc::aio_error(list[0]) == libc::EINPROGRESS {
                libc::aio_suspend(list.as_ptr(), 1, null());
            }
            libc::aio_return(self.request.get());
        }
    }
}
