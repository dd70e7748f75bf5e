//! What a process has for itself: locks, lists and turns, which a forked child
//! begins anew.
//!
//! A child has one thread, a copy of the one that forked, and copies of locks
//! that other threads may have held. So these are never locked or looked at
//! there: they are found by pointers in a page that the kernel empties in a
//! child (`MADV_WIPEONFORK`, madvise(2), Linux 4.14), however it was made, and
//! the child makes its own. An older kernel keeps the page; then a handler of
//! `pthread_atfork(3)` empties it, which `_Fork(3)` and clone(2) do not call.
//!
//! The page also tells that its process is [such a child](is_raw_child), whose
//! thread has not been given its new ids.
//!
//! # Safety
//!
//! The invariant of this module: [`PAGE`] is null or points to a [`Page`] that
//! is never unmapped; a place in it is null or points to a value of the type of
//! the only [`PerProcess`] that has it, which is never freed.

#![allow(unsafe_code)]

use core::marker::PhantomData;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// The words of the page.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// The turn of the thread that installs.
    Installing,
    /// Those on files, of the backend without windows.
    Turns,
    /// How often the waiters for a stop have been told of one.
    Notified,
    /// What is to happen when scopes are stopped.
    Callbacks,
    /// What stop-checked readers of standard input share.
    StandardInput,
    /// The helper of deadlines.
    Deadlines,
    /// What the audit has found.
    Audit,
}
const PLACES: usize = 7;

/// Zeros in a child.
struct Page {
    places: [AtomicPtr<()>; PLACES],
    /// 1 once the threads' records have the ids of this process.
    settled: AtomicU32,
}

static PAGE: AtomicPtr<Page> = AtomicPtr::new(null_mut());
/// Where there is no memory for a page.
static KEPT: Page =
    Page { places: [const { AtomicPtr::new(null_mut()) }; PLACES], settled: AtomicU32::new(1) };

#[inline]
fn page() -> &'static Page {
    // SAFETY: the module's invariant.
    unsafe { PAGE.load(Ordering::Acquire).as_ref() }.unwrap_or_else(make_page)
}

#[cold]
fn make_page() -> &'static Page {
    let size = size_of::<Page>();
    // SAFETY: a mapping of its own, zeroed, which is a page; the kernel rounds
    // its size up. One that another thread has put there first stays instead.
    unsafe {
        let (access, kind) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // Miri has no such mapping.
        let made = if cfg!(miri) {
            libc::MAP_FAILED
        } else {
            libc::mmap(null_mut(), size, access, kind, -1, 0)
        };
        let page = if made == libc::MAP_FAILED {
            (&raw const KEPT).cast_mut()
        } else {
            // mutant: child-has-own-locks-2
            libc::madvise(made, size, libc::MADV_WIPEONFORK);
            made.cast()
        };
        match PAGE.compare_exchange(null_mut(), page, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => &*page,
            Err(theirs) => {
                if made != libc::MAP_FAILED {
                    libc::munmap(made, size);
                }
                &*theirs
            }
        }
    }
}

/// A value of this process, made when it is first needed.
pub(crate) struct PerProcess<T> {
    place: Place,
    value: PhantomData<fn() -> T>,
}

impl<T: Default + Sync> PerProcess<T> {
    /// # Safety
    ///
    /// No other one has this place.
    pub(crate) const unsafe fn new(place: Place) -> PerProcess<T> {
        PerProcess { place, value: PhantomData }
    }

    #[inline]
    fn pointer(&self) -> &'static AtomicPtr<()> {
        &page().places[self.place as usize]
    }

    /// The value, if there is one. Async-signal-safe.
    #[inline]
    pub(crate) fn get(&self) -> Option<&'static T> {
        // SAFETY: the module's invariant.
        unsafe { self.pointer().load(Ordering::Acquire).cast::<T>().as_ref() }
    }

    /// The value, made by the first that asks for it.
    pub(crate) fn get_or_make(&self) -> &'static T {
        self.get().unwrap_or_else(|| self.make())
    }

    #[cold]
    fn make(&self) -> &'static T {
        let place = self.pointer();
        let ours = Box::into_raw(Box::<T>::default());
        match place.compare_exchange(null_mut(), ours.cast(), Ordering::AcqRel, Ordering::Acquire) {
            // SAFETY: made above, and from now on never freed.
            Ok(_) => unsafe { &*ours },
            // SAFETY: made above and never shared; and the module's invariant.
            Err(theirs) => unsafe {
                drop(Box::from_raw(ours));
                &*theirs.cast()
            },
        }
    }
}

/// In a forked child, for a kernel that has kept the page. Async-signal-safe.
pub(crate) fn after_fork() {
    for place in &page().places {
        // mutant: child-has-own-locks
        place.store(null_mut(), Ordering::Relaxed);
    }
    settle();
}

/// From now on records have the ids of this process, or are of threads that it
/// does not have. Async-signal-safe.
pub(crate) fn settle() {
    page().settled.store(1, Ordering::Release);
}

/// Whether this is a child made by `_Fork(3)` or clone(2), whose first thread's
/// record has the ids that its parent's had. Async-signal-safe.
pub(crate) fn is_raw_child() -> bool {
    // mutant: raw-child-known
    page().settled.load(Ordering::Acquire) == 0
}
