//! The crate `io_uring`, stop-checked. Feature `io-uring`.
//!
//! A `Submitter` does not say what its descriptor is nor how long its queue is,
//! so the system call cannot be made in a window: it is the crate's own, and it
//! is made as [`Backend::Ppoll`](crate::Backend::Ppoll) makes its calls, with
//! the stop signal open in the mask that the call waits with. Where the thread
//! has the signal open outside as well, one that comes between the look at the
//! flag and the system call finds the marker set and the program counter in no
//! window: the handler blocks it and sends it once more, and so it is pending
//! when the call opens it.
//!
//! # Safety
//!
//! The invariant of this module: the crate hands a `SubmitArgs` itself to the
//! kernel as its argument, so that it is a [`GetEvents`].

#![allow(unsafe_code)]

use crate::ext::Outcome;
use crate::ext::{SubmitAndWaitOrStop, SubmitWithArgsOrStop};
use crate::ppoll;
use crate::runtime::attach;
use crate::uring::mask::GetEvents;
use io_uring::types::SubmitArgs;
use io_uring::{IoUring, Submitter, cqueue, squeue};
use std::io;

const _: () = assert!(
    size_of::<SubmitArgs<'_, '_>>() == size_of::<GetEvents>()
        && align_of::<SubmitArgs<'_, '_>>() == align_of::<GetEvents>()
);

impl<S: squeue::EntryMarker, C: cqueue::EntryMarker> SubmitAndWaitOrStop for IoUring<S, C> {
    fn submit_and_wait_or_stop(&self, want: usize) -> Outcome<usize> {
        self.submitter().submit_and_wait_or_stop(want)
    }
}

impl SubmitAndWaitOrStop for Submitter<'_> {
    fn submit_and_wait_or_stop(&self, want: usize) -> Outcome<usize> {
        self.submit_with_args_or_stop(want, &SubmitArgs::new())
    }
}

impl<'prev, 'now> SubmitWithArgsOrStop<SubmitArgs<'prev, 'now>> for Submitter<'_> {
    fn submit_with_args_or_stop(
        &self,
        want: usize,
        args: &SubmitArgs<'prev, 'now>,
    ) -> Outcome<usize> {
        let record = attach::registered();
        let mut args = *args;
        let place = (&raw mut args).cast::<GetEvents>();
        // SAFETY: the module's invariant; its mask, if it has one, is borrowed
        // for as long as the arguments are.
        let mask = unsafe { (*place).opened() };
        // SAFETY: the module's invariant; the mask outlives the call.
        unsafe { place.write((*place).with(&mask)) };
        let outcome = ppoll::inside(record, || self.submit_with_args(want, &args))?;
        if outcome.as_ref().is_err_and(is_interrupted) {
            record.check()?;
        }
        Ok(outcome)
    }
}

fn is_interrupted(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EINTR)
}
