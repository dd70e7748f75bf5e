//! What becomes of a record in a forked child.

use crate::runtime::process;
use crate::runtime::record::Record;
use crate::runtime::signal;
use core::sync::atomic::Ordering;

impl Record {
    /// In a forked child: the requesters of the parent do not exist here.
    pub(crate) fn after_fork(&self, in_use: bool) {
        // mutant: forked-child-no-requesters
        self.claim.reset();
        // The thread that would tell it does not exist here either.
        #[cfg(feature = "crossbeam-channel")]
        self.hinted.store(false, Ordering::Relaxed);
        // mutant: forked-child-has-own-id
        if in_use {
            self.adopt();
        }
    }

    /// In a child made without the handlers of `pthread_atfork(3)`, on any of its
    /// threads: if the record is not of a thread of this process it is taken to be
    /// of the first one, whose id is the process's. Async-signal-safe.
    ///
    /// If it is in truth of a thread that the child does not have, which nothing
    /// tells, a request interrupts the first thread; the handler finds that the
    /// signal is for another record.
    #[cold]
    pub(super) fn after_raw_fork(&self) {
        let process = signal::process_id();
        // As the claim, so that a thread that ends meanwhile stays without one.
        let tid = self.tid.load(Ordering::SeqCst);
        if self.claim.reset_if(|| self.pid.load(Ordering::SeqCst) != process) {
            let order = Ordering::SeqCst;
            // 0: not in use.
            if tid != 0 {
                let _ = self.tid.compare_exchange(tid, process, order, order);
            }
            self.pid.store(process, order);
        }
    }

    /// The same, on the record's own thread: if that is the first one, all other
    /// records with other ids are of threads that do not exist.
    pub(super) fn own_after_raw_fork(&self) {
        if process::is_raw_child() {
            self.after_raw_fork();
            if self.tid.load(Ordering::Relaxed) == signal::process_id() {
                process::settle();
            }
        }
    }
}
