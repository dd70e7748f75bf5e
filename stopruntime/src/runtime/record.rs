//! The record of a thread: its flag, and the stop protocol between the thread
//! and its requesters.
//!
//! Words of a record, and who writes them:
//!
//! | word | values | written by |
//! |---|---|---|
//! | `flag` | see [`scopes`](crate::runtime::scopes) | requesters 1, the thread all others |
//! | `marker` | 1 inside a marked call | the thread |
//! | `claim` | who signals the thread, see [`claim`](crate::runtime::claim) | both |
//! | `tid` | 0 before the thread's first marked call and after its last | the thread |
//! | `visible`, `cells` | what the thread runs under, see [`visible`](crate::runtime::scopes::visible) | the thread |
//! | `own` | its own scope | requesters |
//! | `on_flag` | not 0 inside a [wait on the flag](crate::runtime::on_flag) | the thread |
//! | `parked` | 1 inside a stop-checked `park` | the thread |
//! | `known` | for reports, see [`Known`](crate::runtime::known::Known) | the thread |
//! | `argument` | see [`spoil`](crate::runtime::spoil) | the thread, its handler included |
//! | `ended` | 2 if a thread waits for the end, 1 once the thread will make no marked call any more | the thread 1, others 2 |
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
//!    whose id another thread may have by then. The flag is set then: a thread
//!    takes it down only while no requester is in flight
//!    ([`in_flight`](crate::runtime::scopes::in_flight)).
//!
//! So a signal that is on its way says that the flag is 1 until the thread has
//! settled. A requester that finds another one sending relies on that, and so does
//! the handler, when it blocks the signal and sends it once more.
//!
//! Records are never freed: see [`records`](crate::runtime::records).
//!
//! A stop-checked `park` is std's own, which no signal ends: there `parked`
//! takes the marker's place and std's `unpark` the signal's.

use crate::runtime::claim::Claim;
use crate::runtime::futex::{futex_wait, futex_wake};
use crate::runtime::known::Known;
use crate::runtime::on_flag::OnFlag;
use crate::runtime::region::Region;
use crate::runtime::scopes::LOOK;
use crate::runtime::scopes::cell::ScopeCell;
use crate::runtime::scopes::visible::{Cells, Visible};
use crate::runtime::signal;
use crate::runtime::spoil::Argument;
use crate::window::{Line, rseq};
use core::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use std::thread::Thread;
use std::time::Instant;

/// The place of a record that is in no pool.
const STANDS_IN: u32 = u32::MAX;

const ENDED: u32 = 1;
/// The threads that wait for the end are to be woken. Most threads end with none waiting
/// in here, and then without a system call.
pub(crate) const END_AWAITED: u32 = 2;

/// One thread's record. The words that the hot path touches come first, and share a
/// cache line with those that requesters look at.
#[repr(C, align(64))]
pub(crate) struct Record {
    pub(crate) line: Line,
    pub(crate) claim: Claim,
    pub(super) tid: AtomicI32,
    pub(super) pid: AtomicI32,
    pub(super) visible: Visible,
    /// Takes the descriptors of a thread without rseq: only the handler reads
    /// it, and no other thread writes the line it is in.
    descriptor: AtomicUsize,
    owns_rseq: AtomicBool,
    /// The signal is blocked outside `ppoll` ([`Backend::Ppoll`](crate::Backend::Ppoll)).
    pub(crate) masked: AtomicBool,
    pub(crate) argument: Argument,
    pub(crate) on_flag: OnFlag,
    pub(super) parked: AtomicU32,
    pub(super) ended: AtomicU32,
    pub(crate) region: Region,
    /// The thread as std knows it, from its first stop-checked `park` on.
    pub(super) parker: AtomicPtr<Thread>,
    /// The thread is also to be [told](crate::runtime::scopes::callbacks) that its flag
    /// is up, by another thread.
    #[cfg(feature = "crossbeam-channel")]
    pub(crate) hinted: AtomicBool,
    pub(crate) known: Known,
    pub(crate) own: ScopeCell,
    pub(super) cells: Cells,
}

#[cfg(all(target_pointer_width = "64", target_has_atomic = "64"))]
const _: () =
    assert!(core::mem::offset_of!(Record, descriptor) == 64 && size_of::<Record>() <= 448);

