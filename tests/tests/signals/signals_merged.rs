//! The kernel does not deliver each signal with its own siginfo: pending ones
//! of one number are merged, and over the limit of pending ones the siginfo is
//! left out. A request arrives all the same. signal(7), setrlimit(2).

use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};
use stop_tests::proc::{rest, wait_for};
use stop_tests::seccomp::deny;
use stop_tests::signals::{STOP, catch, send};
use stop_tests::started::start;
use stop_tests::{on_backends, per_backend};
use stopruntime::ext::ReadOrStop;
use stopruntime::{backend, shield};

const WAITS: [libc::c_long; 2] = [libc::SYS_recvfrom, libc::SYS_ppoll];
/// The runtime chooses.
const NOT_SET: [&str; 1] = [""];

/// No more signals with siginfo for this process: the kernel counts those of
/// the whole user, and 0 is never more than there are.
fn let_none_be_pending() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a valid place for the limits.
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_SIGPENDING, &raw mut limit), 0);
        limit.rlim_cur = 0;
        assert_eq!(libc::setrlimit(libc::RLIMIT_SIGPENDING, &raw const limit), 0);
    }
}

/// Sends the signal to a thread of this process, with a value.
/// `rt_tgsigqueueinfo(2)`.
fn queue(thread: i32, signal: i32) {
    // SAFETY: zeroed is a valid siginfo.
    let mut info: libc::siginfo_t = unsafe { core::mem::zeroed() };
    info.si_code = libc::SI_QUEUE;
    let process = std::process::id().cast_signed();
    let info = &raw const info;
    // SAFETY: three integers and a siginfo that outlives the call.
    let sent = unsafe { libc::syscall(libc::SYS_rt_tgsigqueueinfo, process, thread, signal, info) };
    assert_eq!(sent, 0, "{}", std::io::Error::last_os_error());
}

static ON_TOP: AtomicBool = AtomicBool::new(false);
static LEAVE: AtomicBool = AtomicBool::new(false);

/// Stays on top of what it interrupts until it is told to leave.
extern "C" fn stays(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    ON_TOP.store(true, Ordering::SeqCst);
    while !LEAVE.load(Ordering::SeqCst) {
        std::hint::spin_loop();
    }
}

/// The same with the stop signal blocked until it has left. By itself, and not by
/// the mask of sigaction(2), which qemu-riscv64 does not take as it is given.
extern "C" fn stays_closed(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: a set of this handler's own; async-signal-safe.
    unsafe {
        let mut set = core::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, STOP);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, core::ptr::null_mut());
    }
    stays(signal, info, context);
}

static EARLIER: AtomicU32 = AtomicU32::new(0);
static EARLIER_CODE: AtomicI32 = AtomicI32::new(0);

/// Was there before the runtime.
extern "C" fn earlier(_: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    EARLIER.fetch_add(1, Ordering::SeqCst);
    // SAFETY: the kernel's siginfo, handed on.
    EARLIER_CODE.store(unsafe { (*info).si_code }, Ordering::SeqCst);
}

/// A marked read that nothing feeds, then a call in a shield: where the stop
/// signal is open for a moment only, what is still pending is delivered.
fn reads_to_the_stop(mut stream: UnixStream) -> bool {
    let stopped = stream.read_or_stop(&mut [0]).is_err();
    let _ = shield(|| stopruntime::ext::sleep_or_stop(std::time::Duration::from_millis(1)));
    stopped
}

fn reaches_no_earlier_handler(restrict: fn()) {
    catch(STOP, earlier, libc::SA_RESTART, &[]);
    let (stream, _peer) = UnixStream::pair().unwrap();
    let reader = start(move || reads_to_the_stop(stream));
    reader.wait_until_at_rest_in(&WAITS);
    restrict();
    assert!(reader.stopped());
    assert_eq!(EARLIER.load(Ordering::SeqCst), 0, "with code {EARLIER_CODE:?}");
}

per_backend! {
    fn over_the_limit_of_pending_signals_a_request_arrives() {
        let (stream, _peer) = UnixStream::pair().unwrap();
        let reader = start(move || reads_to_the_stop(stream));
        reader.wait_until_at_rest_in(&WAITS);
        let_none_be_pending();
        assert!(reader.stopped());
    }

    fn over_the_limit_a_request_reaches_no_earlier_handler() {
        reaches_no_earlier_handler(let_none_be_pending);
    }

    fn nor_without_its_number() {
        if stop_tests::emulation_hides("a sandbox", stop_tests::NO_FILTERS) {
            return;
        }
        reaches_no_earlier_handler(|| deny(libc::SYS_rt_tgsigqueueinfo, libc::EPERM));
    }

    /// Sent again from the handler, the request has no siginfo either.
    fn over_the_limit_it_arrives_after_a_foreign_handler_too() {
        // Without SIGURG in its mask: ours runs on top of it.
        catch(libc::SIGUSR2, stays, libc::SA_RESTART, &[]);
        let (stream, _peer) = UnixStream::pair().unwrap();
        let reader = start(move || reads_to_the_stop(stream));
        reader.wait_until_at_rest_in(&WAITS);
        let_none_be_pending();
        send(reader.thread(), libc::SIGUSR2);
        wait_for("the foreign handler", || ON_TOP.load(Ordering::SeqCst));
        reader.request_stop();
        LEAVE.store(true, Ordering::SeqCst);
        assert!(reader.ended());
    }

    fn a_request_that_meets_a_pending_foreign_signal_is_not_lost_nor_is_that() {
        catch(STOP, earlier, libc::SA_RESTART, &[]);
        catch(libc::SIGUSR2, stays_closed, libc::SA_RESTART, &[]);
        let (stream, _peer) = UnixStream::pair().unwrap();
        let reader = start(move || reads_to_the_stop(stream));
        reader.wait_until_at_rest_in(&WAITS);
        // From here on the signal is blocked in that thread.
        send(reader.thread(), libc::SIGUSR2);
        wait_for("the foreign handler", || ON_TOP.load(Ordering::SeqCst));
        queue(reader.thread(), STOP);
        let bit = 1 << (STOP - 1);
        assert_ne!(rest(reader.thread()).pending & bit, 0, "the foreign one is pending");
        assert_eq!(EARLIER.load(Ordering::SeqCst), 0);
        // Ours is merged into it.
        reader.request_stop();
        LEAVE.store(true, Ordering::SeqCst);
        assert!(reader.ended());
        assert_eq!(EARLIER.load(Ordering::SeqCst), 1, "the earlier handler's own signal");
        assert_eq!(EARLIER_CODE.load(Ordering::SeqCst), libc::SI_QUEUE);
    }
}

on_backends! { NOT_SET;
    /// Timers cannot be made either, with which a backend is proved.
    fn a_limit_from_the_start_costs_at_most_a_backend() {
        let_none_be_pending();
        let (stream, _peer) = UnixStream::pair().unwrap();
        let reader = start(move || reads_to_the_stop(stream));
        reader.wait_until_at_rest_in(&WAITS);
        assert!(reader.stopped(), "on {}", backend());
    }
}
