//! What would end the process, or disturb others, if a region were less careful: each has
//! ended one.

use crate::both_ways;
use crate::kit::{CANCELED, assert_clean, errno, is_tick, status};
use std::io::{Read, pipe};
use std::mem::zeroed;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;
use stopruntime::{Stopper, foreign};

/// Runs `f` where something is stopped from the start.
fn armed<R>(f: impl FnOnce() -> R) -> R {
    let job = Stopper::new();
    job.request_stop();
    let result = foreign(|| job.run(f)).unwrap();
    assert_clean();
    result
}

fn plain_read() -> i32 {
    let (mut reader, _writer) = pipe().unwrap();
    reader.read(&mut [0]).unwrap_err().raw_os_error().unwrap()
}

/// A set of these signals.
fn set(signals: &[i32]) -> libc::sigset_t {
    // SAFETY: a local set, filled in.
    unsafe {
        let mut set: libc::sigset_t = zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in signals {
            libc::sigaddset(&raw mut set, *signal);
        }
        set
    }
}

fn all() -> libc::sigset_t {
    // SAFETY: a local set, filled in.
    unsafe {
        let mut set: libc::sigset_t = zeroed();
        libc::sigfillset(&raw mut set);
        set
    }
}

/// Changes the mask as the foreign code would; the one before.
fn mask(how: i32, change: &libc::sigset_t) -> libc::sigset_t {
    // SAFETY: two sets.
    unsafe {
        let mut before: libc::sigset_t = zeroed();
        assert_eq!(libc::pthread_sigmask(how, change, &raw mut before), 0);
        before
    }
}

fn has(set: &libc::sigset_t, signal: i32) -> bool {
    // SAFETY: a set.
    unsafe { libc::sigismember(set, signal) == 1 }
}

fn blocked() -> libc::sigset_t {
    mask(libc::SIG_BLOCK, &set(&[]))
}

fn install(signal: i32, handler: extern "C" fn(i32), mask: libc::sigset_t) {
    // SAFETY: a handler that counts, or makes a plain call.
    unsafe {
        let mut action: libc::sigaction = zeroed();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_mask = mask;
        action.sa_flags = libc::SA_RESTART;
        assert_eq!(libc::sigaction(signal, &raw const action, null_mut()), 0);
    }
}

fn raise(signal: i32) {
    // SAFETY: to this thread.
    unsafe { libc::pthread_kill(libc::pthread_self(), signal) };
}

static COUNT: AtomicU32 = AtomicU32::new(0);

extern "C" fn count(_: i32) {
    // A call of its own, which would be handed over.
    // SAFETY: no argument.
    unsafe { libc::syscall(libc::SYS_getppid) };
    COUNT.fetch_add(1, SeqCst);
}

