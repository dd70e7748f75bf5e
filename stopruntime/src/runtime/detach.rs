//! The end of a thread: its record is put out of use and given back; and what becomes of
//! the records in a forked child.
//!
//! # Safety
//!
//! The invariant of [`slot`](super::slot) holds here too.

#![allow(unsafe_code)]

use crate::foreign;
use crate::runtime::process;
use crate::runtime::record::Record;
use crate::runtime::records::RecordRef;
#[cfg(feature = "crossbeam-channel")]
use crate::runtime::scopes::callbacks;
use crate::runtime::scopes::{look, request, stack};
use crate::runtime::slot::{CURRENT, DIVERT, KEY, NO_KEY, SPARE, own, plainly, record, set_keys};
use core::ffi::c_void;
use core::sync::atomic::{AtomicU32, Ordering};
use std::io;

/// The rounds of key destructors that there are at least: what POSIX asks for,
/// and what glibc and musl have. `pthread_key_create(3)`.
// mutant: record-in-every-destructor-round
const ROUNDS: u32 = 4;

/// Makes the keys. Part of the installation, before the first record; no thread
/// takes a lock of libc's for it later.
///
/// A key destructor runs after the destructors of all thread-locals (glibc), and its last
/// round after the destructors of all other keys, so that marked calls in each are still
/// stop-checked. `pthread_key_create(3)`.
pub(super) fn prepare() -> io::Result<()> {
    if KEY.load(Ordering::Acquire) != NO_KEY {
        return Ok(());
    }
    // First: there is no key without it, in a child forked meanwhile either.
    watch_forks();
    let make = |made: &AtomicU32, destructor| {
        let mut key = 0;
        // SAFETY: a valid place for the key and a destructor of this type.
        match unsafe { libc::pthread_key_create(&raw mut key, Some(destructor)) } {
            0 => made.store(key, Ordering::Release),
            errno => return Err(io::Error::from_raw_os_error(errno)),
        }
        Ok(())
    };
    if SPARE.load(Ordering::Acquire) == NO_KEY {
        make(&SPARE, put_back as Destructor)?;
    }
    make(&KEY, on_thread_end)
}

type Destructor = unsafe extern "C" fn(*mut c_void);

/// The value of [`SPARE`] is there for as long as that of [`KEY`].
unsafe extern "C" fn put_back(value: *mut c_void) {
    // mutant: spare-value-put-back
    set_keys(value.cast());
}

/// In each round the thread's record is put out of use, in case it is the last;
/// a marked call in a later destructor takes it into use again.
unsafe extern "C" fn on_thread_end(value: *mut c_void) {
    // Still this thread's, for the handler, and so that there is another round.
    set_keys(value.cast());
    let rounds = CURRENT.with(|current| current.rounds.replace(current.rounds.get() + 1)) + 1;
    // Scopes that `pthread_exit(3)` has jumped out of lie on no stack any more.
    stack::forget_all();
    // SAFETY: the value `adopt` stored on this thread, which has a count of it.
    let record = unsafe { &*value.cast_const().cast::<Record>() };
    record.clear_visible();
    put_out_of_use();
    let holders = record.own.holders();
    let is_last = rounds >= ROUNDS;
    CURRENT.with(|current| current.stands_in.set(is_last));
    // If nothing else has a hold on it, nothing can tell it from another one.
    if is_last || holders == 1 {
        give_back();
    }
}

fn put_out_of_use() {
    if let Some(record) = record() {
        // mutant: record-not-used-after-end
        CURRENT.with(|current| current.line.set(&raw const DIVERT));
        // Of a thread that ends in the midst of a region (`pthread_exit(3)`).
        foreign::end(record);
        // With the value of the key still there: it drains a last signal, and
        // the handler has to know that as ours.
        // mutant: record-kept-for-handler
        record.rest();
        CURRENT.with(|current| current.record.set(core::ptr::null()));
    }
}

/// Gives back the record that this thread has, if it has one.
pub(super) fn give_back() {
    put_out_of_use();
    let pointer = CURRENT.with(|current| current.own.replace(core::ptr::null()));
    if pointer.is_null() {
        return;
    }
    set_keys(core::ptr::null());
    // SAFETY: the count that `adopt` took.
    let record = unsafe { RecordRef::from_raw(pointer) };
    // mutant: request-seen-until-thread-ends
    CURRENT.with(|current| current.left_requested.set(look::is_stopped(&record.own)));
    record.end();
    #[cfg(feature = "crossbeam-channel")]
    callbacks::forget(record.scope());
    plainly(|| drop(record));
}

/// Has forked children put themselves in order.
fn watch_forks() {
    // SAFETY: three handlers, of which the null ones are not called. It fails
    // for want of memory only; a forked child then signals no thread.
    unsafe { libc::pthread_atfork(None, None, Some(after_fork)) };
}

unsafe extern "C" fn after_fork() {
    process::after_fork();
    let own = own();
    request::after_fork(own);
    if let Some(own) = own {
        foreign::after_fork(own);
        own.after_fork(record().is_some());
    }
}
