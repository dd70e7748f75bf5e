//! A wait for a time ends at that time: neither a stop of the process (SIGSTOP)
//! nor foreign signals make it begin again.
//!
//! Not here: `ppoll`, `pselect` and `select`, whose time-out stands still while
//! the process is stopped, as in the plain calls; and what a stop of
//! the process ends with `EINTR`, marked or not (signal(7)).

#![allow(unsafe_code)]

use core::ptr::null_mut;
use core::sync::atomic::{AtomicU32, Ordering};
use std::io::{Error, ErrorKind};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::sync::mpsc as plain_mpsc;
use std::time::{Duration, Instant};
use stop_tests::proc::{asleep_in, limit, wait_for, wait_for_state};
use stop_tests::signals::catch;
use stop_tests::tracee::{Line, line_to_tracer, start};
use stop_tests::{FUTEXES, full_listener, on_backends, thread_id, timespec};
use stopruntime::ext::{ConnectTimeoutOrStop, sleep_or_stop, sleep_until_or_stop};
use stopruntime::sync::{Condvar, Mutex, Semaphore, mpsc};
use stopruntime::{Backend, backend, sys, thread};

/// What is waited for in the storm of signals.
const SHORT: Duration = Duration::from_millis(300);
/// What is waited for by a process that is stopped: half of it is the slack.
const LONG: Duration = Duration::from_secs(2);

