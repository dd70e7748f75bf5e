//! The stop channel in selections.

use super::{requested, stopped_while_it_waits};
use core::cell::RefCell;
use core::convert::Infallible;
use crossbeam_channel::{Receiver, Select, TryRecvError, bounded, never, select, unbounded};
use std::sync::mpsc;
use stop_tests::{per_backend, thread_id, wait_until_blocked_in};
use stopruntime::crossbeam::stop_channel;
use stopruntime::ext::ReceiverOrStop;
use stopruntime::{check, shield, thread};

fn is_disconnected(channel: &Receiver<Infallible>) -> bool {
    channel.try_recv() == Err(TryRecvError::Disconnected)
}

/// Keeps a channel that is asked for in a destructor of a thread-local.
struct AtTheEnd(mpsc::Sender<Receiver<Infallible>>);

impl Drop for AtTheEnd {
    fn drop(&mut self) {
        self.0.send(stop_channel()).unwrap();
    }
}

thread_local! {
    static AT_THE_END: RefCell<Option<AtTheEnd>> = const { RefCell::new(None) };
}

per_backend! {
    fn a_request_ends_a_select() {
        let (sender, numbers) = unbounded::<u64>();
        let (_other, words) = unbounded::<String>();
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        let theirs = numbers.clone();
        let (id, both_taken) = mpsc::channel();
        let adder = thread::spawn(move || {
            let (stop, mut sum) = (stop_channel(), 0);
            loop {
                select! {
                    recv(theirs) -> number => {
                        sum += number.unwrap();
                        if sum == 3 {
                            id.send(thread_id()).unwrap();
                        }
                    }
                    recv(words) -> word => drop(word.unwrap()),
                    recv(stop) -> stopped => break stopped.map_or(sum, |never| match never {}),
                }
            }
        });
        wait_until_blocked_in(both_taken.recv().unwrap(), &[libc::SYS_futex]);
        assert_eq!(adder.stop_and_join().unwrap(), 3);
        sender.send(3).unwrap();
        assert_eq!(numbers.recv(), Ok(3), "nothing was taken with the stop");
    }

    fn a_request_ends_the_dynamic_select_and_ready() {
        for ready in [false, true] {
            let index = stopped_while_it_waits(move || {
                let (quiet, stop) = (never::<u8>(), stop_channel());
                let mut select = Select::new();
                select.recv(&quiet);
                let at = select.recv(&stop);
                if ready {
                    return select.ready() == at && is_disconnected(&stop);
                }
                let operation = select.select();
                operation.index() == at && operation.recv(&stop).is_err()
            });
            assert!(index, "ready: {ready}");
        }
    }

    fn it_is_level_triggered_and_disconnected_from_the_start_after_a_request() {
        requested(|| {
            for _ in 0..3 {
                let channel = stop_channel();
                assert!(is_disconnected(&channel) && is_disconnected(&channel));
            }
            // Also where the rest of the thread is shielded.
            assert!(shield(|| is_disconnected(&stop_channel())));
        });
        let given = stopped_while_it_waits(|| {
            let first = stop_channel();
            assert!(!is_disconnected(&first));
            assert!(first.recv().is_err());
            [first, stop_channel()]
        });
        assert!(given.iter().all(is_disconnected));
    }

    fn it_speaks_of_its_own_thread_alone() {
        let (give, given) = mpsc::channel();
        let (release, until) = bounded::<()>(0);
        let owner = thread::spawn(move || {
            give.send(stop_channel()).unwrap();
            until.recv().unwrap_err();
        });
        let theirs = given.recv().unwrap();
        let ours = stop_channel();
        // Elsewhere it wakes the thread that waits on it.
        let elsewhere = theirs.clone();
        let waiter = thread::spawn(move || (elsewhere.recv().is_err(), check().is_ok()));
        assert!(!is_disconnected(&theirs) && !is_disconnected(&ours));
        owner.request_stop();
        assert_eq!(waiter.join().unwrap(), (true, true));
        assert!(!is_disconnected(&ours));
        drop(release);
        owner.join().unwrap();
        assert!(is_disconnected(&theirs));
    }

    fn it_disconnects_with_the_end_of_the_thread() {
        let (give, given) = mpsc::channel();
        let thread = thread::spawn(move || {
            AT_THE_END.set(Some(AtTheEnd(give)));
            stop_channel()
        });
        let stopper = thread.stopper().clone();
        let channel = thread.join().unwrap();
        assert!(channel.recv().is_err());
        // One that was asked for when the thread had nowhere left to keep it,
        // and one of a thread that nothing can stop.
        assert!(given.recv().unwrap().recv().is_err());
        let of_std = std::thread::spawn(stop_channel).join().unwrap();
        assert!(of_std.recv().is_err());
        assert!(stopper.request_stop(), "of a thread that is gone");
    }

    /// The child has no helper until it asks for a channel, and its parent's
    /// says nothing there.
    fn a_forked_child_has_channels_of_its_own() {
        if stop_tests::emulation_hides("a fork of several threads", stop_tests::NO_FORKS) {
            return;
        }
        let (sender, receiver) = unbounded::<u8>();
        let before = stop_channel();
        // SAFETY: this test runs in a process of its own, whose other threads
        // are the harness's, which sleeps, and the helper, of which the child
        // uses nothing.
        #[allow(unsafe_code)]
        let child = unsafe { libc::fork() };
        if child == 0 {
            let fine = std::panic::catch_unwind(|| {
                let stopped = stopped_while_it_waits({
                    let receiver = receiver.clone();
                    move || receiver.recv_or_stop().is_err()
                });
                stopruntime::Stopper::current().request_stop();
                sender.send(1).unwrap();
                let ours = stop_channel();
                stopped
                    && receiver.recv_or_stop().is_err()
                    && is_disconnected(&ours)
                    && !is_disconnected(&before)
            });
            // SAFETY: ends the child at once.
            #[allow(unsafe_code)]
            unsafe { libc::_exit(i32::from(!fine.unwrap_or(false))) }
        }
        let mut status = 0;
        // SAFETY: our child, a valid place.
        #[allow(unsafe_code)]
        let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
        assert_eq!((waited, status), (child, 0));
        // The parent's is as it was.
        assert!(!is_disconnected(&before));
        stopruntime::Stopper::current().request_stop();
        assert!(before.recv().is_err());
    }
}
