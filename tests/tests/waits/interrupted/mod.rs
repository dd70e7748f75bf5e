//! A foreign signal, whose handler has no `SA_RESTART`, ends a system
//! call. Where std makes the call again, so does the marked call: it goes on
//! waiting, and has lost nothing. (Times: `deadlines`. Calls that std ends with
//! `Interrupted`: `foreign_handlers`.)

mod streams;
mod waits;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use stop_tests::proc::wait_for;
use stop_tests::signals::{catch, send};
use stop_tests::{FUTEXES, on_backends, per_backend, thread_id, wait_until_blocked_in};
use stopruntime::{Stopped, thread};

/// How often each is interrupted.
const TIMES: u32 = 5;

static HANDLED: AtomicU32 = AtomicU32::new(0);

extern "C" fn on_signal(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    HANDLED.fetch_add(1, Ordering::SeqCst);
}

/// What the calls wait in, on any backend.
const WAITS: [libc::c_long; 11] = [
    libc::SYS_accept4,
    libc::SYS_connect,
    libc::SYS_futex,
    libc::SYS_futex_waitv,
    stop_tests::POLL,
    libc::SYS_ppoll,
    libc::SYS_read,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    libc::SYS_waitid,
    libc::SYS_write,
];

/// Interrupts the call while it waits, each time in a sleep of its own, then
/// feeds it; it says what the feed has made of it.
fn goes_on(
    name: &str,
    call: impl FnOnce() -> Result<String, Stopped> + Send + 'static,
    feed: impl FnOnce() -> &'static str,
) {
    let (sender, receiver) = mpsc::channel();
    let waiter = thread::spawn(move || {
        sender.send(thread_id()).unwrap();
        call()
    });
    let id = receiver.recv().unwrap();
    for _ in 0..TIMES {
        wait_until_blocked_in(id, &WAITS);
        let before = HANDLED.load(Ordering::SeqCst);
        send(id, libc::SIGUSR1);
        wait_for("the handler", || {
            assert!(!waiter.is_finished(), "{name} was ended by a signal");
            HANDLED.load(Ordering::SeqCst) != before
        });
    }
    wait_until_blocked_in(id, &WAITS);
    let expected = feed();
    assert_eq!(waiter.join().expect(name).as_deref(), Ok(expected), "{name}");
}

/// The handler, without `SA_RESTART`.
fn caught() {
    catch(libc::SIGUSR1, on_signal, 0, &[]);
}

per_backend! {
    fn readers_go_on() {
        caught();
        streams::read();
        streams::read_buffered();
    }

    fn a_writer_goes_on() {
        caught();
        streams::write();
    }

    fn a_wait_for_a_peer_goes_on() {
        caught();
        waits::accept();
        waits::connect();
    }

    fn a_wait_for_a_child_goes_on() {
        caught();
        waits::for_a_child();
    }
}

on_backends! { FUTEXES;
    fn a_wait_for_another_thread_goes_on() {
        caught();
        waits::for_a_thread();
        waits::for_what_is_held();
        waits::for_what_is_sent();
    }
}
