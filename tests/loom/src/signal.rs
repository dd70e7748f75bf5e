//! membarrier(2), which makes every running thread pass a full barrier.
//!
//! loom knows no barrier that a thread passes without its doing. What the others
//! have stored before, the caller finds: its next load of each word gives the
//! newest value. What they do afterwards is behind a fence: each passes one
//! before its next access. The barrier itself is one step with what its thread
//! did last.

use core::cell::{Cell, RefCell};
use loom::sync::atomic::Ordering::SeqCst;
use loom::sync::atomic::fence;
use loom::thread::{self, ThreadId};

/// What a thread makes of barriers.
struct View {
    thread: ThreadId,
    /// The barriers that it has passed.
    passed: usize,
    /// After one of its own, until it sleeps: the words that it has looked at.
    looks: Option<Vec<*const ()>>,
}

thread_local! {
    // loom's threads are all on the thread of their test.
    static BARRIERS: Cell<usize> = const { Cell::new(0) };
    static ORDERED_BY_OTHERS: Cell<bool> = const { Cell::new(false) };
    static VIEWS: RefCell<Vec<View>> = const { RefCell::new(Vec::new()) };
}

pub(crate) fn clear() {
    BARRIERS.set(0);
    ORDERED_BY_OTHERS.set(false);
    VIEWS.take();
}

fn view<T>(look: impl FnOnce(&mut View) -> T) -> T {
    let thread = thread::current().id();
    VIEWS.with_borrow_mut(|views| {
        let at = views.iter().position(|view| view.thread == thread).unwrap_or_else(|| {
            views.push(View { thread, passed: 0, looks: None });
            views.len() - 1
        });
        look(&mut views[at])
    })
}

/// Before every access.
pub(crate) fn pass() {
    let barriers = BARRIERS.get();
    if barriers != 0 && view(|view| core::mem::replace(&mut view.passed, barriers)) < barriers {
        fence(SeqCst);
    }
}

/// Whether this load comes first after a barrier of its thread.
pub(crate) fn is_first_look(word: *const ()) -> bool {
    BARRIERS.get() != 0
        && view(|view| {
            let Some(looks) = &mut view.looks else { return false };
            let first = !looks.contains(&word);
            if first {
                looks.push(word);
            }
            first
        })
}

/// The thread is about to sleep.
pub(crate) fn forget_looks() {
    if BARRIERS.get() != 0 {
        view(|view| view.looks = None);
    }
}

/// `crate::signal::barrier_for_all`.
#[must_use]
pub fn barrier_for_all() -> bool {
    fence(SeqCst);
    BARRIERS.set(BARRIERS.get() + 1);
    view(|view| {
        view.passed = BARRIERS.get();
        view.looks = Some(Vec::new());
    });
    true
}

/// From here on in this run of the model, requesters make the barriers.
pub fn order_by_others() {
    ORDERED_BY_OTHERS.set(true);
}

/// `crate::signal::order`.
pub(crate) fn order() {
    if !ORDERED_BY_OTHERS.get() {
        fence(SeqCst);
    }
}
