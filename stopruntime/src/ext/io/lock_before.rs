//! The unmarked `lock` in front of a marked call.

use super::StdinGuard;
use std::io::Stdin;

/// Makes the `lock` before a marked call: `stdin().lock().read_line(…)`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`lock` of `{Self}` waits unstoppably: the mark is for the call behind it alone",
    label = "waits for this lock first",
    note = "if the lock is never held for long, bind its guard with `let` before the marked call; otherwise use a `stopruntime::sync::Mutex` and mark both calls, `blocking!(blocking!(….lock()).unwrap().…)`"
)]
pub trait LockBefore {
    /// What is called next.
    type Guard;

    /// Returns a guard whose first stop-checked call takes the lock.
    fn lock_before(&self) -> Self::Guard;
}

#[diagnostic::do_not_recommend]
impl LockBefore for Stdin {
    type Guard = StdinGuard;

    fn lock_before(&self) -> StdinGuard {
        StdinGuard::default()
    }
}

#[diagnostic::do_not_recommend]
impl<L: LockBefore + ?Sized> LockBefore for &L {
    type Guard = L::Guard;

    fn lock_before(&self) -> L::Guard {
        (**self).lock_before()
    }
}
