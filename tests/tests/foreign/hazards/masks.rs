//! A `SIGSYS` that is blocked as the kernel raises it ends the process: masks, and handlers
//! that block it.

use super::{COUNT, all, blocked, count, has, install, mask, raise, set};
use crate::both_ways;
use crate::kit::{CANCELED, armed, errno, is_tick, is_timer_from_here_on, plain_read};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use stopruntime::{Stopper, foreign};

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

    /// The handler that ends the wait has the wait's mask.
    fn a_wait_whose_mask_blocks_everything_else() {
        install(libc::SIGUSR1, count, set(&[]));
        // SAFETY: a new instance, and a descriptor in it that event loops alone wait for.
        let instance = unsafe {
            let instance = libc::epoll_create1(0);
            let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
            let eventfd = libc::eventfd(0, 0);
            assert_eq!(libc::epoll_ctl(instance, libc::EPOLL_CTL_ADD, eventfd, &raw mut event), 0);
            instance
        };
        let mut others = all();
        // SAFETY: a set.
        unsafe { libc::sigdelset(&raw mut others, libc::SIGUSR1) };
        armed(|| {
            mask(libc::SIG_BLOCK, &set(&[libc::SIGUSR1]));
            raise(libc::SIGUSR1);
            let mut event = libc::epoll_event { events: 0, u64: 0 };
            // SAFETY: room for an event, and a set.
            let raw = unsafe { libc::epoll_pwait(instance, &raw mut event, 1, -1, &raw const others) };
            assert_eq!((raw, errno()), (-1, libc::EINTR));
            assert_eq!(COUNT.load(SeqCst), 1);
            mask(libc::SIG_UNBLOCK, &set(&[libc::SIGUSR1]));
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
        armed(|| {
            install(libc::SIGSEGV, repair, all());
            // SAFETY: the handler makes it readable.
            assert_eq!(unsafe { page.cast::<u8>().read_volatile() }, 0);
            assert_eq!(plain_read(), CANCELED);
        });
        is_timer_from_here_on();
        // SAFETY: a page of our own.
        unsafe { libc::mprotect(page, 4096, libc::PROT_NONE) };
        armed(|| {
            // SAFETY: the handler makes it readable.
            assert_eq!(unsafe { page.cast::<u8>().read_volatile() }, 0);
            assert_eq!(plain_read(), CANCELED);
        });
        assert_eq!(PAGE.load(SeqCst), 2);
    }
}