/// A call that waits for this long.
type Wait = (&'static str, fn(Duration));

/// Those that go on after any signal.
const STEADY: &[Wait] = &[
    ("thread::sleep", |time| sleep_or_stop(time).unwrap()),
    ("thread::sleep_until", |time| sleep_until_or_stop(Instant::now() + time).unwrap()),
    ("Condvar::wait_timeout", |time| {
        let (lock, condvar) = (Mutex::new(()), Condvar::new());
        let waited = condvar.wait_timeout_or_stop(lock.lock().unwrap(), time);
        assert!(waited.unwrap().unwrap().1.timed_out());
    }),
    ("Semaphore::acquire_timeout", |time| {
        assert!(Semaphore::new(0).acquire_timeout_or_stop(time).unwrap().is_none());
    }),
    ("mpsc::Receiver::recv_timeout", |time| {
        let (_sender, receiver) = mpsc::channel::<()>();
        let received = receiver.recv_timeout_or_stop(time).unwrap();
        assert_eq!(received, Err(plain_mpsc::RecvTimeoutError::Timeout));
    }),
    ("TcpStream::connect_timeout", |time| {
        let (listener, _filler) = full_listener();
        let address = listener.local_addr().unwrap();
        let error = TcpStream::connect_timeout_or_stop(&address, time).unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }),
    ("sys::aio_suspend", |time| {
        let time = timespec(time);
        let (reader, _writer) = std::io::pipe().unwrap();
        // Not ended when the test is: left to the process.
        // SAFETY: zeroed is a request to be filled in; it and its buffer last
        // as long as the process.
        let request = unsafe {
            let request: &mut libc::aiocb = Box::leak(Box::new(core::mem::zeroed()));
            request.aio_fildes = reader.as_raw_fd();
            request.aio_buf = core::ptr::from_mut(Box::leak(Box::new(0_u8))).cast();
            request.aio_nbytes = 1;
            request.aio_sigevent.sigev_notify = libc::SIGEV_NONE;
            assert_eq!(libc::aio_read(request), 0);
            core::ptr::from_mut(request)
        };
        let list = [request.cast_const()];
        // SAFETY: a list of one; the time outlives the call.
        let result = unsafe { sys::aio_suspend_or_stop(list.as_ptr(), 1, &raw const time) };
        fails_with(libc::EAGAIN, result.unwrap().into());
    }),
];

/// Those that a handler ends with `EINTR`, as the plain calls.
const BY_NAME: &[Wait] = &[
    ("sys::nanosleep", |time| {
        let time = timespec(time);
        // SAFETY: the time outlives the call.
        assert_eq!(unsafe { sys::nanosleep_or_stop(&raw const time, null_mut()) }, Ok(0));
    }),
    ("sys::clock_nanosleep", |time| sleep_by(0, time)),
    ("sys::clock_nanosleep until", |time| sleep_by(libc::TIMER_ABSTIME, time)),
    ("sys::sleep", |time| {
        let seconds = time.as_secs().try_into().unwrap();
        // SAFETY: a number.
        assert_eq!(unsafe { sys::sleep_or_stop(seconds) }, Ok(0));
    }),
    ("sys::usleep", |time| {
        let microseconds = time.as_micros().try_into().unwrap();
        // SAFETY: a number.
        assert_eq!(unsafe { sys::usleep_or_stop(microseconds) }, Ok(0));
    }),
    ("sys::poll", |time| {
        let milliseconds = time.as_millis().try_into().unwrap();
        // SAFETY: no entries.
        assert_eq!(unsafe { sys::poll_or_stop(null_mut(), 0, milliseconds) }, Ok(0));
    }),
    ("sys::futex(FUTEX_WAIT)", |time| wait_for_word(libc::FUTEX_WAIT, time)),
    ("sys::futex(FUTEX_WAIT_BITSET)", |time| {
        wait_for_word(libc::FUTEX_WAIT_BITSET, now(libc::CLOCK_MONOTONIC) + time);
    }),
    ("sys::futex_waitv", |time| {
        let clock = libc::CLOCK_MONOTONIC;
        let deadline = timespec(now(clock) + time);
        let word = AtomicU32::new(0);
        // SAFETY: zeroed is an entry to be filled in.
        let mut entry: libc::futex_waitv = unsafe { core::mem::zeroed() };
        entry.uaddr = word.as_ptr() as u64;
        entry.flags = libc::FUTEX2_SIZE_U32.unsigned_abs();
        // SAFETY: one word, which outlives the call, and so does the deadline.
        let result =
            unsafe { sys::futex_waitv_or_stop(&raw mut entry, 1, 0, &raw const deadline, clock) };
        fails_with(libc::ETIMEDOUT, result.unwrap());
    }),
    ("sys::mq_timedreceive", receive_until),
];

fn now(clock: libc::clockid_t) -> Duration {
    let mut now = timespec(Duration::ZERO);
    // SAFETY: a place for the time.
    assert_eq!(unsafe { libc::clock_gettime(clock, &raw mut now) }, 0);
    Duration::new(now.tv_sec.try_into().unwrap(), now.tv_nsec.try_into().unwrap())
}

fn fails_with(errno: i32, result: libc::c_long) {
    let error = Error::last_os_error();
    assert_eq!((result, error.raw_os_error()), (-1, Some(errno)), "{error}");
}

fn sleep_by(flags: i32, time: Duration) {
    let clock = libc::CLOCK_MONOTONIC;
    let start = if flags == 0 { Duration::ZERO } else { now(clock) };
    let time = timespec(start + time);
    // SAFETY: the time outlives the call.
    let slept = unsafe { sys::clock_nanosleep_or_stop(clock, flags, &raw const time, null_mut()) };
    assert_eq!(slept, Ok(0));
}

fn wait_for_word(operation: i32, time: Duration) {
    let (word, time) = (AtomicU32::new(0), timespec(time));
    let operation = operation | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the word and the time outlive the call.
    let result = unsafe {
        sys::futex_or_stop(word.as_ptr(), operation, 0, &raw const time, null_mut(), u32::MAX)
    };
    fails_with(libc::ETIMEDOUT, result.unwrap());
}

fn receive_until(time: Duration) {
    let deadline = timespec(now(libc::CLOCK_REALTIME) + time);
    let name = std::ffi::CString::new(format!("/stop-tests-deadline-{}", std::process::id()));
    let name = name.unwrap();
    let mut place = [0; 8];
    // SAFETY: a terminated name, attributes that are filled in, and a place for
    // a message.
    unsafe {
        let mut attributes: libc::mq_attr = core::mem::zeroed();
        attributes.mq_maxmsg = 1;
        attributes.mq_msgsize = 8;
        let flags = libc::O_CREAT | libc::O_RDWR;
        let queue = libc::mq_open(name.as_ptr(), flags, 0o600, &raw mut attributes);
        assert!(queue >= 0, "{}", Error::last_os_error());
        libc::mq_unlink(name.as_ptr());
        let place = place.as_mut_ptr();
        let length = sys::mq_timedreceive_or_stop(queue, place, 8, null_mut(), &raw const deadline);
        fails_with(libc::ETIMEDOUT, length.unwrap() as libc::c_long);
        libc::mq_close(queue);
    }
}

/// A wait in a thread of its own: its thread's id, and how long it takes.
fn begin(wait: fn(Duration), time: Duration) -> (i32, thread::JoinHandle<Duration>) {
    let (sender, receiver) = plain_mpsc::channel();
    let handle = thread::spawn(move || {
        sender.send(thread_id()).unwrap();
        let start = Instant::now();
        wait(time);
        start.elapsed()
    });
    (receiver.recv().unwrap(), handle)
}

/// That this kernel has.
fn all() -> impl Iterator<Item = &'static Wait> {
    let missing: &[&str] =
        if stopruntime::support().futex_waitv { &[] } else { &["sys::futex_waitv"] };
    // Where poll is ppoll, its time-out stands still meanwhile, as libc's does.
    let stands_still = stop_tests::POLL == libc::SYS_ppoll && backend() != Backend::Ppoll;
    let stands_still: &[&str] =
        if stands_still { &["sys::poll", "TcpStream::connect_timeout"] } else { &[] };
    STEADY
        .iter()
        .chain(BY_NAME)
        .filter(move |(name, _)| !missing.contains(name) && !stands_still.contains(name))
}

