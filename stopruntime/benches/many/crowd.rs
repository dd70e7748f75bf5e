//! Threads that each read an eventfd of their own, as that needs one descriptor
//! where a pipe needs two; and ways to end them.

use super::timed;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;
use stopruntime::{stoppable, thread};

const STACK: usize = 64 * 1024;

/// What the threads of a crowd wait for; they come and go.
pub(crate) struct Crowd {
    seats: Vec<Seat>,
    /// All that poll share it.
    stop: File,
}

struct Seat {
    data: File,
    /// The id of the thread once it runs.
    thread: AtomicI32,
}

/// Ends when there is something to read.
fn plain(mut data: &File, _: &File) {
    assert_eq!(data.read(&mut [0; 8]).expect("an eventfd"), 8);
}

/// Nothing is ever written: only a stop ends it.
#[stoppable]
fn ours(mut data: &File) {
    #[blocking]
    let read = data.read(&mut [0; 8]).expect("an eventfd");
    panic!("{read} bytes that nothing has written");
}

/// Ends when the eventfd is set, which nothing resets before all have seen it.
fn polled(data: &File, stop: &File) {
    let entry = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    let mut entries = [entry(data.as_raw_fd()), entry(stop.as_raw_fd())];
    // SAFETY: two entries.
    assert_eq!(unsafe { libc::poll(entries.as_mut_ptr(), 2, -1) }, 1);
}

impl Crowd {
    pub(crate) fn new(threads: usize) -> io::Result<Arc<Crowd>> {
        let seat = |_| Ok(Seat { data: eventfd()?, thread: AtomicI32::new(0) });
        let seats = (0..threads).map(seat).collect::<io::Result<_>>()?;
        Ok(Arc::new(Crowd { seats, stop: eventfd()? }))
    }

    /// Each reads, and gets something.
    pub(crate) fn written(self: &Arc<Crowd>) -> io::Result<Duration> {
        let threads = self.plain_threads()?;
        Ok(timed(|| {
            for mut data in self.seats.iter().map(|seat| &seat.data) {
                data.write_all(&1_u64.to_ne_bytes()).expect("an eventfd");
            }
            for thread in threads {
                thread.join().expect("no panic");
            }
        }))
    }

    /// Each polls the one eventfd as well, which is written once.
    pub(crate) fn broadcast(self: &Arc<Crowd>) -> io::Result<Duration> {
        let threads = self.polling_threads()?;
        let time = timed(|| {
            (&self.stop).write_all(&1_u64.to_ne_bytes()).expect("an eventfd");
            for thread in threads {
                thread.join().expect("no panic");
            }
        });
        (&self.stop).read_exact(&mut [0; 8])?;
        Ok(time)
    }

    /// Each reads, marked, and is requested by its handle.
    pub(crate) fn requested(self: &Arc<Crowd>) -> io::Result<Duration> {
        let threads = self.stoppable_threads()?;
        Ok(timed(|| {
            for thread in &threads {
                thread.request_stop();
            }
            for thread in threads {
                thread.join().expect("no panic");
            }
        }))
    }

    /// Each reads, marked, and all are requested by one call with their handles.
    pub(crate) fn requested_together(self: &Arc<Crowd>) -> io::Result<Duration> {
        let threads = self.stoppable_threads()?;
        Ok(timed(|| {
            stopruntime::request_stop_all(&threads);
            for thread in threads {
                thread.join().expect("no panic");
            }
        }))
    }

    /// Each reads, marked, and is requested and joined with its scope.
    pub(crate) fn scoped(self: &Arc<Crowd>) -> io::Result<Duration> {
        let mut start = None;
        thread::scope(|scope| {
            for seat in self.seats() {
                thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || {
                    seat.take();
                    ours(&seat.data);
                })?;
            }
            self.wait_until_asleep();
            start = Some(std::time::Instant::now());
            scope.request_stop();
            io::Result::Ok(())
        })?;
        Ok(start.expect("set above").elapsed())
    }

    pub(crate) fn plain_threads(self: &Arc<Crowd>) -> io::Result<Vec<std::thread::JoinHandle<()>>> {
        self.std_threads(plain)
    }

    pub(crate) fn polling_threads(
        self: &Arc<Crowd>,
    ) -> io::Result<Vec<std::thread::JoinHandle<()>>> {
        self.std_threads(polled)
    }

    fn std_threads(
        self: &Arc<Crowd>,
        wait: fn(&File, &File),
    ) -> io::Result<Vec<std::thread::JoinHandle<()>>> {
        let spawn = |(index, _)| {
            let crowd = Arc::clone(self);
            std::thread::Builder::new().stack_size(STACK).spawn(move || {
                let seat: &Seat = &crowd.seats[index];
                seat.take();
                wait(&seat.data, &crowd.stop);
            })
        };
        let threads = self.seats().enumerate().map(spawn).collect();
        self.wait_until_asleep();
        threads
    }

    pub(crate) fn stoppable_threads(self: &Arc<Crowd>) -> io::Result<Vec<thread::JoinHandle<()>>> {
        let spawn = |(index, _)| {
            let crowd = Arc::clone(self);
            thread::Builder::new().stack_size(STACK).spawn(move || {
                let seat: &Seat = &crowd.seats[index];
                seat.take();
                ours(&seat.data);
            })
        };
        let threads = self.seats().enumerate().map(spawn).collect();
        self.wait_until_asleep();
        threads
    }

    /// All of them, for threads that are about to come.
    fn seats(&self) -> impl Iterator<Item = &Seat> {
        self.seats.iter().inspect(|seat| seat.thread.store(0, Ordering::Relaxed))
    }

    /// Until the kernel says of each thread that it sleeps.
    fn wait_until_asleep(&self) {
        for seat in &self.seats {
            while !seat.is_asleep() {
                std::thread::yield_now();
            }
        }
    }
}

impl Seat {
    /// The calling thread waits here.
    fn take(&self) {
        // SAFETY: takes no argument.
        self.thread.store(unsafe { libc::gettid() }, Ordering::Release);
    }

    fn is_asleep(&self) -> bool {
        let id = self.thread.load(Ordering::Acquire);
        let path = format!("/proc/self/task/{id}/stat");
        let stat =
            if id == 0 { String::new() } else { fs::read_to_string(path).unwrap_or_default() };
        stat.rsplit_once(')').is_some_and(|(_, rest)| rest.starts_with(" S"))
    }
}

/// Not set.
fn eventfd() -> io::Result<File> {
    // SAFETY: two integers.
    let descriptor = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it has just been made, and nothing else owns it.
    Ok(unsafe { File::from_raw_fd(descriptor) })
}

/// Makes sure that so many descriptors may be open.
pub(crate) fn allow_descriptors(count: u64) -> io::Result<()> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a place for the limit, and then a limit.
    let done = unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) != 0 {
            return Err(io::Error::last_os_error());
        }
        limit.rlim_cur = limit.rlim_cur.max(count);
        limit.rlim_max = limit.rlim_max.max(count);
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit)
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
