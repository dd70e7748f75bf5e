//! The claim under which a stop signal is sent: when a thread has settled, no
//! signal is on its way to it, none is sent by whoever looked before, and it
//! does not wait for a sender whose signal has come.

use std::sync::Arc;
use stop_loom::atomic::{AtomicU32, Ordering::SeqCst};
use stop_loom::claim::Claim;
use stop_loom::thread::{JoinHandle, spawn};
use stop_loom::{Data, model, model_bounded};

/// A thread that leaves its marked call, and what of it a requester sees.
#[derive(Default)]
struct Target {
    claim: Option<Claim>,
    marker: AtomicU32,
    /// The number of the pending signal, plus one.
    pending: AtomicU32,
}

impl Target {
    fn inside() -> Arc<Target> {
        let target = Target { claim: Some(Claim::new()), ..Target::default() };
        target.marker.store(1, SeqCst);
        Arc::new(target)
    }

    fn claim(&self) -> &Claim {
        self.claim.as_ref().unwrap()
    }

    /// As `Record::end_its_call`; whether it has sent a signal.
    fn request(&self) -> bool {
        while let Some(look) = self.claim().look() {
            if self.marker.load(SeqCst) == 0 {
                return false;
            }
            if let Some(sending) = self.claim().claim(look) {
                // One that is pending keeps its number.
                let _ = self.pending.compare_exchange(0, sending.sequence() + 1, SeqCst, SeqCst);
                self.claim().finish(sending, true);
                return true;
            }
        }
        false
    }

    /// The kernel delivers what is pending, as it may at any time.
    fn deliver(&self) -> bool {
        let number = self.pending.swap(0, SeqCst);
        if number != 0 {
            assert!(self.claim().is_open(), "the handler takes it for a foreign one");
            self.claim().delivered(number - 1);
        }
        number != 0
    }

    /// The end of the marked call, and then code that must not be disturbed.
    /// Whether a signal ended the call.
    fn leave(&self) -> bool {
        let came = self.deliver();
        self.marker.store(0, SeqCst);
        self.claim().settle(|| {
            self.deliver();
        });
        assert_eq!(self.pending.load(SeqCst), 0, "a signal is on its way");
        assert!(!self.claim().is_open());
        came
    }
}

#[test]
fn one_requester() {
    let outcomes = model(|| {
        let target = Target::inside();
        let theirs = Arc::clone(&target);
        let requester = spawn(move || theirs.request());
        let came = target.leave();
        let sent = requester.join();
        assert_eq!(target.pending.load(SeqCst), 0, "a signal came afterwards");
        (came, sent)
    });
    // Too late; waited for or drained; delivered before.
    assert_eq!(outcomes, [(false, false), (false, true), (true, true)]);
}

#[test]
fn two_requesters() {
    let outcomes = model_bounded(3, || {
        let target = Target::inside();
        let requesters = [(); 2].map(|()| {
            let theirs = Arc::clone(&target);
            spawn(move || theirs.request())
        });
        let came = target.leave();
        let sent = requesters.map(JoinHandle::join);
        assert_eq!(target.pending.load(SeqCst), 0, "a signal came afterwards");
        (came, sent.iter().filter(|sent| **sent).count())
    });
    assert_eq!(outcomes, [(false, 0), (false, 1), (false, 2), (true, 1), (true, 2)]);
}

/// The second call begins while the requester of the first is still about.
#[test]
fn a_call_after_it() {
    model_bounded(3, || {
        let target = Target::inside();
        let theirs = Arc::clone(&target);
        let requester = spawn(move || theirs.request());
        target.leave();
        target.marker.store(1, SeqCst);
        target.leave();
        requester.join();
        assert_eq!(target.pending.load(SeqCst), 0, "a signal came afterwards");
    });
}

#[test]
fn what_the_requester_did_before_is_seen() {
    model(|| {
        let target = Target::inside();
        let shared = Arc::new((Arc::clone(&target), std::sync::Mutex::new(Data::new(0))));
        let theirs = Arc::clone(&shared);
        let requester = spawn(move || {
            theirs.1.try_lock().unwrap().set(1);
            theirs.0.request()
        });
        if target.deliver() {
            assert_eq!(shared.1.try_lock().unwrap().get(), 1);
        }
        target.leave();
        requester.join();
    });
}
