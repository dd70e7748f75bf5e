//! What the stop signal did before the runtime came it still does, for every
//! signal that is not a request: on the stack, with the mask and with the
//! restarts that the earlier handler was installed for; and a default action
//! that ends the process ends it.

use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use stop_tests::seccomp::deny;
use stop_tests::signals::{STOP, catch, is_masked, plain_read, send};
use stop_tests::started::start;
use stop_tests::{per_backend, thread_id};
use stopruntime::Config;
use stopruntime::ext::{ReadOrStop, sleep_or_stop};

const WAITS: [libc::c_long; 2] = [libc::SYS_recvfrom, libc::SYS_ppoll];

static CALLS: AtomicU32 = AtomicU32::new(0);
/// Whether it ran on the alternate stack, and which signals were blocked.
static ON_STACK: AtomicI32 = AtomicI32::new(-1);
static MASKED: AtomicU32 = AtomicU32::new(0);

const LOOKED_AT: [i32; 4] = [libc::SIGUSR1, libc::SIGUSR2, libc::SIGWINCH, STOP];

/// Takes far more than an alternate stack has.
#[allow(clippy::large_stack_arrays, reason = "that is the point")]
extern "C" fn goes_deep(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let mut deep = [0_u8; 64 << 10];
    for byte in &mut deep {
        // SAFETY: a byte of this array.
        unsafe { core::ptr::write_volatile(byte, 1) };
    }
    looks(signal, info, context);
}

extern "C" fn looks(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: a query into a place of the right type.
    let flags = unsafe {
        let mut stack: libc::stack_t = core::mem::zeroed();
        libc::sigaltstack(core::ptr::null(), &raw mut stack);
        stack.ss_flags
    };
    ON_STACK.store(flags & libc::SS_ONSTACK, Ordering::SeqCst);
    let masked = LOOKED_AT.iter().filter(|signal| is_masked(**signal));
    MASKED.store(masked.fold(0, |bits, signal| bits | 1 << signal), Ordering::SeqCst);
    CALLS.fetch_add(1, Ordering::SeqCst);
}

extern "C" fn counts(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    CALLS.fetch_add(1, Ordering::SeqCst);
}

/// Which of the signals that are looked at were blocked in a handler with these
/// flags and this mask, in a thread that blocks `SIGWINCH`.
fn masked_in(flags: i32, mask: &[i32]) -> Vec<i32> {
    catch(STOP, looks, flags, mask);
    let _installed = stopruntime::backend();
    std::thread::spawn(|| {
        stop_tests::signals::mask(libc::SIG_BLOCK, libc::SIGWINCH);
        send(thread_id(), STOP);
    })
    .join()
    .unwrap();
    assert_eq!(CALLS.load(Ordering::SeqCst), 1);
    let bits = MASKED.load(Ordering::SeqCst);
    LOOKED_AT.into_iter().filter(|signal| bits & 1 << signal != 0).collect()
}

/// Whether the masks of handlers are as they were given.
fn masks_are_kept() -> bool {
    if !stop_tests::HAS_WINDOWS {
        stop_tests::not_tested("the mask of an earlier handler", "all is blocked there");
        return false;
    }
    !stop_tests::emulation_hides("the mask of an earlier handler", "qemu-riscv64 takes no mask")
}

/// The wait status of a forked child that does this and exits with 0.
fn child(body: impl FnOnce()) -> i32 {
    // SAFETY: the child is a copy of this thread alone and ends at once.
    let child = unsafe { libc::fork() };
    if child == 0 {
        body();
        // SAFETY: ends the child.
        unsafe { libc::_exit(0) }
    }
    let mut status = -1;
    // SAFETY: our child, a valid place.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    status
}

/// Reads are stopped, again and again, by a signal whose default action ends
/// the process: it lives on.
fn many_stops(runs: u64) {
    for _ in 0..stop_tests::part_of(runs) {
        let (mut stream, _peer) = UnixStream::pair().unwrap();
        let reader = start(move || stream.read_or_stop(&mut [0]).is_err());
        stop_tests::wait_until_blocked_in(reader.thread(), &WAITS);
        assert!(reader.stopped());
    }
}

