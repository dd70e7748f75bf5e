//! The record of a thread: its flag, and the stop protocol between the thread
//! and those who request.
//!
//! Words of a record, and who writes them:
//!
//! | word | values | written by |
//! |---|---|---|
//! | `flag` | bit 0 *requested*, bit 1 *shielded* | anyone sets bit 0, the thread toggles bit 1 |
//! | `marker` | 1 inside a marked call | the thread |
//! | `claim` | who signals the thread, see [`claim`](crate::runtime::claim) | both |
//! | `tid` | 0 before the thread's first marked call and after its last | the thread |
//! | `parked` | 1 inside a stop-checked `park` | the thread |
//! | `timeout` | see [`timeout`](crate::runtime::timeout) | the thread, its handler included |
//! | `ended` | 2 if somebody waits for the end, 1 once the thread will make no marked call any more | the thread 1, others 2 |
//!
//! Two store-then-load races decide everything, each between the thread and a
//! requester, and in each at least one side sees the other's store:
//!
//! 1. *thread:* marker ← 1, load flag. *requester:* flag ← 1, load marker. So
//!    the call stops by itself or it is signalled. The requester's membarrier
//!    stands between its two, and makes the thread's two ordered as well: the
//!    marked call needs no fence.
//! 2. *thread:* marker ← 0 (or tid ← 0), load flag, and if it is set move
//!    `claim` on. *requester:* load `claim`, load marker and tid, claim. So a
//!    requester that finds the marker set either claims in time, and then its
//!    signal is waited for, or finds that the thread has left; and code after
//!    the marked call is never interrupted, nor is a thread that has ended,
//!    whose id another thread may have by then.
//!
//! A stop-checked `park` is std's own, which no signal ends: there `parked`
//! takes the marker's place and std's `unpark` the signal's.

use crate::runtime::claim::Claim;
use crate::runtime::futex::{futex_wait, futex_wake};
use crate::runtime::process;
use crate::runtime::signal;
use crate::runtime::timeout::Timeout;
use crate::window::{Line, rseq};
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicUsize, Ordering};
use std::sync::OnceLock;
use std::thread::Thread;
use std::time::Instant;

pub(crate) const REQUESTED: u32 = 1;
pub(crate) const SHIELDED: u32 = 2;

const ENDED: u32 = 1;
/// Who waits for the end is to be woken: most threads end with nobody waiting
/// in here, and then without a system call.
pub(crate) const END_AWAITED: u32 = 2;

/// Whether a stop of any thread has ever been requested in this process.
static ANY_REQUESTED: AtomicBool = AtomicBool::new(false);

pub(crate) fn any_requested() -> bool {
    ANY_REQUESTED.load(Ordering::Relaxed)
}

/// One thread's record. The words the hot path touches come first and share a
/// cache line.
#[repr(C, align(64))]
pub(crate) struct Record {
    pub(crate) line: Line,
    pub(crate) claim: Claim,
    tid: AtomicI32,
    pid: AtomicI32,
    ended: AtomicU32,
    /// Takes the descriptors of a thread without rseq: only the handler reads
    /// it, and no other thread writes the line it is in.
    descriptor: AtomicUsize,
    owns_rseq: AtomicBool,
    /// The signal is blocked outside `ppoll` ([`Backend::Ppoll`](crate::Backend::Ppoll)).
    pub(crate) masked: AtomicBool,
    pub(crate) timeout: Timeout,
    parked: AtomicU32,
    /// The thread as std knows it, from its first stop-checked `park` on.
    parker: OnceLock<Thread>,
    /// A request has to be told to [`watch`](crate::crossbeam::helper) as well.
    #[cfg(feature = "crossbeam-channel")]
    pub(crate) watched: AtomicBool,
}

#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Record>() == 128);

impl Record {
    pub(crate) const fn new(flag: u32) -> Record {
        Record {
            line: Line {
                flag: AtomicU32::new(flag),
                marker: AtomicU32::new(0),
                rseq_cs: rseq::nowhere(),
            },
            claim: Claim::new(),
            tid: AtomicI32::new(0),
            pid: AtomicI32::new(0),
            ended: AtomicU32::new(0),
            descriptor: AtomicUsize::new(0),
            owns_rseq: AtomicBool::new(false),
            masked: AtomicBool::new(false),
            timeout: Timeout::new(),
            parked: AtomicU32::new(0),
            parker: OnceLock::new(),
            #[cfg(feature = "crossbeam-channel")]
            watched: AtomicBool::new(false),
        }
    }

