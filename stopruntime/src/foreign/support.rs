//! Which way foreign code is ended.

#[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
use super::ways::dispatch;
use core::fmt;
use core::sync::atomic::{AtomicBool, Ordering};

/// Says how the system calls of foreign code are ended; see [`foreign`](crate::foreign()).
///
/// # Examples
///
/// As at [`foreign_support`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ForeignSupport {
    /// From the stop on the kernel hands over each system call of the thread (Syscall User
    /// Dispatch; x86-64, Linux 5.11). Where that is refused at the stop, or a handler on top of
    /// ours has come by then, [`Tick`].
    ///
    /// [`Tick`]: ForeignSupport::Tick
    Dispatch,
    /// From the stop on a timer looks where the thread waits.
    Tick,
    /// Nothing: the code runs to its end.
    None,
}

impl fmt::Display for ForeignSupport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            ForeignSupport::Dispatch => "each call is handed over",
            ForeignSupport::Tick => "a timer looks: event loops with epoll are not ended",
            ForeignSupport::None => "no: the code runs to its end",
        })
    }
}

static PREPARED: AtomicBool = AtomicBool::new(false);
static QUICK: AtomicBool = AtomicBool::new(false);

/// Whether regions are prepared, and a thread enters and leaves them by stores alone: the
/// stop signal is open, and requesters make the order.
#[inline(always)]
pub(super) fn is_quick() -> bool {
    QUICK.load(Ordering::Acquire)
}

/// Before the first region.
#[cold]
pub(super) fn prepare() {
    if PREPARED.load(Ordering::Acquire) {
        return;
    }
    let _one_at_a_time = crate::runtime::install::hold();
    if !PREPARED.load(Ordering::Acquire) {
        #[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
        if !asks_for_tick() {
            dispatch::prepare(dispatch::on_sigsys);
        }
        QUICK.store(crate::runtime::signal::is_ordered_by_others(), Ordering::Release);
        PREPARED.store(true, Ordering::Release);
    }
}

/// Whether `STOPRUNTIME_FOREIGN` is `tick`: for tests and diagnosis, and not in a program
/// that runs with another user's rights (`secure_getenv(3)`).
#[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
#[allow(unsafe_code, reason = "libc's")]
fn asks_for_tick() -> bool {
    // SAFETY: a number.
    let secure = unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    !secure && std::env::var_os("STOPRUNTIME_FOREIGN").is_some_and(|way| way == "tick")
}

/// Returns the way that [`foreign`](crate::foreign()) uses in this process now.
///
/// It changes from [`ForeignSupport::Dispatch`] to [`ForeignSupport::Tick`] when a handler of
/// `SIGSYS` is put on top of the runtime's, by a sandbox or another copy of the runtime, or a
/// handler of a fault (`SIGSEGV`, `SIGBUS`, `SIGFPE`, `SIGILL`, `SIGTRAP`) is installed that
/// blocks `SIGSYS`: regions that are stopped afterwards use the timer.
///
/// Asks the kernel, and installs the handler of `SIGSYS` that the first region needs. The
/// environment variable `STOPRUNTIME_FOREIGN=tick` chooses [`ForeignSupport::Tick`], for
/// tests and diagnosis.
///
/// # Panics
///
/// If the runtime cannot be installed; see [`backend`](crate::backend()).
///
/// # Examples
///
/// ```
/// println!("foreign code: {}", stopruntime::foreign_support());
/// ```
#[must_use]
#[track_caller]
pub fn foreign_support() -> ForeignSupport {
    crate::runtime::install::ensure();
    prepare();
    expected()
}

/// The way that is in force, or will be with the first region; installs nothing.
pub(crate) fn expected() -> ForeignSupport {
    #[cfg(all(target_arch = "x86_64", target_pointer_width = "64"))]
    {
        let prepared = PREPARED.load(Ordering::Acquire);
        let is_dispatch = if prepared {
            // mutant: support-sees-handlers-in-the-way
            dispatch::is_in_force()
        } else {
            !asks_for_tick() && dispatch::is_known() && !dispatch::has_handler_in_the_way()
        };
        if is_dispatch { ForeignSupport::Dispatch } else { ForeignSupport::Tick }
    }
    #[cfg(any(
        all(target_arch = "aarch64", target_pointer_width = "64", target_endian = "little"),
        target_arch = "riscv64"
    ))]
    {
        ForeignSupport::Tick
    }
    #[cfg(not(any(
        all(target_arch = "x86_64", target_pointer_width = "64"),
        all(target_arch = "aarch64", target_pointer_width = "64", target_endian = "little"),
        target_arch = "riscv64"
    )))]
    {
        ForeignSupport::None
    }
}