per_backend! {
    fn one_without_an_alternate_stack_has_the_threads_own() {
        catch(STOP, goes_deep, libc::SA_RESTART, &[]);
        let _installed = stopruntime::backend();
        std::thread::spawn(|| send(thread_id(), STOP)).join().unwrap();
        assert_eq!(CALLS.load(Ordering::SeqCst), 1);
        assert_eq!(ON_STACK.load(Ordering::SeqCst), 0, "on the thread's own");
    }

    fn one_without_restarts_ends_a_plain_call_and_a_stop_ends_a_marked_one() {
        catch(STOP, counts, 0, &[]);
        let _installed = stopruntime::backend();
        let (stream, _peer) = UnixStream::pair().unwrap();
        // Not registered: no backend blocks the signal there.
        let (sender, receiver) = std::sync::mpsc::channel();
        let mine = stream.try_clone().unwrap();
        let plain = std::thread::spawn(move || {
            sender.send(thread_id()).unwrap();
            plain_read(std::os::fd::AsRawFd::as_raw_fd(&mine))
        });
        let thread = receiver.recv().unwrap();
        stop_tests::wait_until_blocked_in(thread, &[libc::SYS_read]);
        send(thread, STOP);
        assert_eq!(plain.join().unwrap(), Err(libc::EINTR));
        assert_eq!(CALLS.load(Ordering::SeqCst), 1);
        many_stops(20);
        let sleeper = start(|| sleep_or_stop(std::time::Duration::MAX).is_err());
        sleeper.wait_until_at_rest_in(&[libc::SYS_futex]);
        assert!(sleeper.stopped());
        assert_eq!(CALLS.load(Ordering::SeqCst), 1, "requests are none of its own");
    }

    fn during_one_its_mask_is_blocked_and_the_threads_and_no_other() {
        let masked = masked_in(libc::SA_RESTART | libc::SA_ONSTACK, &[libc::SIGUSR1]);
        if masks_are_kept() {
            assert_eq!(masked, [libc::SIGUSR1, libc::SIGWINCH, STOP]);
        }
    }

    fn and_not_its_own_signal_if_it_does_not_want_that() {
        let masked = masked_in(libc::SA_NODEFER | libc::SA_ONSTACK, &[libc::SIGUSR2]);
        if masks_are_kept() {
            assert_eq!(masked, [libc::SIGUSR2, libc::SIGWINCH]);
        }
    }

    fn one_that_is_to_run_once_runs_once() {
        catch(STOP, counts, libc::SA_RESETHAND, &[]);
        let _installed = stopruntime::backend();
        std::thread::spawn(|| (0..3).for_each(|_| send(thread_id(), STOP))).join().unwrap();
        assert_eq!(CALLS.load(Ordering::SeqCst), 1);
    }

    fn a_default_action_that_ends_the_process_ends_it() {
        for signal in [libc::SIGUSR1, libc::SIGALRM, libc::SIGTERM, libc::SIGHUP] {
            let status = child(|| {
                // nohup(1) has it ignored, say.
                // SAFETY: the default action, which is no function.
                unsafe { libc::signal(signal, libc::SIG_DFL) };
                Config::new().signal(signal).install().unwrap();
                send(thread_id(), signal);
            });
            assert_eq!(status, signal, "ended by it");
        }
        for signal in [libc::SIGURG, libc::SIGCHLD, libc::SIGWINCH, libc::SIGCONT] {
            let status = child(|| {
                Config::new().signal(signal).install().unwrap();
                send(thread_id(), signal);
            });
            assert_eq!(status, 0, "signal {signal} ends nothing");
        }
    }

    fn also_after_a_handler_that_was_to_run_once() {
        let status = child(|| {
            catch(libc::SIGUSR1, counts, libc::SA_RESETHAND, &[]);
            Config::new().signal(libc::SIGUSR1).install().unwrap();
            send(thread_id(), libc::SIGUSR1);
            if CALLS.load(Ordering::SeqCst) == 1 {
                send(thread_id(), libc::SIGUSR1);
            }
        });
        assert_eq!(status, libc::SIGUSR1);
    }

    fn requests_do_not_end_it() {
        Config::new().signal(libc::SIGUSR1).install().unwrap();
        many_stops(100);
    }

    fn nor_over_the_limit_of_pending_signals() {
        Config::new().signal(libc::SIGUSR1).install().unwrap();
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: a valid place for the limits.
        assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_SIGPENDING, &raw const none) }, 0);
        many_stops(100);
    }

    fn nor_without_a_number() {
        if stop_tests::emulation_hides("a sandbox", stop_tests::NO_FILTERS) {
            return;
        }
        Config::new().signal(libc::SIGUSR1).install().unwrap();
        deny(libc::SYS_rt_tgsigqueueinfo, libc::EPERM);
        many_stops(100);
    }

    fn children_that_were_not_to_be_reaped_are_not() {
        let status = child(|| {
            // SAFETY: not a function; a child that ends at once; no place for
            // its status.
            unsafe {
                libc::signal(libc::SIGCHLD, libc::SIG_IGN);
                Config::new().signal(libc::SIGCHLD).install().unwrap();
                let child = libc::fork();
                if child == 0 {
                    libc::_exit(0);
                }
                let waited = libc::waitpid(child, core::ptr::null_mut(), 0);
                let errno = stop_tests::signals::errno();
                libc::_exit(i32::from((waited, errno) != (-1, libc::ECHILD)));
            }
        });
        assert_eq!(status, 0);
    }
}