both_ways! {
    fn sigsys_blocked_before() {
        mask(libc::SIG_BLOCK, &set(&[libc::SIGSYS, libc::SIGUSR2]));
        armed(|| {
            assert_eq!(plain_read(), CANCELED);
            assert!(has(&blocked(), libc::SIGSYS), "it believes so");
            assert!(has(&blocked(), libc::SIGUSR2));
        });
        assert!(has(&blocked(), libc::SIGSYS), "it is so again");
        assert!(has(&blocked(), libc::SIGUSR2));
    }

    fn sigsys_blocked_meanwhile() {
        armed(|| {
            let mut blocked_now = all();
            if is_tick() {
                // Each tick is one.
                // SAFETY: a local set.
                unsafe { libc::sigdelset(&raw mut blocked_now, libc::SIGURG) };
            }
            let before = mask(libc::SIG_BLOCK, &blocked_now);
            assert_eq!(plain_read(), CANCELED);
            assert!(!has(&before, libc::SIGSYS));
            assert!(has(&blocked(), libc::SIGSYS));
            assert!(has(&blocked(), libc::SIGUSR1));
            mask(libc::SIG_UNBLOCK, &set(&[libc::SIGUSR1]));
            assert!(!has(&blocked(), libc::SIGUSR1) && has(&blocked(), libc::SIGSYS));
            mask(libc::SIG_SETMASK, &before);
            assert!(!has(&blocked(), libc::SIGSYS));
            mask(libc::SIG_BLOCK, &set(&[libc::SIGSYS]));
        });
        assert!(has(&blocked(), libc::SIGSYS), "what it blocked stays so");
        assert!(!has(&blocked(), libc::SIGUSR1));
    }

    fn sigsys_blocked_in_the_frame_of_a_handler() {
        extern "C" fn stops(_: i32) {
            mask(libc::SIG_UNBLOCK, &set(&[libc::SIGSYS]));
            Stopper::current().request_stop();
            assert_eq!(plain_read(), CANCELED);
        }
        mask(libc::SIG_BLOCK, &set(&[libc::SIGSYS]));
        install(libc::SIGUSR1, stops, set(&[]));
        foreign(|| {
            raise(libc::SIGUSR1);
            // Its return would have blocked it.
            assert_eq!(plain_read(), CANCELED);
        })
        .unwrap();
        assert!(has(&blocked(), libc::SIGSYS));
    }

    fn a_handler_that_blocks_everything() {
        install(libc::SIGUSR1, count, all());
        armed(|| {
            raise(libc::SIGUSR1);
            assert_eq!(plain_read(), CANCELED);
            assert!(!has(&blocked(), libc::SIGUSR1), "it believes so");
        });
        assert_eq!(COUNT.load(SeqCst), 1);
        assert!(!has(&blocked(), libc::SIGUSR1));
        raise(libc::SIGUSR1);
        assert_eq!(COUNT.load(SeqCst), 2);
    }

    fn one_that_is_installed_meanwhile() {
        armed(|| {
            install(libc::SIGUSR1, count, all());
            raise(libc::SIGUSR1);
            assert_eq!(plain_read(), CANCELED);
        });
        assert_eq!(COUNT.load(SeqCst), 1);
        assert!(!has(&blocked(), libc::SIGUSR1));
    }

    fn one_that_does_not() {
        install(libc::SIGUSR1, count, set(&[]));
        armed(|| {
            for number in 1..100 {
                raise(libc::SIGUSR1);
                assert_eq!(COUNT.load(SeqCst), number, "at once");
            }
            assert_eq!(plain_read(), CANCELED);
        });
    }

    fn a_handler_of_faults_that_blocks_everything() {
        static PAGE: AtomicU32 = AtomicU32::new(0);
        extern "C" fn repair(_: i32) {
            // SAFETY: the page that was protected.
            unsafe { libc::mprotect(ADDRESS.load(SeqCst) as *mut _, 4096, libc::PROT_READ) };
            PAGE.fetch_add(1, SeqCst);
        }
        static ADDRESS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        // SAFETY: a page of our own.
        let page = unsafe {
            libc::mmap(null_mut(), 4096, libc::PROT_NONE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
        };
        ADDRESS.store(page as usize, SeqCst);
        install(libc::SIGSEGV, repair, all());
        armed(|| {
            // SAFETY: the handler makes it readable.
            assert_eq!(unsafe { page.cast::<u8>().read_volatile() }, 0);
            assert_eq!(plain_read(), CANCELED);
        });
        armed(|| {
            // SAFETY: a page of our own.
            unsafe { libc::mprotect(page, 4096, libc::PROT_NONE) };
            install(libc::SIGSEGV, repair, all());
            // SAFETY: the handler makes it readable.
            assert_eq!(unsafe { page.cast::<u8>().read_volatile() }, 0);
            assert_eq!(plain_read(), CANCELED);
        });
        assert_eq!(PAGE.load(SeqCst), 2);
    }

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
        });
        assert_eq!(COUNT.load(SeqCst), 1);
    }

    fn a_panic_out_of_it() {
        let caught = std::panic::catch_unwind(|| armed(|| {
            assert_eq!(plain_read(), CANCELED);
            std::panic::resume_unwind(Box::new(7));
        }));
        assert!(caught.is_err());
        assert_clean();
        let (mut reader, writer) = pipe().unwrap();
        std::thread::spawn(move || { std::thread::sleep(Duration::from_millis(10)); drop(writer); });
        assert_eq!(reader.read(&mut [0]).unwrap(), 0, "it waits");
    }

    fn the_end_of_the_thread_in_it() {
        extern "C-unwind" fn ends(_: *mut libc::c_void) -> *mut libc::c_void {
            armed(|| {
                assert_eq!(plain_read(), CANCELED);
                // SAFETY: nothing on this stack has a destructor except the region's guard.
                unsafe { pthread_exit(null_mut()) }
            })
        }
        type Start = extern "C" fn(*mut libc::c_void) -> *mut libc::c_void;
        for _ in 0..20 {
            // SAFETY: a start routine that is left by unwinding alone; a number or a pointer.
            unsafe {
                let start = std::mem::transmute::<*const (), Start>(ends as *const ());
                let mut thread = std::mem::zeroed::<libc::pthread_t>();
                assert_eq!(libc::pthread_create(&raw mut thread, std::ptr::null(), start, null_mut()), 0);
                assert_eq!(libc::pthread_join(thread, null_mut()), 0);
            }
            assert_clean();
        }
        assert_eq!(armed(plain_read), CANCELED);
    }

    fn children_of_all_kinds() {
        install(libc::SIGUSR1, count, all());
        armed(|| {
            let child = std::process::Command::new("sh")
                .args(["-c", "grep -E 'Sig(Blk|Pnd)' /proc/self/status"])
                .stdout(std::process::Stdio::piped())
                .spawn();
            let mut child = child.unwrap();
            stopruntime::shield(|| {
                let mut text = String::new();
                child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
                assert_eq!(text.matches("0000000000000000").count(), 2, "{text}");
                assert!(child.wait().unwrap().success());
            });
            // SAFETY: a child that makes plain calls.
            let child = unsafe { libc::fork() };
            if child == 0 {
                let mask = status("SigBlk");
                let time = libc::timespec { tv_sec: 0, tv_nsec: 1_000_000 };
                // SAFETY: a time.
                let slept = unsafe { libc::nanosleep(&raw const time, null_mut()) };
                let (mut reader, writer) = pipe().unwrap();
                drop(writer);
                let read = reader.read(&mut [0]);
                let clean = u64::from_str_radix(&mask, 16) == Ok(0) || is_ppoll(&mask);
                let good = slept == 0 && matches!(read, Ok(0)) && clean;
                // SAFETY: ends the child.
                unsafe { libc::_exit(i32::from(!good)) };
            }
            let mut status = 0;
            // SAFETY: the child of above.
            stopruntime::shield(|| assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child));
            assert_eq!(status, 0);
            // A thread of it is not in the region.
            std::thread::spawn(|| {
                let (mut reader, writer) = pipe().unwrap();
                let writer = std::thread::spawn(move || { std::thread::sleep(Duration::from_millis(10)); drop(writer); });
                assert_eq!(reader.read(&mut [0]).unwrap(), 0);
                writer.join().unwrap();
                assert!(!has(&blocked(), libc::SIGUSR1));
            })
            .join()
            .unwrap();
            assert_eq!(plain_read(), CANCELED);
        });
    }

    fn a_raw_vfork_and_clone() {
        armed(|| {
            let mut status = 0;
            let path = c"/bin/true";
            let args = [path.as_ptr(), std::ptr::null()];
            // SAFETY: a child that execs at once, on a stack of its own.
            let child = unsafe { spawn_by_clone(&args) };
            assert!(child > 0, "{}", errno());
            // SAFETY: the child of above.
            stopruntime::shield(|| assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child));
            assert_eq!(status, 0);
            assert_eq!(plain_read(), CANCELED);
        });
    }

    fn an_alternate_stack_and_a_small_one() {
        let thread = std::thread::Builder::new().stack_size(16 << 10).spawn(|| {
            for _ in 0..50 {
                assert_eq!(armed(small_read), -(CANCELED as isize));
            }
        });
        thread.unwrap().join().unwrap();
    }

    fn bad_pointers_are_refused() {
        armed(|| {
            let bad = 16_usize;
            // SAFETY: the kernel refuses each of them.
            unsafe {
                let refused = |number, args: [usize; 5]| {
                    let raw = libc::syscall(number, args[0], args[1], args[2], args[3], args[4], 0_usize);
                    (raw, errno())
                };
                let fault = (-1, libc::EFAULT);
                assert_eq!(refused(libc::SYS_rt_sigprocmask, [0, bad, 0, 8, 0]), fault);
                assert_eq!(refused(libc::SYS_rt_sigprocmask, [0, 0, bad, 8, 0]), fault);
                assert_eq!(refused(libc::SYS_rt_sigprocmask, [9, &raw const bad as usize, 0, 8, 0]), (-1, libc::EINVAL));
                assert_eq!(refused(libc::SYS_ppoll, [bad, 1, 0, 0, 0]), fault);
                assert_eq!(refused(libc::SYS_pselect6, [5, bad, 0, 0, 0]), fault);
            }
            assert_eq!(plain_read(), CANCELED);
        });
    }

    fn refused_late() {
        foreign(|| ()).unwrap();
        stop_tests::seccomp::deny_with(libc::SYS_prctl, 59, libc::EPERM);
        assert_eq!(armed(plain_read), CANCELED);
    }

    fn exec_in_it() {
        install(libc::SIGUSR1, count, all());
        // SAFETY: the child execs.
        let child = unsafe { libc::fork() };
        if child == 0 {
            armed(|| {
                let test = c"test $(grep -c 'SigBlk:.*0000000000000000' /proc/self/status) = 1";
                let args = [c"sh".as_ptr(), c"-c".as_ptr(), test.as_ptr(), std::ptr::null()];
                // SAFETY: terminated names.
                unsafe {
                    libc::execv(c"/nowhere".as_ptr(), args.as_ptr());
                    let failed = plain_read();
                    if failed == CANCELED {
                        libc::execv(c"/bin/sh".as_ptr(), args.as_ptr());
                    }
                    libc::_exit(3);
                }
            });
        }
        let mut status = 0;
        // SAFETY: the child of above.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        if stopruntime::backend() != stopruntime::Backend::Ppoll {
            assert_eq!(status, 0);
        }
    }
}

