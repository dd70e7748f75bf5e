//! What the tests share: a process for each test and backend, and the proof
//! that a thread is blocked.

#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "helpers of tests, which panic where a test fails"
)]

mod child;
pub mod churn;
pub mod compiler;
pub mod copies;
pub mod cores;
pub mod dice;
pub mod directory;
// Single steps, by x86-64's registers.
#[cfg(target_arch = "x86_64")]
pub mod marked_read;
pub mod proc;
mod processes;
#[cfg(target_arch = "x86_64")]
pub mod ptrace;
pub mod rseq;
pub mod seccomp;
pub mod signals;
pub mod started;
pub mod timers;
pub mod tracee;
#[cfg(target_arch = "x86_64")]
pub mod way;

pub use child::{is_child, program, run, this_program, this_test};
pub use processes::{descendants, kill_with_descendants};
pub use stop_testkit::sys::full_listener;
pub use stop_testkit::{blocked_in, thread_id};

use std::io::Write as _;
use std::time::{Duration, Instant};

/// The names `STOPRUNTIME_BACKEND` knows.
pub const BACKENDS: [&str; 3] = ["rseq", "handler", "ppoll"];

/// The same, and once more without `futex_waitv(2)`, for [`on_backends!`]: what
/// waits in a futex waits in another way there.
pub const FUTEXES: [&str; 4] = ["rseq", "handler", "ppoll", "ppoll without futex_waitv"];

/// Whether this architecture has windows: all three backends, where the kernel
/// has rseq(2); else ppoll alone.
pub const HAS_WINDOWS: bool = cfg!(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    target_arch = "riscv64",
    target_arch = "loongarch64"
));

/// poll(2), or what libc makes of it where there is none.
#[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
pub const POLL: libc::c_long = libc::SYS_poll;
/// pause(2), or what libc makes of it where there is none.
#[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
pub const PAUSE: libc::c_long = libc::SYS_pause;
/// poll(2), or what libc makes of it where there is none.
#[cfg(not(any(target_arch = "x86_64", target_arch = "x86")))]
pub const POLL: libc::c_long = libc::SYS_ppoll;
/// pause(2), or what libc makes of it where there is none.
#[cfg(not(any(target_arch = "x86_64", target_arch = "x86")))]
pub const PAUSE: libc::c_long = libc::SYS_ppoll;

/// What libc makes of recv(2).
#[cfg(not(target_arch = "x86"))]
pub const RECV: libc::c_long = libc::SYS_recvfrom;
/// What libc makes of recv(2).
#[cfg(target_arch = "x86")]
pub const RECV: libc::c_long = libc::SYS_socketcall;

/// The smallest stack that threads of these tests are given: what glibc says.
/// The 2 KiB that musl says do not hold std's own frames of a debug build.
pub const SMALL_STACK: usize =
    if libc::PTHREAD_STACK_MIN < 16 << 10 { 16 << 10 } else { libc::PTHREAD_STACK_MIN };

const LIMIT: &str = "STOP_TESTS_LIMIT";
const PART: &str = "STOP_TESTS_PART";

/// How long a test may take on one backend, besides its stresses: long enough
/// for a loaded machine; only a hang comes near it. `STOP_TESTS_LIMIT` sets it,
/// in seconds.
///
/// # Panics
///
/// If that is not a number.
#[must_use]
pub fn limit() -> Duration {
    let seconds = std::env::var(LIMIT).ok();
    Duration::from_secs(seconds.map_or(180, |text| text.parse().expect("a number of seconds")))
}

/// Whether `STOP_TESTS=all` asks for the long tests: all repetitions, and every
/// way of building a program.
#[must_use]
pub fn everything() -> bool {
    std::env::var("STOP_TESTS").is_ok_and(|which| which == "all")
}

/// Whether a developer waits for a bare `cargo test`: CI sets `STOP_TESTS`, to nothing where
/// it leaves the long tests out.
#[must_use]
pub fn is_a_developers() -> bool {
    std::env::var_os("STOP_TESTS").is_none()
}

/// Of a test's repetitions one in how many is made: as `STOP_TESTS_PART` says,
/// for a slow processor; else each if [`everything`] is asked for, and a part of
/// them for a developer, who waits for it.
///
/// # Panics
///
/// If that is not a number.
#[must_use]
pub fn part() -> u64 {
    let part = std::env::var(PART).ok();
    let usual = match () {
        () if everything() => 1,
        () if is_a_developers() => 20,
        () => 10,
    };
    part.map_or(usual, |text| text.parse().expect("a number above 0"))
}

/// As many of a test's runs as [`part`] leaves of them.
///
/// # Panics
///
/// If that is 0.
#[must_use]
pub fn part_of(runs: u64) -> u64 {
    runs.div_ceil(part())
}