impl Record {
    pub(super) const fn new(flag: u32, own: ScopeCell) -> Record {
        Record {
            line: Line {
                flag: AtomicU32::new(flag),
                marker: AtomicU32::new(0),
                rseq_cs: rseq::nowhere(),
            },
            claim: Claim::new(),
            tid: AtomicI32::new(0),
            pid: AtomicI32::new(0),
            visible: Visible::new(),
            descriptor: AtomicUsize::new(0),
            owns_rseq: AtomicBool::new(false),
            masked: AtomicBool::new(false),
            argument: Argument::new(),
            on_flag: OnFlag::new(),
            parked: AtomicU32::new(0),
            region: Region::new(),
            ended: AtomicU32::new(0),
            parker: AtomicPtr::new(core::ptr::null_mut()),
            #[cfg(feature = "crossbeam-channel")]
            hinted: AtomicBool::new(false),
            known: Known::new(),
            own,
            cells: Cells::new(),
        }
    }

    /// What stands in for the record of a thread that has none.
    pub(crate) const fn standing_in(requested: bool) -> Record {
        let flag = if requested { LOOK } else { 0 };
        Record::new(flag, ScopeCell::of_thread(STANDS_IN, requested))
    }

    /// Whether it stands in for the records of threads that have none: no request
    /// reaches it, and it stays as it is.
    pub(crate) fn stands_in(&self) -> bool {
        self.own.place() == STANDS_IN
    }

    /// Makes only its own scope visible: when the record is taken, and when the
    /// thread ends.
    pub(super) fn clear_visible(&self) {
        self.visible.clear(self.own.mask());
    }

    /// Whether the ids belong to another process: in a child that was not told.
    #[cfg_attr(
        not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")),
        allow(dead_code, reason = "no way")
    )]
    pub(crate) fn is_of_another_process(&self) -> bool {
        self.pid.load(Ordering::Relaxed) != signal::process_id()
    }

    /// Whether its calls go through windows.
    #[inline]
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

    /// From the handler: the signal that has come is to come once more.
    pub(crate) fn send_again(&self) {
        let (process, thread) = (signal::process_id(), signal::thread_id());
        signal::send(process, thread, self, self.claim.sequence());
        // mutant: number-counts-unless-postponed
        self.claim.postponed();
    }

    /// After a marked call of a thread that has been requested to stop: no
    /// later code meets a stop signal. Whether there was one.
    #[cold]
    pub(crate) fn settle(&self) -> bool {
        // mutant: raw-child-waits-for-no-requester
        self.own_after_raw_fork();
        self.claim.settle(|| {
            // See `ppoll::inside`: what is drained here spoils nothing.
            self.argument.disarm();
            let stays_open = self.region.is_watched();
            signal::drain(self.masked.load(Ordering::Relaxed) && !stays_open);
        })
    }

    /// The calling thread makes no marked call any more, unless it takes the
    /// record into use again.
    pub(crate) fn rest(&self) {
        self.own_after_raw_fork();
        // mutant: ended-thread-not-signalled
        self.tid.store(0, Ordering::SeqCst);
        // mutant: ending-thread-waits-for-requester
        self.settle();
        if self.owns_rseq.swap(false, Ordering::Relaxed) {
            self.line.rseq_cs.store(rseq::nowhere().into_inner(), Ordering::Relaxed);
            // mutant: own-area-taken-back
            rseq::unregister();
        }
    }

    /// The calling thread does not take the record into use any more.
    pub(crate) fn end(&self) {
        self.known.forget();
        // mutant: join-told-of-end
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

    /// Whether this is the address of the word that [`Record::await_end`] gives out.
    pub(crate) fn tells_its_end_at(&self, address: usize) -> bool {
        self.ended.as_ptr() as usize == address
    }

    /// Whether this is the address of its flag.
    pub(crate) fn has_its_flag_at(&self, address: usize) -> bool {
        self.line.flag.as_ptr() as usize == address
    }

    /// Whether the thread is in a stop-checked `park`.
    pub(crate) fn is_parked(&self) -> bool {
        self.parked.load(Ordering::SeqCst) != 0
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
