//! Handlers of `SIGSYS` that are not the runtime's.

use super::{COUNT, count, install, raise, set};
use crate::both_ways;
use crate::kit::{CANCELED, armed, is_timer_from_here_on, plain_read};
use core::ffi::c_void;
use std::sync::atomic::Ordering::SeqCst;
use stop_tests::seccomp;
use stop_tests::signals::catch;
use stopruntime::foreign;

both_ways! {
    fn a_handler_of_sigsys_from_before() {
        install(libc::SIGSYS, count, set(&[]));
        foreign(|| ()).unwrap();
        raise(libc::SIGSYS);
        assert_eq!(COUNT.load(SeqCst), 1);
        armed(|| {
            raise(libc::SIGSYS);
            assert_eq!(COUNT.load(SeqCst), 2);
            assert_eq!(plain_read(), CANCELED);
        });
    }

    fn a_handler_of_sigsys_that_comes_later() {
        foreign(|| ()).unwrap();
        install(libc::SIGSYS, count, set(&[]));
        is_timer_from_here_on();
        for number in 1..4 {
            armed(|| {
                raise(libc::SIGSYS);
                assert_eq!(plain_read(), CANCELED);
            });
            assert_eq!(COUNT.load(SeqCst), number);
        }
    }

    fn a_handler_of_sigsys_that_comes_meanwhile() {
        armed(|| {
            install(libc::SIGSYS, count, set(&[]));
            raise(libc::SIGSYS);
            assert_eq!(COUNT.load(SeqCst), 1);
            assert_eq!(plain_read(), CANCELED);
            is_timer_from_here_on();
        });
        assert_eq!(COUNT.load(SeqCst), 1);
    }

    fn a_filter_that_traps() {
        catch(libc::SIGSYS, stand_in, 0, &[]);
        foreign(|| ()).unwrap();
        seccomp::trap(libc::SYS_getppid);
        armed(|| {
            for count in 1..20 {
                assert_eq!(parent(), STANDS_IN);
                assert_eq!(COUNT.load(SeqCst), count, "the sandbox's handler, and once");
                assert_eq!(plain_read(), CANCELED);
            }
        });
        assert_eq!(parent(), STANDS_IN);
        assert_eq!(COUNT.load(SeqCst), 20);
    }

    fn a_filter_that_traps_with_no_handler() {
        foreign(|| ()).unwrap();
        // SAFETY: a child that makes plain calls, and is ended by one of them.
        let child = unsafe { libc::fork() };
        if child == 0 {
            seccomp::trap(libc::SYS_getppid);
            armed(parent);
            // SAFETY: ends the child.
            unsafe { libc::_exit(0) };
        }
        let mut status = 0;
        // SAFETY: the child of above.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        assert!(libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGSYS, "{status:#x}");
    }
}

/// What the sandbox says in the place of the call.
#[cfg(target_arch = "x86_64")]
const STANDS_IN: libc::c_long = 77;
/// It leaves the register as it is, with the number or with the first argument.
#[cfg(not(target_arch = "x86_64"))]
const STANDS_IN: libc::c_long = 0;

fn parent() -> libc::c_long {
    // SAFETY: a call without arguments.
    unsafe { libc::syscall(libc::SYS_getppid, 0) }
}

/// A sandbox's handler.
extern "C" fn stand_in(_: i32, info: *mut libc::siginfo_t, context: *mut c_void) {
    const SYS_SECCOMP: i32 = 1;
    // SAFETY: the arguments of a handler with SA_SIGINFO.
    unsafe {
        assert_eq!((*info).si_code, SYS_SECCOMP);
        let _context = &mut *context.cast::<libc::ucontext_t>();
        #[cfg(target_arch = "x86_64")]
        {
            _context.uc_mcontext.gregs[libc::REG_RAX as usize] = STANDS_IN;
        }
    }
    COUNT.fetch_add(1, SeqCst);
}
