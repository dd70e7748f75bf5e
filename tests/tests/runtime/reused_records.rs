//! What a thread that ends leaves of its record belongs to others: records are used
//! again. A marked call in a destructor that runs later, after the round in which the
//! runtime gives the record back (the first, if there is no handle), does not touch
//! it. `pthread_key_create(3)`.

use std::ffi::c_void;
use std::io::{PipeReader, Write, pipe};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, mpsc};
use stop_tests::{blocked_in, part_of, per_backend, thread_id, wait_until_blocked_in};
use stopruntime::ext::ReadOrStop;
use stopruntime::{check, thread};

const READS: [libc::c_long; 2] = [libc::SYS_read, libc::SYS_ppoll];

/// The key of the destructor.
static KEY: AtomicU32 = AtomicU32::new(0);
/// The rounds of destructors that are still to come before it reads.
static ROUNDS: AtomicU32 = AtomicU32::new(0);
/// What it reads from.
static READER: Mutex<Option<PipeReader>> = Mutex::new(None);
/// How often its read has had its byte.
static HAS_READ: AtomicU32 = AtomicU32::new(0);

/// A marked read, in the third round.
unsafe extern "C" fn at_the_end(value: *mut c_void) {
    if ROUNDS.load(Ordering::SeqCst) > 0 {
        ROUNDS.fetch_sub(1, Ordering::SeqCst);
        // SAFETY: the key exists, and has had this value before.
        unsafe { libc::pthread_setspecific(KEY.load(Ordering::SeqCst), value) };
        return;
    }
    let mut reader = READER.lock().unwrap().take().unwrap();
    let read = reader.read_or_stop(&mut [0]).is_ok_and(|read| read.is_ok_and(|count| count == 1));
    HAS_READ.fetch_add(u32::from(read), Ordering::SeqCst);
}

per_backend! {
    fn the_next_thread_has_it_alone() {
        // Registers a first thread, so that the runtime's key is the older one.
        assert!(thread::spawn(|| check().is_ok()).join().unwrap());
        let mut key = 0;
        // SAFETY: a place for the key, and a destructor of this type.
        assert_eq!(unsafe { libc::pthread_key_create(&raw mut key, Some(at_the_end)) }, 0);
        KEY.store(key, Ordering::SeqCst);
        let runs = u32::try_from(part_of(200)).unwrap();
        for run in 1..=runs {
            ROUNDS.store(2, Ordering::SeqCst);
            let (reader, mut writer) = pipe().unwrap();
            *READER.lock().unwrap() = Some(reader);
            let (sender, receiver) = mpsc::channel();
            // Started by std, so that nothing else has a hold on the record.
            let ends = std::thread::spawn(move || {
                assert!(check().is_ok());
                sender.send(thread_id()).unwrap();
                // SAFETY: the key exists; any value that is not null.
                assert_eq!(unsafe { libc::pthread_setspecific(key, (&raw const KEY).cast()) }, 0);
            });
            let id = receiver.recv().unwrap();
            wait_until_blocked_in(id, &READS);
            // Has the record now.
            let (mut never, _open) = pipe().unwrap();
            let next = thread::spawn(move || never.read_or_stop(&mut [0]).is_err());
            assert!(next.stop_and_join().unwrap());
            wait_until_blocked_in(id, &READS);
            assert!(blocked_in(id).is_some(), "stopped for another thread");
            writer.write_all(b"x").unwrap();
            ends.join().unwrap();
            assert_eq!(HAS_READ.load(Ordering::SeqCst), run);
        }
    }
}
