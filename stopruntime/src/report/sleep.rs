//! Telling two looks at the same wait from looks at two waits.

use super::activity::Wait;
use super::place::Trace;
use super::task::{Call, Status, call, parse, wait};
use core::ffi::c_int;

/// That a thread sleeps in a system call. As long as it is equal, it is the same wait.
#[derive(PartialEq, Eq)]
pub(super) struct Sleep {
    /// Number, arguments, stack pointer and program counter.
    call: String,
    /// How often the thread has been taken from a processor.
    switches: u64,
}

impl Sleep {
    /// None if the thread with this id does not sleep in a call, or no signal wakes it.
    pub(super) fn of(id: c_int) -> Option<Sleep> {
        let call = call(id).ok()?;
        let status = Status::read(id).ok()?;
        let is_call = matches!(parse(&call), Some(Call::Number { .. }));
        (is_call && status.state == 'S').then_some(Sleep { call, switches: status.switches })
    }

    /// The name of the thread with this id, what it waits for in its call, which is not
    /// marked, and what leads to its place; none if it has gone on.
    pub(super) fn unmarked(&self, id: c_int) -> Option<(String, Wait, Trace)> {
        let Some(Call::Number { number, args, at }) = parse(&self.call) else { return None };
        let wait = wait(number, args, false);
        let trace = Trace::take(at);
        let name = Status::read(id).ok()?.name;
        let is_same = Sleep::of(id).as_ref() == Some(self);
        is_same.then_some((name, wait, trace))
    }
}
