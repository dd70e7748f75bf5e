//! Futexes, by their kernel signatures. futex(2), `futex_waitv(2)`.

use super::{Arranged, Case, FromWord, arranged, case};
use crate::thread_id;
use core::ptr::{null, null_mut};
use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use stopruntime::sys;

const ANY_BIT: u32 = u32::MAX;

/// A word that keeps its value until it is fed: then the wait does not begin,
/// which futex(2) reports as `EAGAIN`.
fn waiting(operation: i32) -> Arranged {
    let words = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
    let ours = Arc::clone(&words);
    let operation = operation | libc::FUTEX_PRIVATE_FLAG;
    arranged(
        move || {
            let [word, second] = &*ours;
            // SAFETY: both words outlive the call.
            unsafe {
                sys::futex_or_stop(word.as_ptr(), operation, 0, null(), second.as_ptr(), ANY_BIT)
            }
            .map(i64::from_word)
        },
        move || words[0].store(1, Ordering::SeqCst),
    )
}

/// A lock that another thread has; fed, that thread gives it back. Stopped, it
/// has not become ours.
fn locking(operation: i32) -> Arranged {
    const LOCK: i32 = libc::FUTEX_LOCK_PI | libc::FUTEX_PRIVATE_FLAG;
    const UNLOCK: i32 = libc::FUTEX_UNLOCK_PI | libc::FUTEX_PRIVATE_FLAG;

    let word = Arc::new(AtomicU32::new(0));
    let (locked, is_locked) = mpsc::channel();
    let (give_back, may_give_back) = mpsc::channel::<()>();
    let locked_word = Arc::clone(&word);
    // SAFETY: the word outlives the call.
    let plain = |word: &AtomicU32, operation: i32| unsafe {
        libc::syscall(libc::SYS_futex, word.as_ptr(), operation, 0, 0, 0, 0)
    };
    let owner = std::thread::spawn(move || {
        assert_eq!(plain(&locked_word, LOCK), 0);
        locked.send(()).unwrap();
        // Also where nothing feeds it.
        let _ = may_give_back.recv();
        assert_eq!(plain(&locked_word, UNLOCK), 0);
    });
    is_locked.recv().unwrap();
    let is_of = |word: &AtomicU32, thread: i32| {
        word.load(Ordering::SeqCst) & libc::FUTEX_TID_MASK == thread as u32
    };
    arranged(
        move || {
            let operation = operation | libc::FUTEX_PRIVATE_FLAG;
            // SAFETY: the word outlives the call.
            let result =
                unsafe { sys::futex_or_stop(word.as_ptr(), operation, 0, null(), null_mut(), 0) };
            match result {
                Ok(0) => {
                    assert!(is_of(&word, thread_id()), "locked, and not ours");
                    assert_eq!(plain(&word, UNLOCK), 0);
                }
                _ => assert!(!is_of(&word, thread_id()), "not locked, and ours"),
            }
            result.map(i64::from_word)
        },
        move || {
            drop(give_back);
            owner.join().unwrap();
        },
    )
}

/// Two words that keep their values until the second is fed.
fn waiting_for_any() -> Arranged {
    let words = Arc::new([AtomicU32::new(0), AtomicU32::new(0)]);
    let ours = Arc::clone(&words);
    arranged(
        move || {
            // SAFETY: zeroed is an entry to be filled in.
            let mut entries: [libc::futex_waitv; 2] = unsafe { std::mem::zeroed() };
            for (entry, word) in entries.iter_mut().zip(&*ours) {
                entry.uaddr = word.as_ptr() as u64;
                entry.flags = (libc::FUTEX2_SIZE_U32 | libc::FUTEX2_PRIVATE) as u32;
            }
            // SAFETY: both words outlive the call; no deadline.
            unsafe { sys::futex_waitv_or_stop(entries.as_mut_ptr(), 2, 0, null(), 0) }
                .map(i64::from_word)
        },
        move || words[1].store(1, Ordering::SeqCst),
    )
}

pub(super) fn cases() -> Vec<Case> {
    let waits = |name, arrange| case(name, arrange).fails_with(libc::EAGAIN).in_futex();
    vec![
        waits("futex(FUTEX_WAIT)", || waiting(libc::FUTEX_WAIT)),
        waits("futex(FUTEX_WAIT_BITSET)", || waiting(libc::FUTEX_WAIT_BITSET)),
        waits("futex(FUTEX_WAIT_REQUEUE_PI)", || waiting(libc::FUTEX_WAIT_REQUEUE_PI)),
        case("futex(FUTEX_LOCK_PI)", || locking(libc::FUTEX_LOCK_PI)).in_futex(),
        case("futex(FUTEX_LOCK_PI2)", || locking(libc::FUTEX_LOCK_PI2)).in_futex(),
        waits("futex_waitv", waiting_for_any),
    ]
}