    // ---- the requester's side: async-signal-safe, allocates nothing ----

    pub(crate) fn requested(&self) -> bool {
        // Acquire: what the requester did before the request is visible to
        // the thread that sees it (Release in `request_all`).
        self.line.flag.load(Ordering::Acquire) & REQUESTED != 0
    }

    /// Whether a marked call or a checkpoint would stop now.
    pub(crate) fn must_stop(&self) -> bool {
        self.line.flag.load(Ordering::Acquire) == REQUESTED
    }

    /// Requests a stop. True if it is the first request.
    pub(crate) fn request(&self) -> bool {
        let first = self.set_flag();
        let barrier = signal::barrier();
        // mutant: request-makes-good-what-became
        self.end_its_call(barrier);
        first
    }

    /// [`Record::request`] for many threads: all flags, one barrier, then the
    /// signals.
    pub(crate) fn request_all<'a>(records: impl Iterator<Item = &'a Record> + Clone) {
        for record in records.clone() {
            record.set_flag();
        }
        let barrier = signal::barrier();
        for record in records {
            record.end_its_call(barrier);
        }
    }

    fn set_flag(&self) -> bool {
        ANY_REQUESTED.store(true, Ordering::Relaxed);
        // SeqCst: race 1 where the barrier is missing; it includes the Release
        // that `requested` pairs with.
        self.line.flag.fetch_or(REQUESTED, Ordering::SeqCst) & REQUESTED == 0
    }

    /// A second request signals again: it costs little, and a signal that
    /// somebody else's handler swallowed is made good.
    fn end_its_call(&self, barrier: bool) {
        if process::is_raw_child() {
            self.after_raw_fork();
        }
        // Race 2: the look comes before all other loads.
        while let Some(look) = self.claim.look() {
            // mutant: without-membarrier-every-request-signal
            let inside = !barrier || self.line.marker.load(Ordering::SeqCst) != 0;
            let parked = self.parked.load(Ordering::SeqCst) != 0;
            // After those two: a call that was seen to be inside is either not
            // shielded, and then the thread settles after it, or it was entered
            // under the shield that is seen here.
            // mutant: request-under-shield-no-signal
            let shielded = self.line.flag.load(Ordering::SeqCst) & SHIELDED != 0;
            let tid = self.tid.load(Ordering::SeqCst);
            // mutant: shield-holds-request-one-who
            if !(inside || parked) || shielded || tid == 0 {
                break;
            }
            // mutant: claim-looked-at-before-thread
            let Some(sending) = self.claim.claim(look) else { continue };
            let sent = inside
                && signal::send(self.pid.load(Ordering::Relaxed), tid, self, sending.sequence());
            if parked && let Some(thread) = self.parker.get() {
                // An atomic exchange and a futex wake: async-signal-safe.
                thread.unpark();
            }
            self.claim.finish(sending, sent);
            break;
        }
        if !self.has_window() {
            // Its futex waits wait on the flag as well.
            // mutant: without-windows-request-wakes-thread
            futex_wake(&self.line.flag);
        }
        #[cfg(feature = "crossbeam-channel")]
        if self.watched.load(Ordering::SeqCst) {
            // mutant: request-disconnects-stop-channel
            crate::crossbeam::helper::notify();
        }
    }

    // ---- the thread's side ----

    /// Whether its calls go through windows.
    pub(crate) fn has_window(&self) -> bool {
        !self.masked.load(Ordering::Relaxed)
    }

    /// Takes the record into use on the calling thread.
    pub(crate) fn begin(&self, rseq_cs: Option<(*mut AtomicUsize, bool)>, masked: bool) {
        // mutant: kernel-aborts-windows-by-itself
        let (field, owned) = rseq_cs.unwrap_or((self.descriptor.as_ptr().cast(), false));
        self.line.rseq_cs.store(field, Ordering::Relaxed);
        self.owns_rseq.store(owned, Ordering::Relaxed);
        self.masked.store(masked, Ordering::Relaxed);
        self.adopt();
    }

    /// The ids of the calling thread, at its start and in a forked child.
    pub(crate) fn adopt(&self) {
        self.pid.store(signal::process_id(), Ordering::Relaxed);
        self.tid.store(signal::thread_id(), Ordering::SeqCst);
    }

    /// In a forked child: the requesters of the parent do not exist here.
    pub(crate) fn after_fork(&self, in_use: bool) {
        // mutant: forked-child-no-requesters
        self.claim.reset();
        // mutant: forked-child-id-own
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
    fn after_raw_fork(&self) {
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
    fn own_after_raw_fork(&self) {
        if process::is_raw_child() {
            self.after_raw_fork();
            if self.tid.load(Ordering::Relaxed) == signal::process_id() {
                process::settle();
            }
        }
    }

    /// From the handler: the signal that has come is to come once more.
    pub(crate) fn send_again(&self) {
        let (process, thread) = (signal::process_id(), signal::thread_id());
        signal::send(process, thread, self, self.claim.sequence());
        // mutant: counts-only-if-does-not
        self.claim.postponed();
    }

    /// After a marked call of a thread that has been requested to stop: no
    /// later code meets a stop signal.
    #[cold]
    pub(crate) fn settle(&self) {
        // mutant: waits-for-no-requester-parents
        self.own_after_raw_fork();
        self.claim.settle(|| signal::drain(self.masked.load(Ordering::Relaxed)));
    }

    /// Parks the calling thread by `park`, unless it must stop; false if it
    /// must. Its token is then as it was, or set although nobody set it: std
    /// does not tell the requester's from a user's that came at the same time.
    pub(crate) fn park(&self, park: impl FnOnce()) -> bool {
        let thread = self.parker.get_or_init(std::thread::current);
        // SeqCst: race 1, with `parked` for the marker.
        // mutant: stop-ends-park
        self.parked.store(1, Ordering::SeqCst);
        // mutant: park-does-not-begin-when
        let stopped = self.line.flag.load(Ordering::SeqCst) == REQUESTED;
        if !stopped {
            park();
        }
        self.parked.store(0, Ordering::SeqCst);
        // SeqCst: race 2, likewise.
        if self.line.flag.load(Ordering::SeqCst) & REQUESTED == 0 {
            return true;
        }
        // A request that is still in flight may set the token yet.
        self.settle();
        if !self.must_stop() {
            return true;
        }
        // mutant: stopped-park-takes-no-token
        if !stopped {
            thread.unpark();
        }
        false
    }

    /// The calling thread makes no marked call any more, unless it takes the
    /// record into use again.
    pub(crate) fn rest(&self) {
        self.own_after_raw_fork();
        // mutant: who-ended-not-signalled
        self.tid.store(0, Ordering::SeqCst);
        // mutant: thread-does-not-end-while
        self.settle();
        if self.owns_rseq.swap(false, Ordering::Relaxed) {
            self.line.rseq_cs.store(rseq::nowhere().into_inner(), Ordering::Relaxed);
            // mutant: area-our-own-taken-back
            rseq::unregister();
        }
    }

    /// The calling thread does not take the record into use any more.
    pub(crate) fn end(&self) {
        // mutant: who-waits-for-thread-told
        if self.ended.swap(ENDED, Ordering::AcqRel) == END_AWAITED {
            futex_wake(&self.ended);
        }
    }

    /// A futex word, [`END_AWAITED`] until the thread has ended.
    pub(crate) fn await_end(&self) -> &AtomicU32 {
        // The other outcome is what is wanted: awaited, or ended, already.
        let order = Ordering::AcqRel;
        let _ = self.ended.compare_exchange(0, END_AWAITED, order, Ordering::Acquire);
        &self.ended
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire) == ENDED
    }

    /// Waits until the thread has ended, at most until `deadline`.
    pub(crate) fn wait_until_ended(&self, deadline: Instant) -> bool {
        loop {
            if self.has_ended() {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            futex_wait(self.await_end(), END_AWAITED, Some(left));
        }
    }
}
