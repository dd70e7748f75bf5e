//! What a thread that is stopped does besides: calls that are not marked, in
//! the same thread, between its marked ones and after the last. A request has
//! to leave no trace in them.
//!
//! All but the futex wait and the park are calls that the kernel never restarts
//! after a signal, whatever `SA_RESTART` says (signal(7)).

use std::io::{ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::sync::atomic::AtomicU32;
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Two ends of a stream on which nothing is ever sent.
static SILENCE: OnceLock<(UnixStream, UnixStream)> = OnceLock::new();

/// Opens what the calls need, before descriptors are counted.
///
/// # Panics
///
/// If the system has no socket left.
pub(crate) fn prepare() {
    SILENCE.get_or_init(|| {
        let pair = UnixStream::pair().expect("a socket");
        pair.0.set_read_timeout(Some(Duration::from_micros(50))).expect("a time-out");
        pair
    });
}

/// The unmarked calls of one thread, and what they noticed.
pub(crate) struct Aside {
    random: fastrand::Rng,
    pub(crate) interrupted: u64,
    pub(crate) spurious: u64,
    /// Not where threads start children: `posix_spawn(3)` blocks `SIGCHLD`, so that one which
    /// comes meanwhile is not ignored, and ends another thread's receive with a time-out.
    pub(crate) receives: bool,
    /// Not where the marked call is a park, whose stop may leave a token.
    pub(crate) parks: bool,
    /// When the last of them was over.
    pub(crate) until: Instant,
}

impl Aside {
    pub(crate) fn new(seed: u64) -> Aside {
        let random = fastrand::Rng::with_seed(seed);
        Aside {
            random,
            interrupted: 0,
            spurious: 0,
            receives: true,
            parks: true,
            until: Instant::now(),
        }
    }

    /// Random numbers for the work itself.
    pub(crate) fn random(&mut self) -> &mut fastrand::Rng {
        &mut self.random
    }

    /// Now and then makes an unmarked call.
    pub(crate) fn look(&mut self) {
        if self.random.u8(..) < 16 {
            self.call();
        }
    }

    /// After the last marked call: where a late signal would strike.
    pub(crate) fn look_back(&mut self) {
        if self.random.u8(..) < 64 {
            self.call();
        }
    }

    fn call(&mut self) {
        let time = Duration::from_micros(self.random.u64(1..30));
        let start = Instant::now();
        match self.random.u8(0..64) {
            0 if self.receives => self.read(),
            0..20 => self.poll(time),
            20..40 => self.sleep(time),
            40..50 => self.wait(time),
            50..57 if self.parks => std::thread::park_timeout(time),
            _ => self.wait_for_notification(time),
        }
        self.until = Instant::now();
        if self.until - start < time {
            self.spurious += 1;
        }
    }

    /// With a time-out of the socket: it ends by that, in a tick of the clock.
    fn read(&mut self) {
        let mut end = &SILENCE.get().expect("prepared").0;
        match end.read(&mut [0]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => self.interrupted += 1,
            _ => self.spurious += 1,
        }
    }

    fn poll(&mut self, time: Duration) {
        let time = timespec(time);
        // SAFETY: no descriptors; the time-out outlives the call.
        let result =
            unsafe { libc::ppoll(core::ptr::null_mut(), 0, &raw const time, core::ptr::null()) };
        self.judge(result, 0);
    }

    fn sleep(&mut self, time: Duration) {
        let time = timespec(time);
        // SAFETY: the time outlives the call; the rest is not asked for.
        let result = unsafe { libc::nanosleep(&raw const time, core::ptr::null_mut()) };
        self.judge(result, 0);
    }

    /// A futex that nothing wakes.
    fn wait(&mut self, time: Duration) {
        let (word, time) = (AtomicU32::new(0), timespec(time));
        let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
        // SAFETY: futex(2) on a word and with a time-out that outlive the call.
        let result =
            unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, 0, &raw const time) };
        self.judge(if result == 0 { 0 } else { -1 }, libc::ETIMEDOUT);
    }

    fn wait_for_notification(&mut self, time: Duration) {
        let (mutex, condvar) = (Mutex::new(()), Condvar::new());
        let guard = mutex.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = condvar.wait_timeout(guard, time);
        let (_guard, result) = waited.unwrap_or_else(PoisonError::into_inner);
        self.spurious += u64::from(!result.timed_out());
    }

    /// `expected` is the errno of a call that took its time; 0 for success.
    fn judge(&mut self, result: i32, expected: i32) {
        let errno = if result == 0 {
            0
        } else {
            std::io::Error::last_os_error().raw_os_error().unwrap_or_default()
        };
        match errno {
            libc::EINTR => self.interrupted += 1,
            errno if errno != expected => self.spurious += 1,
            _ => {}
        }
    }
}

fn timespec(time: Duration) -> libc::timespec {
    libc::timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: time.subsec_nanos().into() }
}
