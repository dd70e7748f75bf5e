//! Signals of others: a thread in a region of foreign code is sent some, and each
//! has to be handled once, by a handler that makes a system call of its own.
//!
//! They are sent while the thread is in the region alone: in the calls that it makes
//! besides they would be what those look for, `EINTR`.

use std::cell::RefCell;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

static HANDLED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static OWN: RefCell<Option<Arc<Door>>> = const { RefCell::new(None) };
}

/// A thread that may be sent some while its door is open.
pub(crate) struct Door {
    is_open: Mutex<bool>,
    thread: AtomicI32,
}

extern "C" fn handle(_: i32) {
    // SAFETY: takes no argument.
    unsafe { libc::syscall(libc::SYS_getppid) };
    HANDLED.fetch_add(1, Ordering::Relaxed);
}

/// One whose handler blocks nothing, and one whose handler blocks all signals.
fn signals() -> [i32; 2] {
    [libc::SIGRTMIN() + 2, libc::SIGRTMIN() + 3]
}

/// Installs the handlers.
///
/// # Panics
///
/// If the kernel does not let them be.
pub(crate) fn install() {
    for (signal, fill) in signals().into_iter().zip([false, true]) {
        // SAFETY: a handler that counts and makes a plain system call.
        let installed = unsafe {
            let mut action: libc::sigaction = core::mem::zeroed();
            action.sa_sigaction = handle as *const () as usize;
            action.sa_flags = libc::SA_RESTART;
            if fill {
                libc::sigfillset(&raw mut action.sa_mask);
            }
            libc::sigaction(signal, &raw const action, core::ptr::null_mut())
        };
        assert_eq!(installed, 0, "{signal}");
    }
}

/// How many were handled in this process.
pub(crate) fn handled() -> u64 {
    HANDLED.load(Ordering::Relaxed)
}

impl Door {
    pub(crate) fn new() -> Arc<Door> {
        Arc::new(Door { is_open: Mutex::new(false), thread: AtomicI32::new(0) })
    }

    /// The calling thread's from now on.
    pub(crate) fn take(self: &Arc<Door>) {
        self.thread.store(rustix::thread::gettid().as_raw_nonzero().get(), Ordering::Relaxed);
        OWN.set(Some(Arc::clone(self)));
    }

    /// Sends one, if the thread takes it; how many were sent.
    pub(crate) fn knock(&self, which: usize) -> u64 {
        let is_open = self.is_open.lock().unwrap_or_else(PoisonError::into_inner);
        if !*is_open {
            return 0;
        }
        let (process, thread) = (std::process::id(), self.thread.load(Ordering::Relaxed));
        // SAFETY: integers; the thread is there while its door is open.
        let sent = unsafe { libc::syscall(libc::SYS_tgkill, process, thread, signals()[which]) };
        u64::from(sent == 0)
    }

    fn set(&self, is_open: bool) {
        *self.is_open.lock().unwrap_or_else(PoisonError::into_inner) = is_open;
    }
}

/// Runs `f` while the calling thread's door is open.
pub(crate) fn opened<R>(f: impl FnOnce() -> R) -> R {
    OWN.with_borrow(|own| own.iter().for_each(|own| own.set(true)));
    let result = f();
    OWN.with_borrow(|own| own.iter().for_each(|own| own.set(false)));
    // What was sent is delivered on the way out of this one, if not before.
    // SAFETY: takes no argument.
    unsafe { libc::syscall(libc::SYS_getppid) };
    result
}
