//! From the request to the thread being past its blocked call, and to its being
//! joined: `cargo bench -p stopruntime --bench latency`.
//!
//! Against what a request is made of (a signal, and a call that ends with
//! `EINTR`), `pthread_cancel`, an eventfd that the thread polls beside its
//! data, and a condition variable. One fresh thread a sample, the columns in
//! turn; a sample begins when the kernel says that the thread is asleep.
//!
//! A request meets a thread in a read, and in a wait for a permit, which sleeps on its
//! flag as that of a condition variable does on its word.
//!
//! The signal comes in two columns. A handler that is not to depend on what is
//! left of the stack it interrupts runs on the alternate one (`SA_ONSTACK`), and
//! the first signal of a thread finds that untouched: a page fault. Ours does.

#![allow(unsafe_code, missing_docs)]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]

mod table;

use std::fs;
use std::io::{self, PipeReader};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use stopruntime::ext::ReadOrStop;
use stopruntime::sync::Semaphore;
use table::{Spread, Table, pin};

const SAMPLES: usize = 1_000;

/// When the thread was past its call, and when it was joined.
struct Sample(Duration, Duration);

/// What it is called, and a measurement.
type Way = (&'static str, fn(&'static PipeReader) -> Sample);

const WAYS: [Way; 7] = [
    ("signal, own stack", |data| tgkill(data, libc::SIGUSR1)),
    ("signal", |data| tgkill(data, libc::SIGUSR2)),
    ("request_stop", request_of_a_read),
    ("pthread_cancel", cancel),
    ("eventfd + poll", eventfd),
    ("Condvar", condvar),
    ("request, Semaphore", request_of_a_permit),
];

/// The processor of the threads that are stopped, plus one; 0: any.
static PLACE: AtomicUsize = AtomicUsize::new(0);

fn main() -> io::Result<()> {
    if table::is_test() {
        return Ok(());
    }
    print!("{}", table::machine());
    println!("backend: {}, {SAMPLES} samples", stopruntime::backend());
    catch(libc::SIGUSR1, 0);
    catch(libc::SIGUSR2, libc::SA_ONSTACK);
    let (data, _writer) = io::pipe()?;
    // Nothing closes it in the time that is measured.
    let data: &'static PipeReader = Box::leak(Box::new(data));
    let mut table = Table::new("stop latency", "µs", &WAYS.map(|(name, _)| name));
    let cpus = thread::available_parallelism()?.get();
    for (where_to, place) in [("any core", 0), ("the same core", 1), ("the other core", 2)] {
        if place > cpus {
            println!("{where_to}: there is none");
            continue;
        }
        PLACE.store(place, Ordering::Relaxed);
        // The requests come from a thread, so that its place ends with it.
        let samples = thread::scope(|scope| {
            let requester = scope.spawn(|| {
                if place != 0 {
                    pin(0);
                }
                take(data)
            });
            requester.join().expect("no panic")
        });
        let spreads = |which: fn(&Sample) -> Duration| -> Vec<Option<Spread>> {
            let times = samples.iter().map(|samples| samples.iter().map(which).collect());
            times.map(|times: Vec<_>| Spread::of_times(&times, 1e6)).collect()
        };
        table.row(&format!("past the call, {where_to}"), &spreads(|sample| sample.0));
        table.row(&format!("joined, {where_to}"), &spreads(|sample| sample.1));
    }
    table.keep()
}

fn take(data: &'static PipeReader) -> Vec<Vec<Sample>> {
    let mut samples: Vec<Vec<Sample>> = WAYS.iter().map(|_| Vec::new()).collect();
    for _ in 0..SAMPLES {
        for ((_, way), samples) in WAYS.iter().zip(&mut samples) {
            samples.push(way(data));
        }
    }
    samples
}

/// At the start of a thread that is to be stopped.
fn take_place() {
    if let Some(cpu) = PLACE.load(Ordering::Relaxed).checked_sub(1) {
        pin(cpu);
    }
}

/// Waits until the thread sleeps in the kernel.
fn wait_until_asleep(thread: &AtomicI32) {
    loop {
        let id = thread.load(Ordering::Acquire);
        let path = format!("/proc/self/task/{id}/stat");
        let stat =
            if id == 0 { String::new() } else { fs::read_to_string(path).unwrap_or_default() };
        if stat.rsplit_once(')').is_some_and(|(_, rest)| rest.starts_with(" S")) {
            return;
        }
        thread::yield_now();
    }
}

fn own_id() -> i32 {
    // SAFETY: takes no argument.
    unsafe { libc::syscall(libc::SYS_gettid) as i32 }
}

/// A std thread that waits as `wait` does, ended by `end`.
fn sample(wait: impl FnOnce() + Send + 'static, end: impl FnOnce(i32)) -> Sample {
    let id = Arc::new(AtomicI32::new(0));
    let theirs = Arc::clone(&id);
    let waiter = thread::spawn(move || {
        take_place();
        theirs.store(own_id(), Ordering::Release);
        wait();
        Instant::now()
    });
    wait_until_asleep(&id);
    let start = Instant::now();
    end(id.load(Ordering::Relaxed));
    let past = waiter.join().expect("no panic");
    Sample(past - start, start.elapsed())
}

fn request_of_a_read(mut data: &'static PipeReader) -> Sample {
    request(move || data.read_or_stop(&mut [0]).is_err())
}

