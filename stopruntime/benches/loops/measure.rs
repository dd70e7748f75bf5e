//! Processor time, descriptors, and an eventfd that nothing writes.

use super::{COLUMNS, Figures, ROUNDS};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd};
use std::time::Duration;

/// Runs the columns in turn, there and back, after a round that does not count.
pub(crate) fn rounds(
    columns: &mut [&mut dyn FnMut() -> io::Result<Figures>; COLUMNS.len()],
) -> io::Result<[Vec<Figures>; COLUMNS.len()]> {
    let mut figures = COLUMNS.map(|_| Vec::with_capacity(ROUNDS + 1));
    for round in 0..=ROUNDS {
        for index in 0..COLUMNS.len() {
            let index = if round % 2 == 0 { index } else { COLUMNS.len() - 1 - index };
            figures[index].push(columns[index]()?);
        }
    }
    Ok(figures.map(|figures| figures[1..].to_vec()))
}

/// `clock_gettime(2)`.
fn clock(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a place for the time.
    assert_eq!(unsafe { libc::clock_gettime(clock, &raw mut time) }, 0);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// Processor time of the calling thread.
pub(crate) fn thread_cpu() -> Duration {
    clock(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// Processor time of all threads.
pub(crate) fn process_cpu() -> Duration {
    clock(libc::CLOCK_PROCESS_CPUTIME_ID)
}

/// Makes sure that so many descriptors may be open, if the hard limit allows it.
pub(crate) fn allow_descriptors(count: u64) -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a place for the limit, and then a limit.
    let done = unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) != 0 {
            return Err(io::Error::last_os_error());
        }
        if limit.rlim_cur >= count {
            return Ok(());
        }
        limit.rlim_cur = count;
        limit.rlim_max = limit.rlim_max.max(count);
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit)
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// An eventfd that is not set.
pub(crate) fn eventfd() -> io::Result<File> {
    // SAFETY: two integers.
    let descriptor = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it has just been made, and nothing else owns it.
    Ok(unsafe { File::from_raw_fd(descriptor) })
}

/// Waits until one of the two can be read; whether it is `data`. A foreign
/// signal does not end it, as in a user's program.
pub(crate) fn readable(data: &impl AsRawFd, stop: &File) -> io::Result<bool> {
    let entry = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    let mut entries = [entry(data.as_raw_fd()), entry(stop.as_raw_fd())];
    loop {
        // SAFETY: two entries.
        if unsafe { libc::poll(entries.as_mut_ptr(), 2, -1) } >= 0 {
            return Ok(entries[1].revents == 0);
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}