/// Tracee: all waits at once.
fn wait_in_all(mut line: Line) {
    let waits: Vec<_> = all().map(|(_, wait)| begin(*wait, LONG)).collect();
    for (thread, _) in &waits {
        line.send_number(*thread);
    }
    for (_, handle) in waits {
        let took = handle.join().map_or(-1, |took| took.as_millis().try_into().unwrap());
        line.send_number(took);
    }
}

static STORM: AtomicU32 = AtomicU32::new(0);

extern "C" fn on_signal(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    STORM.fetch_add(1, Ordering::Relaxed);
}

/// Sends a signal to a thread of this process, unless it has just ended.
fn interrupt(thread: i32) {
    // SAFETY: three integers.
    unsafe { libc::syscall(libc::SYS_tgkill, std::process::id(), thread, libc::SIGUSR2) };
}

/// Signals meet the waits: shorter ones may be over before the first, on a busy machine.
fn no_signal_moves_a_deadline(flags: i32) {
    catch(libc::SIGUSR2, on_signal, flags, &[]);
    let mut time = SHORT;
    while STORM.load(Ordering::Relaxed) == 0 {
        no_signal_moves(time);
        time *= 2;
    }
}

/// Sends signals to all of the waits until they are over.
fn no_signal_moves(time: Duration) {
    let waits: Vec<_> = STEADY.iter().map(|(name, wait)| (name, begin(*wait, time))).collect();
    let end = Instant::now() + limit();
    // A wait that began again with each signal would never be over.
    while waits.iter().any(|(_, (_, handle))| !handle.is_finished()) {
        for (name, (thread, handle)) in &waits {
            if !handle.is_finished() {
                assert!(Instant::now() < end, "{name} does not end");
                interrupt(*thread);
            }
        }
        std::thread::yield_now();
    }
    for (name, (_, handle)) in waits {
        let took = handle.join().expect("it ended as a time-out does");
        assert!(took >= time, "{name} ended after {took:?}");
    }
}

on_backends! { FUTEXES;
    fn a_stop_of_the_process_moves_none() {
        if let Some(line) = line_to_tracer() {
            return wait_in_all(line);
        }
        let begun = Instant::now();
        let (tracee, mut line) = start();
        let names = || all().map(|(name, _)| *name);
        let threads: Vec<i32> = names().map(|_| line.receive_number()).collect();
        wait_for("all waits", || threads.iter().all(|thread| asleep_in(*thread).is_some()));
        let signal = |signal| {
            // SAFETY: two integers, and the process is ours.
            assert_eq!(unsafe { libc::kill(tracee.process(), signal) }, 0);
        };
        signal(libc::SIGSTOP);
        for thread in &threads {
            wait_for_state(*thread, "T");
        }
        // What is tested is time itself: until every deadline has passed.
        std::thread::sleep(LONG);
        signal(libc::SIGCONT);
        let thawed = begun.elapsed();
        let mut wrong = Vec::new();
        for name in names() {
            let took = line.receive_number();
            let took = Duration::from_millis(took.try_into().unwrap_or_else(|_| panic!("{name} failed")));
            // It ends at once. With the time that was left when the process was
            // stopped, it would end later by nearly that time.
            if took < LONG || took > thawed + LONG / 2 {
                wrong.push((name, took));
            }
        }
        assert!(wrong.is_empty(), "thawed {thawed:?} after the start, but: {wrong:?}");
    }

    fn signals_with_restart_move_none() {
        no_signal_moves_a_deadline(libc::SA_RESTART);
    }

    fn signals_without_restart_move_none() {
        no_signal_moves_a_deadline(0);
    }
}