fn request_of_a_permit(_: &PipeReader) -> Sample {
    request(|| Semaphore::new(0).acquire_or_stop().is_err())
}

/// A thread that waits as `is_stopped` does, which tells whether it was stopped.
fn request(is_stopped: impl FnOnce() -> bool + Send + 'static) -> Sample {
    let id = Arc::new(AtomicI32::new(0));
    let theirs = Arc::clone(&id);
    let waiter = stopruntime::thread::spawn(move || {
        take_place();
        theirs.store(own_id(), Ordering::Release);
        assert!(is_stopped());
        Instant::now()
    });
    wait_until_asleep(&id);
    let start = Instant::now();
    waiter.request_stop();
    let past = waiter.join().expect("no panic");
    Sample(past - start, start.elapsed())
}

extern "C" fn nothing(_: i32) {}

fn catch(signal: i32, flags: i32) {
    // SAFETY: a zeroed action with a handler of the short kind, without
    // SA_RESTART.
    unsafe {
        let mut action: libc::sigaction = core::mem::zeroed();
        action.sa_sigaction = nothing as *const () as usize;
        action.sa_flags = flags;
        assert_eq!(libc::sigaction(signal, &raw const action, core::ptr::null_mut()), 0);
    }
}

fn read_one(descriptor: RawFd) -> isize {
    let mut byte = 0_u8;
    // SAFETY: one writable byte.
    unsafe { libc::read(descriptor, (&raw mut byte).cast(), 1) }
}

fn tgkill(data: &'static PipeReader, signal: i32) -> Sample {
    let descriptor = data.as_raw_fd();
    let wait = move || assert_eq!(read_one(descriptor), -1);
    sample(wait, |id| {
        // SAFETY: three integers.
        unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), id, signal) };
    })
}

fn eventfd(data: &'static PipeReader) -> Sample {
    let descriptor = data.as_raw_fd();
    // SAFETY: two integers.
    let event = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) };
    let wait = move || {
        let entry = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        let mut entries = [entry(descriptor), entry(event)];
        // SAFETY: two entries.
        assert_eq!(unsafe { libc::poll(entries.as_mut_ptr(), 2, -1) }, 1);
    };
    let taken = sample(wait, |_| {
        // SAFETY: eight readable bytes.
        unsafe { libc::write(event, core::ptr::from_ref(&1_u64).cast(), 8) };
    });
    // SAFETY: made above, used no more.
    unsafe { libc::close(event) };
    taken
}

fn condvar(_: &PipeReader) -> Sample {
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let theirs = Arc::clone(&pair);
    let wait = move || {
        let stop = theirs.0.lock().expect("not poisoned");
        drop(theirs.1.wait_while(stop, |stop| !*stop).expect("not poisoned"));
    };
    sample(wait, |_| {
        *pair.0.lock().expect("not poisoned") = true;
        pair.1.notify_one();
    })
}

static CANCELLED: AtomicI32 = AtomicI32::new(0);
static PAST: Mutex<Option<Instant>> = Mutex::new(None);

/// Nothing in it has a destructor, so that the unwinding of glibc may pass.
extern "C-unwind" fn reads(descriptor: *mut libc::c_void) -> *mut libc::c_void {
    take_place();
    // SAFETY: the key exists; any value but null calls its destructor.
    unsafe { libc::pthread_setspecific(key(), descriptor) };
    CANCELLED.store(own_id(), Ordering::Release);
    read_one(descriptor.addr() as RawFd);
    core::ptr::null_mut()
}

/// Its destructor is the first code of ours that runs after the cancellation.
fn key() -> libc::pthread_key_t {
    extern "C" fn past(_: *mut libc::c_void) {
        *PAST.lock().expect("not poisoned") = Some(Instant::now());
    }
    static KEY: std::sync::OnceLock<libc::pthread_key_t> = std::sync::OnceLock::new();
    *KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: a place for the key, and a destructor.
        assert_eq!(unsafe { libc::pthread_key_create(&raw mut key, Some(past)) }, 0);
        key
    })
}

unsafe extern "C" {
    fn pthread_create(
        thread: *mut libc::pthread_t,
        attributes: *const libc::pthread_attr_t,
        start: extern "C-unwind" fn(*mut libc::c_void) -> *mut libc::c_void,
        argument: *mut libc::c_void,
    ) -> i32;
    fn pthread_cancel(thread: libc::pthread_t) -> i32;
}

fn cancel(data: &'static PipeReader) -> Sample {
    CANCELLED.store(0, Ordering::Relaxed);
    key();
    let argument = core::ptr::without_provenance_mut(data.as_raw_fd().cast_unsigned() as usize);
    let mut thread = 0;
    // SAFETY: a place for the id, and a function that needs nothing else.
    assert_eq!(unsafe { pthread_create(&raw mut thread, core::ptr::null(), reads, argument) }, 0);
    wait_until_asleep(&CANCELLED);
    let start = Instant::now();
    // SAFETY: a thread that has not been joined.
    unsafe {
        pthread_cancel(thread);
        libc::pthread_join(thread, core::ptr::null_mut());
    }
    let joined = start.elapsed();
    let past = PAST.lock().expect("not poisoned").take().expect("the destructor has run");
    Sample(past - start, joined)
}
