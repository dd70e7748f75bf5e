//! The futex calls by their kernel signatures: which word of several was woken,
//! what becomes of a lock, and that neither is lost to a request that comes at
//! the same time. futex(2), `futex_waitv(2)`.

#![allow(unsafe_code)]

use core::ptr::{null, null_mut};
use core::sync::atomic::{AtomicU32, Ordering};
use std::io::Error;
use std::sync::{Arc, Barrier};
use stop_tests::started::{Started, start};
use stop_tests::{FUTEXES, on_backends, part_of, per_backend, thread_id};
use stopruntime::{Stopped, shield, sys};

const WAITS: [libc::c_long; 2] = [libc::SYS_futex, libc::SYS_futex_waitv];
const TURNS: u64 = 1_000;
/// The most that `futex_waitv` takes; on the ppoll backend one is the flag's.
const MOST: usize = libc::FUTEX_WAITV_MAX.unsigned_abs() as usize;

/// What a call came to: its result, or its errno.
type Outcome = Result<Result<libc::c_long, Option<i32>>, Stopped>;

fn outcome(result: Result<libc::c_long, Stopped>) -> Outcome {
    let errno = Error::last_os_error().raw_os_error();
    result.map(|result| if result < 0 { Err(errno) } else { Ok(result) })
}

type Words = Arc<Vec<AtomicU32>>;

fn words(count: usize) -> Words {
    Arc::new((0..count).map(|_| AtomicU32::new(0)).collect())
}

/// Waits while all of them are 0, until a time on the monotonic clock.
fn wait_for_any(words: &[AtomicU32], deadline: Option<libc::timespec>) -> Outcome {
    let entry = |word: &AtomicU32| {
        // SAFETY: zeroed is an entry to be filled in.
        let mut entry: libc::futex_waitv = unsafe { core::mem::zeroed() };
        entry.uaddr = word.as_ptr() as u64;
        entry.flags = (libc::FUTEX2_SIZE_U32 | libc::FUTEX2_PRIVATE).unsigned_abs();
        entry
    };
    let mut entries: Vec<_> = words.iter().map(entry).collect();
    let count = entries.len().try_into().unwrap();
    let deadline = deadline.as_ref().map_or(null(), core::ptr::from_ref);
    let clock = libc::CLOCK_MONOTONIC;
    // SAFETY: the words and the deadline outlive the call.
    let result =
        unsafe { sys::futex_waitv_or_stop(entries.as_mut_ptr(), count, 0, deadline, clock) };
    let outcome = outcome(result);
    if outcome == Ok(Err(Some(libc::ENOSYS))) {
        stop_tests::leave_out("futex_waitv", "it is missing");
    }
    outcome
}

fn wake(word: &AtomicU32) -> libc::c_long {
    let operation = libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the word is alive.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, 1) }
}

fn waiting_for_any(words: &Words) -> Started<Outcome> {
    let words = Arc::clone(words);
    start(move || wait_for_any(&words, None))
}

/// A request and something else at once, which comes a little later each turn.
fn at_once<T>(
    turn: u64,
    request: &Started<T>,
    other: impl FnOnce() -> libc::c_long,
) -> libc::c_long {
    let meet = Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            meet.wait();
            request.request_stop();
        });
        meet.wait();
        for _ in 0..turn % 200 {
            core::hint::spin_loop();
        }
        other()
    })
}

fn pi(word: &AtomicU32, operation: i32) -> libc::c_long {
    let operation = operation | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the word is alive.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, 0, 0, 0, 0) }
}

fn lock_or_stop(word: &AtomicU32) -> Outcome {
    let operation = libc::FUTEX_LOCK_PI | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the word outlives the call.
    outcome(unsafe { sys::futex_or_stop(word.as_ptr(), operation, 0, null(), null_mut(), 0) })
}

fn owner(word: &AtomicU32) -> u32 {
    word.load(Ordering::SeqCst) & libc::FUTEX_TID_MASK
}

