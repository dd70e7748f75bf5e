//! Two copies of the runtime, each with regions of foreign code on the same thread: the
//! kernel hands a thread's calls over to one of them.

use super::image::{Image, build, library};
use super::images::with_the_library;
use core::ffi::{c_int, c_void};
use std::io::pipe;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::mpsc;
use stop_tests::signals::{catch, send};
use stop_tests::{BACKENDS, is_child, thread_id, wait_until_blocked_in};
use stopruntime::{ForeignSupport, Stopper, foreign, foreign_support};

/// The error of a plain read of a pipe that nothing comes through.
fn plain_read() -> c_int {
    let (reader, _writer) = pipe().unwrap();
    let mut byte = 0_u8;
    // SAFETY: a place for a byte.
    let raw = unsafe { libc::read(reader.as_raw_fd(), (&raw mut byte).cast(), 1) };
    assert_eq!(raw, -1);
    std::io::Error::last_os_error().raw_os_error().unwrap()
}

static HANDLED: AtomicU32 = AtomicU32::new(0);

extern "C" fn count(_: i32, _: *mut libc::siginfo_t, _: *mut c_void) {
    HANDLED.fetch_add(1, SeqCst);
}

/// A read in a region of one copy in a region of the other: what the inner region gave, and
/// a read behind it.
fn nested(image: &Image, own_is_outside: bool, reads_on: bool) -> (c_int, Option<c_int>) {
    let behind = || reads_on.then(plain_read);
    let mut found = (0, None);
    if own_is_outside {
        let read = || {
            image.in_a_region(&mut || found.0 = plain_read());
            found.1 = behind();
        };
        foreign(read).unwrap();
    } else {
        image.in_a_region(&mut || {
            found.0 = foreign(plain_read).unwrap();
            found.1 = behind();
        });
    }
    found
}

with_the_library! { BACKENDS;
    fn a_region_of_each_one_in_the_other() {
        if foreign_support() == ForeignSupport::None {
            return;
        }
        let image = Image::open(&library(), "one");
        for own_is_outside in [true, false] {
            for (own, theirs) in [(true, false), (false, true), (true, true)] {
                let (sender, receiver) = mpsc::channel();
                let copy = image.clone();
                // Only the outer one's stop is seen behind the inner one.
                let reads_on = if own_is_outside { own } else { theirs };
                let thread = std::thread::spawn(move || {
                    sender.send((thread_id(), Stopper::current(), copy.stopper())).unwrap();
                    nested(&copy, own_is_outside, reads_on)
                });
                let (id, stopper, its) = receiver.recv().unwrap();
                wait_until_blocked_in(id, &[libc::SYS_read]);
                if own {
                    stopper.request_stop();
                }
                if theirs {
                    image.request_stop(its);
                }
                let expected = (libc::ECANCELED, reads_on.then_some(libc::ECANCELED));
                assert_eq!(thread.join().unwrap(), expected, "{own_is_outside} {own} {theirs}");
                image.give_back(its);
            }
        }
    }

    /// Neither goes on top of the other's handler again, or each would call the other.
    fn their_handlers_of_sigsys_call_each_other_once() {
        if foreign_support() != ForeignSupport::Dispatch {
            return;
        }
        let image = Image::open(&library(), "one");
        catch(libc::SIGSYS, count, 0, &[]);
        for turn in 1..4 {
            let job = Stopper::new();
            job.request_stop();
            assert_eq!(foreign(|| job.run(plain_read)), Ok(libc::ECANCELED));
            image.in_a_region(&mut || ());
            send(thread_id(), libc::SIGSYS);
            assert_eq!(HANDLED.load(SeqCst), turn);
        }
    }
}
