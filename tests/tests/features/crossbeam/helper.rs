//! The thread that disconnects stop channels: one for the process, silent, and
//! never in the way of a request.

use core::cell::Cell;
use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::sync::{Arc, Barrier, OnceLock, mpsc};
use std::time::Duration;
use stop_tests::per_backend;
use stop_tests::proc::{rest, wait_for, wait_for_sleep_in, wait_for_state};
use stopruntime::crossbeam::stop_channel;
use stopruntime::{Stopper, thread};

thread_local! {
    static TOUCHED: Cell<u64> = const { Cell::new(0) };
}

/// Counts what each thread allocates and frees.
struct Counting;

// SAFETY: the system's allocator, and a counter that needs no memory itself.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TOUCHED.set(TOUCHED.get() + 1);
        // SAFETY: the caller's layout.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        TOUCHED.set(TOUCHED.get() + 1);
        // SAFETY: the caller's block.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The ids of the helpers.
fn helpers() -> Vec<i32> {
    let tasks = fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    tasks
        .filter(|task| {
            fs::read_to_string(task.join("comm")).is_ok_and(|it| it == "stop-callbacks\n")
        })
        .map(|task| task.file_name().unwrap().to_str().unwrap().parse().unwrap())
        .collect()
}

/// A thread with a stop channel, which ends when that disconnects.
fn watched() -> thread::JoinHandle<()> {
    let (tell, told) = mpsc::channel();
    let thread = thread::spawn(move || {
        let channel = stop_channel();
        tell.send(()).unwrap();
        channel.recv().unwrap_err();
    });
    told.recv().unwrap();
    thread
}

static TARGET: OnceLock<Stopper> = OnceLock::new();
static TOUCHED_IN_HANDLER: std::sync::atomic::AtomicU64 =
    std::sync::atomic::AtomicU64::new(u64::MAX);

extern "C" fn on_signal(_: libc::c_int) {
    let before = TOUCHED.get();
    TARGET.get().unwrap().request_stop();
    TOUCHED_IN_HANDLER.store(TOUCHED.get() - before, std::sync::atomic::Ordering::SeqCst);
}

per_backend! {
    fn there_is_one_from_the_first_channel_on_and_it_never_wakes_up() {
        // The time is what is measured: for so long, nothing happens.
        const TIME: Duration = Duration::from_secs(1);
        drop(thread::spawn(|| ()).stop_and_join());
        assert_eq!(helpers(), []);
        let threads: Vec<_> = (0..4).map(|_| watched()).collect();
        // It gives itself its name, in its own time.
        wait_for("a helper", || !helpers().is_empty());
        let [helper] = helpers()[..] else { panic!("{:?}", helpers()) };
        wait_for_sleep_in(helper, libc::SYS_futex);
        let before = rest(helper);
        // Requests to threads without a channel are none of its business.
        assert!(thread::spawn(|| ()).stop_and_join().is_ok());
        std::thread::sleep(TIME);
        assert_eq!(rest(helper), before);
        // The kernel and libc keep a few for themselves: 9, 19, 32, 33, on musl 34.
        let status = fs::read_to_string(format!("/proc/self/task/{helper}/status")).unwrap();
        let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
        let blocked = u64::from_str_radix(blocked.trim(), 16).unwrap() | 0x3_8004_0100;
        let why = "it blocks no signal by which it is told of faults";
        assert!(
            blocked == u64::MAX || stop_tests::emulation_hides("what the helper blocks", why)
        );
        for thread in threads {
            thread.stop_and_join().unwrap();
        }
        assert_eq!(helpers(), [helper]);
    }

    /// Of all threads at once, as a scope makes it.
    fn requests_of_many_threads_are_all_served() {
        let barrier = Arc::new(Barrier::new(65));
        thread::scope(|scope| {
            for _ in 0..64 {
                let barrier = Arc::clone(&barrier);
                scope.spawn(move || {
                    let channel = stop_channel();
                    barrier.wait();
                    channel.recv().unwrap_err();
                });
            }
            barrier.wait();
            scope.request_stop();
        });
        let [helper] = helpers()[..] else { panic!("{:?}", helpers()) };
        wait_for_state(helper, "S");
    }

    /// The request and the first channel of a thread at the same time: one of
    /// them sees the other.
    fn a_request_while_the_channel_is_made_is_not_lost() {
        for round in 0..stop_tests::part_of(2_000) {
            let barrier = Arc::new(Barrier::new(2));
            let theirs = Arc::clone(&barrier);
            let thread = thread::spawn(move || {
                theirs.wait();
                stop_channel().recv().unwrap_err();
            });
            barrier.wait();
            // Any instant must do.
            for _ in 0..round % 500 {
                std::hint::spin_loop();
            }
            thread.stop_and_join().unwrap();
        }
    }

    /// In a signal handler, of a thread with a stop channel: no memory is
    /// allocated nor freed.
    fn a_request_in_a_signal_handler_touches_no_memory() {
        let target = watched();
        TARGET.set(target.stopper().clone()).unwrap();
        // SAFETY: the handler does what a handler may.
        #[allow(unsafe_code)]
        unsafe {
            let handler = on_signal as extern "C" fn(libc::c_int);
            libc::signal(libc::SIGUSR1, handler as libc::sighandler_t);
            libc::raise(libc::SIGUSR1);
        }
        target.join().unwrap();
        assert_eq!(TOUCHED_IN_HANDLER.load(std::sync::atomic::Ordering::SeqCst), 0);
    }
}
