//! The runtime several times in one process: in the program itself and in two
//! libraries that each have a copy of their own, opened, and closed again while
//! the process goes on.

use super::image::{Foreign, Image, build, library};
use std::io::{PipeReader, PipeWriter, pipe};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use stop_tests::dice::Dice;
use stop_tests::proc::{limit, rest, wait_for};
use stop_tests::seccomp::deny;
use stop_tests::signals::{STOP, plain_write, send, waiting};
use stop_tests::timers::Storm;
use stop_tests::{is_child, thread_id, wait_until_blocked_in};
use stopruntime::ext::ReadOrStop;

const READS: [libc::c_long; 2] = [libc::SYS_read, libc::SYS_ppoll];

/// A thread in a marked read of a copy, or of the program's own runtime.
pub(crate) struct Reader {
    thread: i32,
    ended: mpsc::Receiver<isize>,
    writer: PipeWriter,
}

pub(crate) fn start<S: Send + 'static>(
    stopper: impl FnOnce() -> S + Send + 'static,
    read: impl FnOnce(&PipeReader) -> isize + Send + 'static,
) -> (Reader, S) {
    let (reader, writer) = pipe().unwrap();
    let (sender, receiver) = mpsc::channel();
    let (end, ended) = mpsc::channel();
    std::thread::spawn(move || {
        sender.send((thread_id(), stopper())).unwrap();
        end.send(read(&reader)).unwrap();
    });
    let (thread, stopper) = receiver.recv().unwrap();
    wait_until_blocked_in(thread, &READS);
    (Reader { thread, ended, writer }, stopper)
}

impl Reader {
    pub(crate) fn of(image: &Image) -> (Reader, Foreign) {
        let (asks, reads) = (image.clone(), image.clone());
        start(move || asks.stopper(), move |reader| reads.marked_read(reader))
    }

    pub(crate) fn result(&self) -> isize {
        self.ended.recv_timeout(limit()).expect("request lost")
    }

    /// It sleeps on and gets its byte.
    pub(crate) fn is_undisturbed(&self) -> bool {
        wait_until_blocked_in(self.thread, &READS);
        plain_write(self.writer.as_raw_fd()) && self.result() == 1
    }
}

pub(crate) fn own_read(mut reader: &PipeReader) -> isize {
    reader.read_or_stop(&mut [0]).map_or(-2, |result| result.unwrap().try_into().unwrap())
}

