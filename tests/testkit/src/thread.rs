//! What is known of a thread from outside. proc(5).

use core::ffi::c_long;
use std::fs;

/// The calling thread's id.
#[must_use]
pub fn thread_id() -> i32 {
    rustix::thread::gettid().as_raw_nonzero().get()
}

/// The system call in which the thread of this process sleeps, if it does: the file
/// `syscall` of the thread.
#[must_use]
pub fn blocked_in(thread: i32) -> Option<c_long> {
    let state = fs::read_to_string(format!("/proc/self/task/{thread}/stat")).ok()?;
    let asleep = state.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('S'));
    let number = crate::emulated::call_of(thread)?;
    (asleep && number >= 0).then_some(number)
}