unsafe extern "C-unwind" {
    fn pthread_exit(value: *mut libc::c_void) -> !;
}

/// Whether the stop signal alone is blocked.
fn is_ppoll(mask: &str) -> bool {
    stopruntime::backend() == stopruntime::Backend::Ppoll
        && u64::from_str_radix(mask, 16) == Ok(1 << (libc::SIGURG - 1))
}

/// A read without more of a stack than it needs.
fn small_read() -> isize {
    let mut ends = [0; 2];
    // SAFETY: places.
    unsafe {
        assert_eq!(libc::pipe(ends.as_mut_ptr()), 0);
        let mut byte = 0_u8;
        let read = libc::read(ends[0], (&raw mut byte).cast(), 1);
        let raw = if read < 0 { -(*libc::__errno_location() as isize) } else { read };
        libc::close(ends[0]);
        libc::close(ends[1]);
        raw
    }
}

/// # Safety
///
/// The arguments of a program.
unsafe fn spawn_by_clone(args: &[*const libc::c_char; 2]) -> i32 {
    extern "C" fn child(args: *mut libc::c_void) -> i32 {
        let args = args as *const *const libc::c_char;
        // SAFETY: as the caller says.
        unsafe {
            libc::execv(*args, args);
            libc::_exit(9);
        }
    }
    let mut stack = vec![0_u64; 1 << 13];
    let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
    // SAFETY: the top of a stack, which outlives the child's use of it.
    unsafe {
        let top = stack.as_mut_ptr().add(stack.len()).cast();
        libc::clone(child, top, flags, args.as_ptr() as *mut _)
    }
}
