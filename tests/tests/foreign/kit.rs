//! What the tests of this program share.

use std::io::{Read, pipe};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use stop_tests::{thread_id, wait_until_blocked_in};
use stopruntime::{ForeignSupport, Stopped, Stopper, foreign, foreign_support};

/// Whether this process has been told to use the timer.
pub(crate) fn is_tick() -> bool {
    std::env::var_os("STOPRUNTIME_FOREIGN").is_some()
}

/// Whether calls are handed over.
pub(crate) fn is_dispatch() -> bool {
    cfg!(target_arch = "x86_64") && !is_tick()
}

/// Before everything else in a process.
pub(crate) fn choose_tick() {
    // SAFETY: the only thread that has begun.
    unsafe { std::env::set_var("STOPRUNTIME_FOREIGN", "tick") };
}

static TIMER: AtomicBool = AtomicBool::new(false);

/// What was installed here has the timer taken, and the runtime says so.
pub(crate) fn is_timer_from_here_on() {
    TIMER.store(true, SeqCst);
    assert_eq!(foreign_support(), ForeignSupport::Tick);
}

/// The way that was chosen is the one in force. After the test, because it prepares what the
/// first region would.
pub(crate) fn check_way() {
    let is_dispatch = is_dispatch() && !TIMER.load(SeqCst);
    let expected = if is_dispatch { ForeignSupport::Dispatch } else { ForeignSupport::Tick };
    let support = stopruntime::support();
    assert_eq!((support.foreign, foreign_support()), (expected, expected));
    assert!(support.to_string().ends_with(&format!("foreign code: {expected}")), "{support}");
}

/// Tests for both ways, on every backend.
#[macro_export]
macro_rules! both_ways {
    ($($(#[$attribute:meta])* fn $name:ident() $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            fn test() $body

            stop_tests::per_backend! {
                $(#[$attribute])*
                fn handed_over() {
                    test();
                    $crate::kit::check_way();
                }
                $(#[$attribute])*
                fn by_timer() {
                    $crate::kit::choose_tick();
                    test();
                    $crate::kit::check_way();
                }
            }
        }
    )*};
}

/// The errno of a stopped call.
pub(crate) const CANCELED: i32 = libc::ECANCELED;

/// How long a stopped region may take, on a loaded machine.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Stops `f` in a region of another thread, after it has blocked in one of these calls;
/// what the region returned, and when.
pub(crate) fn stopped_in<R: Send + 'static>(
    calls: &[libc::c_long],
    f: impl FnOnce() -> R + Send + 'static,
) -> R {
    stopped_region(calls, move || foreign(f)).expect("it had begun")
}

/// The same of a thread that opens the region itself.
pub(crate) fn stopped_region<R: Send + 'static>(
    calls: &[libc::c_long],
    f: impl FnOnce() -> Result<R, Stopped> + Send + 'static,
) -> Result<R, Stopped> {
    let (sender, receiver) = mpsc::channel();
    let thread = stopruntime::thread::spawn(move || {
        sender.send(thread_id()).unwrap();
        let result = f();
        assert_clean();
        result
    });
    wait_until_blocked_in(receiver.recv().unwrap(), calls);
    let start = Instant::now();
    assert!(thread.request_stop());
    let result = thread.join().unwrap();
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
    result
}

/// A line of this thread's status.
pub(crate) fn status(name: &str) -> String {
    let text = std::fs::read_to_string("/proc/thread-self/status").unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}"));
    line[name.len()..].trim_start_matches(':').trim().to_owned()
}

/// Nothing is left of a region: no signal pending, no handed over call, no timer.
pub(crate) fn assert_clean() {
    assert_eq!(u64::from_str_radix(&status("SigPnd"), 16).unwrap(), 0);
    let timers = std::fs::read_to_string("/proc/self/timers").unwrap_or_default();
    assert_eq!(timers, "");
}

pub(crate) fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap()
}

/// Runs `f` in a region where something is stopped from the start.
pub(crate) fn armed<R>(f: impl FnOnce() -> R) -> R {
    let job = Stopper::new();
    job.request_stop();
    let result = foreign(|| job.run(f)).unwrap();
    assert_clean();
    result
}

/// The error of a plain read of a pipe that nothing comes through.
pub(crate) fn plain_read() -> i32 {
    let (mut reader, _writer) = pipe().unwrap();
    reader.read(&mut [0]).unwrap_err().raw_os_error().unwrap()
}

/// A plain read that waits as it should, until the other end goes.
pub(crate) fn reads_on() {
    reads_on_for(Duration::ZERO);
}

/// The same, and waits so long at least.
pub(crate) fn reads_on_for(time: Duration) {
    let (mut reader, writer) = pipe().unwrap();
    let this = thread_id();
    let writer = std::thread::spawn(move || {
        wait_until_blocked_in(this, &[libc::SYS_read]);
        // Time itself is what may end it.
        std::thread::sleep(time);
        drop(writer);
    });
    assert_eq!(reader.read(&mut [0]).unwrap(), 0);
    // Not a call that is ended.
    writer.join().unwrap();
}
