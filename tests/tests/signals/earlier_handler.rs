//! A handler that the stop signal had before the runtime came still runs as it
//! was installed: on the alternate stack, with its signals blocked. And what it
//! does to `errno` stays in the signal.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use stop_tests::signals::{STOP, catch, errno, is_masked, send, set_errno};
use stop_tests::{per_backend, thread_id};

static STACK: AtomicI32 = AtomicI32::new(-1);
static HELD_OFF: AtomicBool = AtomicBool::new(false);

/// The flags of the alternate stack: whether there is one and it is in use.
/// sigaltstack(2).
fn stack_flags() -> i32 {
    // SAFETY: a query into a place of the right type.
    unsafe {
        let mut stack: libc::stack_t = core::mem::zeroed();
        assert_eq!(libc::sigaltstack(core::ptr::null(), &raw mut stack), 0);
        stack.ss_flags
    }
}

extern "C" fn looks(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    STACK.store(stack_flags(), Ordering::SeqCst);
    HELD_OFF.store(is_masked(libc::SIGUSR1), Ordering::SeqCst);
}

extern "C" fn spoils(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    set_errno(libc::EXDEV);
    STACK.store(0, Ordering::SeqCst);
}

/// Installs the handler, then the runtime, and sends the signal to a thread
/// that has not registered, so that no backend blocks it there. What the thread
/// looks at then.
fn met<T: Send + 'static>(
    handler: extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void),
    then: fn() -> T,
) -> T {
    catch(STOP, handler, libc::SA_RESTART | libc::SA_ONSTACK, &[libc::SIGUSR1]);
    let _installed = stopruntime::backend();
    let met = std::thread::spawn(move || {
        set_errno(libc::ERANGE);
        // It has been handled when this returns.
        send(thread_id(), STOP);
        then()
    });
    let result = met.join().unwrap();
    assert_ne!(STACK.load(Ordering::SeqCst), -1, "the earlier handler ran");
    result
}

per_backend! {
    fn it_runs_on_the_alternate_stack_and_its_signals_are_blocked() {
        let flags = met(looks, stack_flags);
        assert_eq!(flags & libc::SS_DISABLE, 0, "std gives every thread one");
        assert_eq!(flags & libc::SS_ONSTACK, 0, "out of the handler");
        assert_ne!(STACK.load(Ordering::SeqCst) & libc::SS_ONSTACK, 0);
        let held_off = HELD_OFF.load(Ordering::SeqCst);
        let why = "qemu-riscv64 blocks none of the signals that sigaction(2) was given";
        assert!(held_off || stop_tests::emulation_hides("the mask of a handler", why));
    }

    fn none_and_a_signal_that_is_ignored_are_no_handlers() {
        for action in [libc::SIG_DFL, libc::SIG_IGN] {
            // SAFETY: the child is a copy of this thread alone, and ends at once.
            let child = unsafe { libc::fork() };
            if child == 0 {
                // SAFETY: neither is a function; ends the child.
                unsafe {
                    libc::signal(STOP, action);
                    let _installed = stopruntime::backend();
                    send(thread_id(), STOP);
                    libc::_exit(0)
                }
            }
            let mut status = -1;
            // SAFETY: our child, a valid place.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            assert_eq!(status, 0, "action {action}");
        }
    }

    fn errno_is_as_before() {
        assert_eq!(met(spoils, errno), libc::ERANGE);
    }
}