/// Defines tests that run in a process of their own, once per backend; with
/// `STOPRUNTIME_BACKEND` set, only on that one.
///
/// ```text
/// stop_tests::per_backend! {
///     fn a_request_ends_a_read() { … }
/// }
/// ```
#[macro_export]
macro_rules! per_backend {
    ($($(#[$attribute:meta])* fn $name:ident() $body:block)*) => {$(
        $(#[$attribute])*
        #[test]
        fn $name() {
            fn body() $body
            $crate::run(concat!(module_path!(), "::", stringify!($name)), &$crate::BACKENDS, body);
        }
    )*};
}

/// As [`per_backend!`], for backends named first: `on ["rseq", "handler"]; fn …`.
///
/// As on an older kernel, `"ppoll without membarrier and futex_waitv"`, or in a
/// sandbox, `"ppoll forbidding membarrier and futex_waitv"`: those calls fail
/// with `ENOSYS` or `EPERM` from the beginning of the program.
#[macro_export]
macro_rules! on_backends {
    ($backends:expr; $($(#[$attribute:meta])* fn $name:ident() $body:block)*) => {$(
        $(#[$attribute])*
        #[test]
        fn $name() {
            fn body() $body
            $crate::run(concat!(module_path!(), "::", stringify!($name)), &$backends, body);
        }
    )*};
}

const NOT_TESTED: &str = "NOT TESTED: ";

/// For [`emulation_hides`]: a call cannot be denied there. seccomp(2) is `ENOSYS`
/// and `PR_SET_SECCOMP` `EINVAL`.
pub const NO_FILTERS: &str = "it has no seccomp filters";
/// For [`emulation_hides`], where the processor is big-endian.
pub const OWNER_SWAPPED: &str = "the kernel writes it into the word in its own byte order";
/// For [`emulation_hides`]: "assertion failed" in `qemu_plugin_vcpu_init_hook`.
pub const NO_FORKS: &str = "it aborts where a forked child of several threads starts one";
/// For [`emulation_hides`]: `PR_SET_CHILD_SUBREAPER` is `EINVAL`.
pub const NO_SUBREAPER: &str = "only init adopts orphans there";

/// Says what a test could not look at on this machine, also if it passes:
/// libtest keeps what it prints by `println!` to itself then.
pub fn not_tested(what: &str, why: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{NOT_TESTED}{what}: {why}");
}

/// Ends the process of one backend, under an emulator of user space, where this
/// has kept its test from going on; says so.
///
/// # Panics
///
/// If there is no emulator.
pub fn leave_out(what: &str, why: impl std::fmt::Display) -> ! {
    assert!(is_child() && stop_testkit::emulated::is_emulated(), "{what}: {why}");
    not_tested(what, format_args!("{why}, under an emulator of user space"));
    std::process::exit(0)
}

/// Whether an emulator of user space keeps a test from what it looks at; says
/// so, and why, if it does: what qemu-user 7.2 does in another way than Linux.
#[must_use]
pub fn emulation_hides(what: &str, why: &str) -> bool {
    let emulated = stop_testkit::emulated::is_emulated();
    if emulated {
        not_tested(what, format_args!("{why}, under an emulator of user space"));
    }
    emulated
}

/// A time as libc has it, on this architecture.
///
/// # Panics
///
/// If it does not fit.
#[must_use]
pub fn timespec(time: Duration) -> libc::timespec {
    libc::timespec {
        tv_sec: time.as_secs().try_into().expect("fits"),
        tv_nsec: time.subsec_nanos().cast_signed().into(),
    }
}

/// Waits until the thread sleeps in a system call and returns its number.
///
/// # Panics
///
/// If it does not within the time that only a hang takes.
#[must_use]
pub fn wait_until_blocked(thread: i32) -> libc::c_long {
    let deadline = Instant::now() + limit() / 3;
    loop {
        if let Some(number) = blocked_in(thread) {
            return number;
        }
        assert!(Instant::now() < deadline, "thread {thread} does not block");
        std::thread::yield_now();
    }
}

/// As [`wait_until_blocked`], in one of these calls: skips waits of the test's
/// own, such as a barrier's futex.
///
/// # Panics
///
/// As [`wait_until_blocked`].
pub fn wait_until_blocked_in(thread: i32, numbers: &[libc::c_long]) {
    let deadline = Instant::now() + limit() / 3;
    while blocked_in(thread).is_none_or(|number| !numbers.contains(&number)) {
        assert!(Instant::now() < deadline, "thread {thread} does not block in {numbers:?}");
        std::thread::yield_now();
    }
}
