//! A global allocator that makes marked calls: the runtime allocates as it is
//! installed and as it takes a thread into use, and meets itself there.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::pipe;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc;
use stop_tests::{per_backend, thread_id, wait_until_blocked_in};
use stopruntime::ext::ReadOrStop;
use stopruntime::{Stopper, stoppable, sys, thread};

struct Marked;

static ON: AtomicBool = AtomicBool::new(false);
/// The calls that were made, and those that were stopped.
static MADE: AtomicU32 = AtomicU32::new(0);
static STOPPED: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// The next allocation of this thread requests its stop.
    static REQUESTS: Cell<bool> = const { Cell::new(false) };
}

fn call() {
    if REQUESTS.replace(false) {
        Stopper::current().request_stop();
    }
    if ON.load(Ordering::SeqCst) {
        // SAFETY: no bytes are asked for.
        let result = unsafe { sys::getrandom_or_stop(core::ptr::null_mut(), 0, 0) };
        let count = if result.is_ok() { &MADE } else { &STOPPED };
        count.fetch_add(1, Ordering::SeqCst);
    }
}

// SAFETY: the system's own, after a call that allocates nothing by itself.
unsafe impl GlobalAlloc for Marked {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        call();
        // SAFETY: the caller's layout.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        call();
        // SAFETY: the caller's block.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static MARKED: Marked = Marked;

const READS: [libc::c_long; 2] = [libc::SYS_read, libc::SYS_ppoll];

per_backend! {
    fn it_may_be_what_installs_the_runtime_and_registers_threads() {
        ON.store(true, Ordering::SeqCst);
        // Installs, in the first allocation of this.
        let threads: Vec<_> = (0..100)
            .map(|_| std::thread::spawn(|| vec![1_u8; 100].into_iter().map(u32::from).sum::<u32>()))
            .collect();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap() == 100));
        assert!(MADE.load(Ordering::SeqCst) > 100);
        assert_eq!(STOPPED.load(Ordering::SeqCst), 0);
    }

    /// Those of a thread that is to stop are stopped, also as it ends.
    fn its_threads_are_stopped_all_the_same() {
        ON.store(true, Ordering::SeqCst);
        let wait = |ids: mpsc::Sender<i32>| {
            move || {
                let (mut reader, _writer) = pipe().unwrap();
                ids.send(thread_id()).unwrap();
                reader.read_or_stop(&mut [0]).is_err()
            }
        };
        for _ in 0..100 {
            let (sender, receiver) = mpsc::channel();
            let ours = thread::spawn(wait(sender));
            wait_until_blocked_in(receiver.recv().unwrap(), &READS);
            assert!(ours.request_stop());
            assert!(ours.join().unwrap());

            let (sender, receiver) = mpsc::channel();
            let (stopper, stoppers) = mpsc::channel();
            let wait = wait(sender);
            let others = std::thread::spawn(move || {
                stopper.send(Stopper::current()).unwrap();
                wait()
            });
            let stopper = stoppers.recv().unwrap();
            wait_until_blocked_in(receiver.recv().unwrap(), &READS);
            assert!(stopper.request_stop());
            assert!(others.join().unwrap());
        }
        assert!(STOPPED.load(Ordering::SeqCst) > 0);
    }

    /// `unblock` may have run by then, and would end no call that begins later.
    fn a_stop_while_unblock_is_set_up_goes_before_the_call() {
        #[stoppable]
        fn query(ended: &AtomicU32, made: &AtomicU32) -> Option<u32> {
            // Between the look in front and the one behind there is this one's box.
            REQUESTS.set(true);
            blocking!(unblock = ended.fetch_add(1, Ordering::SeqCst), answer(made))
        }
        fn answer(made: &AtomicU32) -> Option<u32> {
            made.fetch_add(1, Ordering::SeqCst).checked_add(1)
        }
        let results = thread::spawn(|| {
            let (ended, made) = (AtomicU32::new(0), AtomicU32::new(0));
            // What the thread allocates for itself it has by then.
            stopruntime::check().unwrap();
            let result = query(&ended, &made);
            (result, made.into_inner(), REQUESTS.get(), stopruntime::stop_requested())
        });
        assert_eq!(results.join().unwrap(), (None, 0, false, true));
    }
}
