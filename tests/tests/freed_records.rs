//! What a thread that ends leaves of its record belongs to others. A marked
//! call in a destructor that runs later, after the round in which the runtime
//! gives the record back (the first, if there is no handle), does not touch it.
//! `pthread_key_create(3)`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::c_void;
use std::io::pipe;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use stop_tests::on_backends;
use stopruntime::ext::ReadOrStop;
use stopruntime::{Stopper, check, thread};

/// Keeps freed records, and nobody else's, filled with this.
const FREED: u8 = 0xa5;
const MOST: usize = 256;

/// The alignment of a record, which little else has.
const ALIGNMENT: usize = 64;

struct Keeper;

static KEPT: [AtomicPtr<u8>; MOST] = [const { AtomicPtr::new(core::ptr::null_mut()) }; MOST];
static COUNT: AtomicUsize = AtomicUsize::new(0);

// SAFETY: the system's own, but for what is never given back.
unsafe impl GlobalAlloc for Keeper {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's layout.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if layout.align() == ALIGNMENT {
            let index = COUNT.fetch_add(1, Ordering::SeqCst);
            // SAFETY: a block of that size, which is nobody's any more.
            unsafe { block.write_bytes(FREED, layout.size()) };
            if let Some(place) = KEPT.get(index) {
                return place.store(block, Ordering::SeqCst);
            }
        }
        // SAFETY: the caller's block.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static KEEPER: Keeper = Keeper;

/// How often the destructor has looked.
static RAN: AtomicU32 = AtomicU32::new(0);
/// Its key.
static KEY: AtomicU32 = AtomicU32::new(0);
/// The rounds of destructors that are still to come before it looks.
static ROUNDS: AtomicU32 = AtomicU32::new(0);

/// A marked read that would wait for ever, in the third round.
unsafe extern "C" fn at_the_end(value: *mut c_void) {
    if ROUNDS.load(Ordering::SeqCst) > 0 {
        ROUNDS.fetch_sub(1, Ordering::SeqCst);
        // SAFETY: the key exists, and has had this value before.
        unsafe { libc::pthread_setspecific(KEY.load(Ordering::SeqCst), value) };
        return;
    }
    let (mut reader, _writer) = pipe().unwrap();
    let stopped = reader.read_or_stop(&mut [0]).is_err();
    RAN.fetch_add(u32::from(stopped), Ordering::SeqCst);
}

on_backends! { ["rseq", "handler"];
    fn nothing_is_written_to_one() {
        // Registers a first thread, so that the runtime's key is the older one.
        assert!(thread::spawn(|| check().is_ok()).join().unwrap());
        let mut key = 0;
        // SAFETY: a place for the key, and a destructor of this type.
        assert_eq!(unsafe { libc::pthread_key_create(&raw mut key, Some(at_the_end)) }, 0);
        KEY.store(key, Ordering::SeqCst);
        for run in 1..=100 {
            ROUNDS.store(2, Ordering::SeqCst);
            // Started by std, so that nobody else has a hold on the record.
            let ends = std::thread::spawn(move || {
                Stopper::current().request_stop();
                // SAFETY: the key exists; any value that is not null.
                assert_eq!(unsafe { libc::pthread_setspecific(key, (&raw const RAN).cast()) }, 0);
            });
            ends.join().unwrap();
            assert_eq!(RAN.load(Ordering::SeqCst), run);
        }
        let kept: Vec<_> = KEPT.iter().map(|block| block.load(Ordering::SeqCst)).collect();
        let freed: Vec<_> = kept.into_iter().filter(|block| !block.is_null()).collect();
        assert!(freed.len() > 100, "records were freed");
        for block in freed {
            // SAFETY: never given back, and a record is larger.
            let bytes = unsafe { core::slice::from_raw_parts(block, ALIGNMENT) };
            assert!(bytes.iter().all(|byte| *byte == FREED), "{bytes:x?}");
        }
    }
}
