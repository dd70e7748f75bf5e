//! From the request to the thread being past its blocked call, and to its being
//! joined: `cargo bench -p stopruntime --bench latency`.
//!
//! Against what a request is made of (`tgkill`, and a call that ends with
//! `EINTR`), `pthread_cancel`, an eventfd that the thread polls beside its
//! data, and a condition variable. One fresh thread a sample, the columns in
//! turn; a sample begins when the kernel says that the thread is asleep.

#![allow(unsafe_code, missing_docs)]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]

use std::fs;
use std::io::{self, PipeReader};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use stopruntime::Stopper;
use stopruntime::ext::ReadOrStop;

const SAMPLES: usize = 2_000;

/// When the thread was past its call, and when it was joined.
struct Sample(Option<Duration>, Duration);

/// What it is called, and a measurement.
type Way = (&'static str, fn(&PipeReader) -> Sample);

fn main() -> io::Result<()> {
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    println!("backend: {}, {SAMPLES} samples", stopruntime::backend());
    catch_usr1();
    let (data, _writer) = io::pipe()?;
    let ways: [Way; 5] = [
        ("tgkill + EINTR", tgkill),
        ("request_stop", request),
        ("pthread_cancel", cancel),
        ("eventfd + poll", eventfd),
        ("Condvar", condvar),
    ];
    let mut samples: Vec<Vec<Sample>> = ways.iter().map(|_| Vec::new()).collect();
    for _ in 0..SAMPLES {
        for ((_, way), samples) in ways.iter().zip(&mut samples) {
            samples.push(way(&data));
        }
    }
    println!("{:<16} {:>30} {:>30}", "µs: p50 p99 max", "past the call", "joined");
    for ((name, _), samples) in ways.iter().zip(&samples) {
        let past = samples.iter().filter_map(|sample| sample.0).collect();
        let joined = samples.iter().map(|sample| sample.1).collect();
        println!("{name:<16} {:>30} {:>30}", spread(past), spread(joined));
    }
    Ok(())
}

fn spread(mut times: Vec<Duration>) -> String {
    if times.is_empty() {
        return "not seen".into();
    }
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e6;
    format!("{:>8.1} {:>8.1} {:>9.1}", at(50), at(99), at(100))
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
        theirs.store(own_id(), Ordering::Release);
        wait();
        Instant::now()
    });
    wait_until_asleep(&id);
    let start = Instant::now();
    end(id.load(Ordering::Relaxed));
    let past = waiter.join().expect("no panic");
    Sample(Some(past - start), start.elapsed())
}

fn request(data: &PipeReader) -> Sample {
    let mut data = data.try_clone().expect("a descriptor");
    let (sender, receiver) = std::sync::mpsc::channel();
    let id = Arc::new(AtomicI32::new(0));
    let theirs = Arc::clone(&id);
    let waiter = thread::spawn(move || {
        sender.send(Stopper::current()).expect("the bench waits for it");
        theirs.store(own_id(), Ordering::Release);
        assert!(data.read_or_stop(&mut [0]).is_err());
        Instant::now()
    });
    let stopper = receiver.recv().expect("the thread sends it");
    wait_until_asleep(&id);
    let start = Instant::now();
    stopper.request_stop();
    let past = waiter.join().expect("no panic");
    Sample(Some(past - start), start.elapsed())
}

extern "C" fn nothing(_: i32) {}

fn catch_usr1() {
    // SAFETY: a zeroed action with a handler of the short kind, without
    // SA_RESTART.
    unsafe {
        let mut action: libc::sigaction = core::mem::zeroed();
        action.sa_sigaction = nothing as *const () as usize;
        assert_eq!(libc::sigaction(libc::SIGUSR1, &raw const action, core::ptr::null_mut()), 0);
    }
}

fn read_one(descriptor: RawFd) -> isize {
    let mut byte = 0_u8;
    // SAFETY: one writable byte.
    unsafe { libc::read(descriptor, (&raw mut byte).cast(), 1) }
}

fn tgkill(data: &PipeReader) -> Sample {
    let descriptor = data.as_raw_fd();
    let wait = move || assert_eq!(read_one(descriptor), -1);
    sample(wait, |id| {
        // SAFETY: three integers.
        unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), id, libc::SIGUSR1) };
    })
}

fn eventfd(data: &PipeReader) -> Sample {
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

/// Nothing in it has a destructor, so that the unwinding of glibc may pass.
extern "C-unwind" fn reads(descriptor: *mut libc::c_void) -> *mut libc::c_void {
    CANCELLED.store(own_id(), Ordering::Release);
    read_one(descriptor.addr() as RawFd);
    core::ptr::null_mut()
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

fn cancel(data: &PipeReader) -> Sample {
    CANCELLED.store(0, Ordering::Relaxed);
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
    Sample(None, start.elapsed())
}
