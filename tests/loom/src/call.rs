//! `crate::call` of the copies: the stop-checked wait.

use crate::atomic::AtomicU32;
use crate::futex::{self, End};
use crate::scope::{self, Stopped};
use crate::time::Instant;

pub(crate) fn futex_wait_or_stop(
    word: &AtomicU32,
    value: u32,
    deadline: Option<Instant>,
) -> Result<(), Stopped> {
    match futex::wait(word, value, deadline, Some(&scope::current())) {
        End::Stopped => Err(Stopped),
        End::Woken | End::TimedOut => Ok(()),
    }
}
