//! A thread's record is made, given to it, and taken into use.
//!
//! Locks that a thread meets here: the allocator's, when it makes its record
//! (a thread of [`thread::spawn`](crate::thread::spawn) is given one), and
//! libc's `calloc` if a key is not among the first 32. All else is done by the
//! installation. In a library that was opened later the first touch of a
//! thread-local allocates as well, and takes a lock of the loader's: so does any
//! Rust code in there, and no thread-local that such a library may have is without.
//!
//! # Safety
//!
//! The invariant of [`slot`](super::slot) holds here too.

#![allow(unsafe_code)]

use crate::runtime::backend::Backend;
use crate::runtime::detach::give_back;
use crate::runtime::install;
use crate::runtime::installed;
use crate::runtime::record::Record;
use crate::runtime::records::RecordRef;
use crate::runtime::scopes::enter;
use crate::runtime::signal;
use crate::runtime::slot::{CURRENT, left_requested, own, plainly, record, set_keys, stand_in};
use crate::window::rseq;

/// Returns this thread's record, in use or not, and makes it if there is none; `None`
/// where something stands in for it.
#[inline]
pub(crate) fn own_or_made<'thread>() -> Option<&'thread Record> {
    own().or_else(made)
}

#[cold]
fn made<'thread>() -> Option<&'thread Record> {
    registered();
    own()
}

/// This thread's record, made and taken into use with the first call.
pub(crate) fn registered<'thread>() -> &'thread Record {
    match record() {
        Some(record) => record,
        None => begin(),
    }
}

/// A strong reference to this thread's record.
pub(crate) fn shared() -> RecordRef {
    registered();
    match own() {
        // SAFETY: this thread has a count of it, from `adopt` on.
        Some(record) => unsafe { RecordRef::of(record) },
        // One stands in for it, which no thread requests.
        None => RecordRef::take(left_requested(), []),
    }
}

/// Gives the calling thread, which begins, this record. It takes it into use
/// with its first marked call, so that a signal mask that it sets before does not
/// matter; on [`Backend::Ppoll`], which blocks the signal,
/// at once.
pub(crate) fn start(record: RecordRef) {
    // An allocator may have made a marked call before.
    give_back();
    adopt(record);
    own().expect("adopted").begin_under();
    if installed::backend() == Some(Backend::Ppoll) {
        begin();
    }
}

fn adopt(record: RecordRef) {
    let pointer = record.into_raw();
    // The value is the count that `give_back` returns.
    let stored = plainly(|| set_keys(pointer));
    if stored != 0 {
        // SAFETY: as it was; nothing else has taken it. Joins do not wait for it.
        unsafe { RecordRef::from_raw(pointer) }.end();
        panic!("stopruntime: no memory to register this thread");
    }
    CURRENT.with(|current| current.own.set(pointer));
    own().expect("adopted").known.identify();
}

/// Takes this thread's record into use, or says what stands in for it.
#[cold]
fn begin<'thread>() -> &'thread Record {
    if CURRENT.with(|current| current.stands_in.get()) {
        let record = stand_in();
        CURRENT.with(|current| current.line.set(&raw const record.line));
        return record;
    }
    let (record, masked) = plainly(|| {
        let backend = install::ensure();
        if own().is_none() {
            adopt(RecordRef::take(left_requested(), []));
            enter::take_over(own().expect("adopted"));
        }
        let record = own().expect("adopted");
        let masked = backend == Backend::Ppoll;
        // Not to be had if another library has registered this thread: then the
        // handler does the work alone.
        let rseq_cs = (backend == Backend::Rseq).then(rseq::rseq_cs).and_then(Result::ok);
        // The line first: a handler that finds the record may look at it.
        record.begin(rseq_cs, masked);
        (record, masked)
    });
    CURRENT.with(|current| {
        current.record.set(record);
        if !masked {
            current.line.set(&raw const record.line);
        }
    });
    // mutant: registering-unblocks-signal
    signal::set_mask(if masked { libc::SIG_BLOCK } else { libc::SIG_UNBLOCK });
    record
}
