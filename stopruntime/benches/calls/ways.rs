//! The other ways to make a call that can be stopped, each around std's or
//! libc's own call.

use core::ffi::c_int;
use core::sync::atomic::{AtomicBool, Ordering};
use polling::{Events, Poller};
use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// What is done for every single call.
pub(crate) trait Way {
    /// Makes the call, which waits for `events` (poll(2)) on the descriptor; -1
    /// where it waits for something else.
    fn around<T>(&self, descriptor: RawFd, events: i16, call: impl FnOnce() -> T) -> T;
}

/// Nothing: it cannot be stopped.
pub(crate) struct Plain;

impl Way for Plain {
    #[inline(always)]
    fn around<T>(&self, _: RawFd, _: i16, call: impl FnOnce() -> T) -> T {
        call()
    }
}

/// A flag is looked at before the call: a request just after that look waits
/// for the next data, or with `SO_RCVTIMEO` for the time-out.
pub(crate) struct Flag(pub(crate) AtomicBool);

impl Way for Flag {
    #[inline(always)]
    fn around<T>(&self, _: RawFd, _: i16, call: impl FnOnce() -> T) -> T {
        assert!(!self.0.load(Ordering::Relaxed), "nothing requests a stop here");
        call()
    }
}

/// A descriptor for the request, polled together with the call's own descriptor.
pub(crate) struct PollEvent(File);

impl PollEvent {
    pub(crate) fn new() -> io::Result<PollEvent> {
        Ok(PollEvent(eventfd()?))
    }
}

impl Way for PollEvent {
    #[inline(always)]
    fn around<T>(&self, descriptor: RawFd, events: i16, call: impl FnOnce() -> T) -> T {
        let mut entries = [
            libc::pollfd { fd: descriptor, events, revents: 0 },
            libc::pollfd { fd: self.0.as_raw_fd(), events: libc::POLLIN, revents: 0 },
        ];
        // SAFETY: two entries.
        let ready = unsafe { libc::poll(entries.as_mut_ptr(), 2, -1) };
        assert!(ready == 1 && entries[1].revents == 0, "nothing requests a stop here");
        call()
    }
}

/// The `polling` crate, where `Poller::notify` makes the request. One-shot, like
/// every portable mode of it.
pub(crate) struct Polled {
    poller: Poller,
    events: RefCell<Events>,
}

impl Polled {
    pub(crate) fn new(descriptors: &[RawFd]) -> io::Result<Polled> {
        let poller = Poller::new()?;
        for &descriptor in descriptors {
            // SAFETY: the row, which outlives its columns, holds it open.
            unsafe { poller.add(descriptor, polling::Event::none(descriptor as usize))? };
        }
        Ok(Polled { poller, events: RefCell::new(Events::new()) })
    }
}

impl Way for Polled {
    #[inline(always)]
    fn around<T>(&self, descriptor: RawFd, events: i16, call: impl FnOnce() -> T) -> T {
        let key = descriptor as usize;
        let interest = match events {
            libc::POLLIN => polling::Event::readable(key),
            _ => polling::Event::writable(key),
        };
        // SAFETY: the row holds it open.
        let source = unsafe { BorrowedFd::borrow_raw(descriptor) };
        self.poller.modify(source, interest).unwrap();
        let mut events = self.events.borrow_mut();
        events.clear();
        let ready = self.poller.wait(&mut events, None).unwrap();
        assert!(ready == 1, "nothing requests a stop here");
        call()
    }
}

/// `pthread_cancel`, enabled around the call and nowhere else, which must be a
/// cancellation point of libc: those of std are. Deferred, as by default.
/// `pthread_setcancelstate(3)`.
pub(crate) struct Cancellation;

impl Way for Cancellation {
    #[inline(always)]
    fn around<T>(&self, _: RawFd, _: i16, call: impl FnOnce() -> T) -> T {
        // SAFETY: nothing cancels this thread; the old state is not asked for.
        unsafe { pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, core::ptr::null_mut()) };
        let result = call();
        // SAFETY: as above.
        unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, core::ptr::null_mut()) };
        result
    }
}

// pthread.h of glibc and of musl.
const PTHREAD_CANCEL_ENABLE: c_int = 0;
const PTHREAD_CANCEL_DISABLE: c_int = 1;

unsafe extern "C" {
    fn pthread_setcancelstate(state: c_int, old: *mut c_int) -> c_int;
}

/// eventfd(2), at zero.
pub(crate) fn eventfd() -> io::Result<File> {
    // SAFETY: no pointer.
    let descriptor = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
    if descriptor == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: made just now, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }.into())
}
