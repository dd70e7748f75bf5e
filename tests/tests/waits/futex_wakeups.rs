//! A wake-up that took a waiter off its futex is never lost to a request that
//! comes at the same time: `FUTEX_WAKE` counts whom it woke, and each of those
//! must return from the wait.

#![allow(unsafe_code)]

use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use stop_tests::{FUTEXES, on_backends, part_of, thread_id, wait_until_blocked_in};
use stopruntime::{sys, thread};

const WAIT: i32 = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
const WAKE: i32 = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
const TURNS: u64 = 2_000;

fn wake(word: &AtomicU32) -> libc::c_long {
    // SAFETY: the word is alive.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), WAKE, 1) }
}

on_backends! { FUTEXES;
    fn a_woken_thread_returns_from_the_wait() {
        let mut woken_and_requested = 0;
        for turn in 0..part_of(TURNS) {
            let word = Arc::new(AtomicU32::new(0));
            let ours = Arc::clone(&word);
            let (sender, receiver) = mpsc::channel();
            let waiter = thread::spawn(move || {
                sender.send(thread_id()).unwrap();
                // SAFETY: the word outlives the call.
                unsafe {
                    sys::futex_or_stop(ours.as_ptr(), WAIT, 0, std::ptr::null(), std::ptr::null_mut(), 0)
                }
            });
            // Held meanwhile, so that only the word's own futex is waited in.
            let id = receiver.recv().unwrap();
            wait_until_blocked_in(id, &[libc::SYS_futex, libc::SYS_futex_waitv]);
            let meet = Barrier::new(2);
            let woken = std::thread::scope(|scope| {
                scope.spawn(|| {
                    meet.wait();
                    waiter.request_stop();
                });
                meet.wait();
                // A little later each turn, across the request.
                for _ in 0..turn % 200 {
                    std::hint::spin_loop();
                }
                wake(&word)
            });
            let outcome = waiter.join().unwrap();
            assert_eq!(woken == 1, outcome.is_ok(), "turn {turn}: woke {woken}, then {outcome:?}");
            woken_and_requested += woken;
            word.store(1, Ordering::Relaxed);
        }
        println!("{woken_and_requested} of {} were woken first", part_of(TURNS));
    }
}