per_backend! {
    fn the_index_is_that_of_the_word() {
        for (count, index) in [(1, 0), (2, 0), (2, 1), (MOST - 1, 0), (MOST - 1, MOST - 2)] {
            let words = words(count);
            let waiter = waiting_for_any(&words);
            waiter.wait_until_at_rest_in(&WAITS);
            assert_eq!(wake(&words[index]), 1);
            assert_eq!(waiter.ended(), Ok(Ok(index.try_into().unwrap())), "of {count}");
        }
    }

    fn as_many_words_as_the_kernel_takes() {
        let words = words(MOST);
        let waiter = waiting_for_any(&words);
        waiter.wait_until_at_rest_in(&WAITS);
        assert!(waiter.stopped().is_err());
    }

    fn what_the_kernel_refuses_is_refused() {
        for count in [0, MOST + 1] {
            let waiter = waiting_for_any(&words(count));
            assert_eq!(waiter.ended(), Ok(Err(Some(libc::EINVAL))), "{count} words");
        }
    }

    fn a_changed_word_and_a_passed_deadline_end_it() {
        let passed = Some(libc::timespec { tv_sec: 0, tv_nsec: 1 });
        assert_eq!(wait_for_any(&words(2), passed), Ok(Err(Some(libc::ETIMEDOUT))));
        let words = words(3);
        words[2].store(1, Ordering::SeqCst);
        assert_eq!(wait_for_any(&words, None), Ok(Err(Some(libc::EAGAIN))));
    }

    /// A thread that was woken is told so, and which word it was; one that was not, stops.
    fn no_wake_up_of_several_words_is_lost() {
        let words = words(3);
        for turn in 0..part_of(TURNS) {
            let waiter = waiting_for_any(&words);
            stop_tests::wait_until_blocked_in(waiter.thread(), &WAITS);
            let index = usize::try_from(turn).unwrap() % words.len();
            let woken = at_once(turn, &waiter, || wake(&words[index]));
            let expected = if woken == 1 { Ok(Ok(index.try_into().unwrap())) } else { Err(()) };
            assert_eq!(waiter.ended().map_err(drop), expected, "turn {turn}: woke {woken}");
        }
    }

    /// On the ppoll backend the flag is one of the words, and the request that
    /// a shield holds changes it.
    fn a_request_that_is_held_does_not_wake() {
        let words = words(2);
        let held = Arc::clone(&words);
        let waiter = start(move || {
            let one = |word: &AtomicU32| {
                let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
                // SAFETY: the word outlives the call.
                let result = unsafe {
                    sys::futex_or_stop(word.as_ptr(), operation, 0, null(), null_mut(), 0)
                };
                outcome(result)
            };
            shield(|| [wait_for_any(&held, None), one(&held[0])])
        });
        for index in [1, 0] {
            waiter.wait_until_at_rest_in(&WAITS);
            if index == 1 {
                waiter.request_stop();
                waiter.wait_until_at_rest_in(&WAITS);
            }
            assert_eq!(wake(&words[index]), 1, "it waits on");
        }
        assert_eq!(waiter.ended(), [Ok(Ok(1)), Ok(Ok(0))]);
    }

    /// Locked is locked, and stopped is not: also when the lock is given back
    /// at the moment of the request.
    fn a_stopped_lock_is_not_taken() {
        let mut taken = 0;
        for turn in 0..part_of(TURNS) {
            let word = Arc::new(AtomicU32::new(0));
            assert_eq!(pi(&word, libc::FUTEX_LOCK_PI), 0);
            let wanted = Arc::clone(&word);
            let waiter = start(move || {
                let outcome = lock_or_stop(&wanted);
                let is_ours = owner(&wanted) == thread_id().unsigned_abs();
                if is_ours {
                    assert_eq!(pi(&wanted, libc::FUTEX_UNLOCK_PI), 0);
                }
                (outcome, is_ours)
            });
            stop_tests::wait_until_blocked_in(waiter.thread(), &WAITS);
            let unlocked = at_once(turn, &waiter, || pi(&word, libc::FUTEX_UNLOCK_PI));
            assert_eq!(unlocked, 0);
            let (outcome, is_ours) = waiter.ended();
            assert_eq!(outcome.is_ok_and(|result| result == Ok(0)), is_ours, "turn {turn}");
            assert_eq!(owner(&word), 0, "turn {turn}: left locked");
            taken += u32::from(is_ours);
        }
        println!("{taken} of {} were locked first", part_of(TURNS));
    }

    fn a_lock_that_is_free_is_taken() {
        let hides = |why| stop_tests::emulation_hides("the owner of a lock", why);
        if cfg!(target_endian = "big") && hides(stop_tests::OWNER_SWAPPED) {
            return;
        }
        let word = AtomicU32::new(0);
        assert_eq!(lock_or_stop(&word), Ok(Ok(0)));
        assert_eq!(owner(&word), thread_id().unsigned_abs());
        assert_eq!(pi(&word, libc::FUTEX_UNLOCK_PI), 0);
        assert_eq!(owner(&word), 0);
    }
}

/// Waits for these bits of one word while it is 0. `FUTEX_WAIT_BITSET`.
fn waiting_for_bits(words: &Words, bits: u32) -> Started<Outcome> {
    let words = Arc::clone(words);
    start(move || {
        let operation = libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG;
        let (word, none) = (words[0].as_ptr(), null_mut());
        // SAFETY: the word outlives the call.
        outcome(unsafe { sys::futex_or_stop(word, operation, 0, null(), none, bits) })
    })
}

fn wake_bits(word: &AtomicU32, bits: u32) -> libc::c_long {
    let operation = libc::FUTEX_WAKE_BITSET | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the word is alive.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, 1, 0, 0, bits) }
}

on_backends! { FUTEXES;
    fn a_wait_for_some_bits_is_woken_by_these_or_stopped() {
        let words = words(1);
        let waiter = waiting_for_bits(&words, 0b0110);
        waiter.wait_until_at_rest_in(&WAITS);
        assert_eq!(wake_bits(&words[0], 0b1001), 0, "for others");
        assert_eq!(wake_bits(&words[0], 0b0010), 1);
        assert_eq!(waiter.ended(), Ok(Ok(0)));
        let waiter = waiting_for_bits(&words, 0b0110);
        waiter.wait_until_at_rest_in(&WAITS);
        assert!(waiter.stopped().is_err());
        let refused = waiting_for_bits(&words, 0).ended();
        assert_eq!(refused, Ok(Err(Some(libc::EINVAL))));
    }

    fn a_request_that_is_held_does_not_end_the_wait_for_one_word() {
        let words = words(1);
        let held = Arc::clone(&words);
        let waiter = start(move || {
            let word = held[0].as_ptr();
            let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
            // SAFETY: the word outlives the call.
            shield(|| outcome(unsafe { sys::futex_or_stop(word, operation, 0, null(), null_mut(), 0) }))
        });
        waiter.wait_until_at_rest_in(&WAITS);
        waiter.request_stop();
        waiter.wait_until_at_rest_in(&WAITS);
        assert_eq!(wake(&words[0]), 1, "it waits on");
        assert_eq!(waiter.ended(), Ok(Ok(0)));
    }
}