/// In each process but those of the backends: builds first.
macro_rules! with_the_library {
    ($backends:expr; $($(#[$attribute:meta])* fn $name:ident() $body:block)*) => {$(
        $(#[$attribute])*
        #[test]
        fn $name() {
            fn body() $body
            if !is_child() {
                assert_eq!(build(), library());
            }
            stop_tests::run(
                concat!(module_path!(), "::", stringify!($name)), &$backends, body,
            );
        }
    )*};
}

pub(crate) use with_the_library;

/// The bytes of libc's malloc that are in use. mallinfo(3).
#[cfg(target_env = "gnu")]
fn in_use() -> usize {
    // SAFETY: takes no argument.
    unsafe { libc::mallinfo2() }.uordblks
}

/// No libc but glibc tells, nor makes thread-locals late.
#[cfg(not(target_env = "gnu"))]
fn in_use() -> usize {
    0
}

with_the_library! { stop_tests::BACKENDS;
    fn each_runtime_stops_its_own_threads() {
        let (one, other) = (Image::open(&library(), "one"), Image::open(&library(), "other"));
        // Installed in this order: the last is the first to see a signal.
        let readers = [Reader::of(&one), Reader::of(&other)];
        let (own, own_stopper) = start(stopruntime::Stopper::current, own_read);
        for (image, (reader, stopper)) in [&one, &other].into_iter().zip(&readers) {
            let (bystander, unused) = Reader::of(image);
            assert!(image.request_stop(*stopper));
            assert_eq!(reader.result(), -2);
            assert!(bystander.is_undisturbed());
            image.give_back(*stopper);
            image.give_back(unused);
        }
        assert!(own_stopper.request_stop());
        assert_eq!(own.result(), -2);
    }

    /// One thread that both know: a request through either stops the calls of
    /// that one alone.
    fn a_thread_may_be_known_to_both() {
        let images = [Image::open(&library(), "one"), Image::open(&library(), "other")];
        for (asked, unasked) in [(0, 1), (1, 0)] {
            let theirs = images.clone();
            let (reader, stoppers) = start(
                {
                    let images = images.clone();
                    move || images.map(|image| image.stopper())
                },
                move |reader| {
                    // Stopped in the one, then not stopped in the other.
                    let stopped = theirs[asked].marked_read(reader);
                    assert_eq!(stopped, -2);
                    theirs[unasked].marked_read(reader)
                },
            );
            assert!(images[asked].request_stop(stoppers[asked]));
            wait_for("its sleep in the other's call", || {
                !images[asked].request_stop(stoppers[asked]) && rest(reader.thread).state == "S"
            });
            assert!(reader.is_undisturbed());
        }
    }

    /// Then a request signals its thread wherever that is, also in the other's
    /// call, which must not take it for its own for ever.
    fn nor_does_a_request_without_membarrier_disturb_the_other() {
        deny(libc::SYS_membarrier, libc::ENOSYS);
        let (one, other) = (Image::open(&library(), "one"), Image::open(&library(), "other"));
        for (asked, unasked) in [(&one, &other), (&other, &one)] {
            let (reads, asks) = (asked.clone(), [asked.clone(), unasked.clone()]);
            let (reader, [stopper, unused]) = start(
                move || asks.map(|image| image.stopper()),
                move |reader| [reads.marked_read(reader), reads.marked_read(reader)].into_iter().sum(),
            );
            for _ in 0..20 {
                unasked.request_stop(unused);
                wait_until_blocked_in(reader.thread, &READS);
            }
            assert!(plain_write(reader.writer.as_raw_fd()));
            wait_for("the byte to be taken", || waiting(&reader.writer) == 0);
            wait_until_blocked_in(reader.thread, &READS);
            assert!(asked.request_stop(stopper));
            assert_eq!(reader.result(), 1 - 2, "a byte, and a stop");
        }
    }

    /// Its handler, its thread's end and its part of fork are still to come.
    fn a_library_that_is_closed_stays() {
        for name in ["one", "other"] {
            let image = Image::open(&library(), name);
            // A thread that lives on, and one that has gone: std's own
            // thread-locals would hold the library while their thread lives.
            let (left_behind, stopper) = Reader::of(&image);
            let (gone, its_own) = Reader::of(&image);
            image.request_stop(its_own);
            assert_eq!(gone.result(), -2);
            image.give_back(its_own);
            image.give_back(stopper);
            assert!(image.close(), "the code of the handler is gone");
            send(thread_id(), STOP);
            send(left_behind.thread, STOP);
            assert!(left_behind.is_undisturbed());
            // SAFETY: the child ends at once.
            let child = unsafe { libc::fork() };
            if child == 0 {
                // SAFETY: as above.
                unsafe { libc::_exit(0) }
            }
            let mut status = 0;
            // SAFETY: our child, a valid place.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            assert_eq!(status, 0);
        }
    }

    /// A thread-local of a library that was opened later is made when it is
    /// touched first, by libc's malloc.
    fn a_stray_takes_no_memory() {
        let image = Image::open(&library(), "one");
        let (reader, stopper) = Reader::of(&image);
        for _ in 0..10 {
            let met = std::thread::spawn(|| {
                let before = in_use();
                // It has been handled when this returns.
                send(thread_id(), STOP);
                (before, in_use())
            });
            let (before, after) = met.join().unwrap();
            assert_eq!(before, after, "bytes of libc's malloc");
        }
        image.request_stop(stopper);
        assert_eq!(reader.result(), -2);
        image.give_back(stopper);
    }

    /// Signals that are no request, to threads that have never heard of
    /// the library, whatever they are at: it touches nothing of theirs that
    /// would have to be made first.
    fn strays_in_the_middle_of_an_allocation_are_harmless() {
        let image = Image::open(&library(), "one");
        let (reader, stopper) = Reader::of(&image);
        for _ in 0..300 {
            let (sender, receiver) = mpsc::channel();
            let done = Arc::new(AtomicBool::new(false));
            let theirs = Arc::clone(&done);
            let worker = std::thread::spawn(move || {
                sender.send(thread_id()).unwrap();
                let (mut kept, mut rounds) = (Vec::new(), 0_u64);
                while !theirs.load(Ordering::Relaxed) || rounds == 0 {
                    // Of many sizes, so that the allocator has work to do.
                    kept.extend((1..200).map(|step| vec![0_u8; step * 97 % 4_099]));
                    kept.clear();
                    rounds += 1;
                }
                rounds
            });
            let storm = Storm::on(receiver.recv().unwrap(), STOP);
            Dice::of(0).spin(1_000_000);
            drop(storm);
            done.store(true, Ordering::Relaxed);
            assert!(worker.join().unwrap() > 0);
        }
        image.request_stop(stopper);
        assert_eq!(reader.result(), -2);
        image.give_back(stopper);
    }
}
