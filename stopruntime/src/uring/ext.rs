//! Waiting for the completions of an `io_uring`.

use crate::ext::Outcome;

/// Submits and waits, stop-checked: `submit_and_wait`. `io_uring_enter(2)`.
///
/// `io_uring::IoUring` and `io_uring::Submitter` have it with the feature
/// `io-uring`. It is that crate's own call, made with a signal mask in which the
/// stop signal is open: same result, same errors. It takes Linux 5.11
/// (`IORING_FEAT_EXT_ARG`); before, it fails with `EINVAL`.
///
/// If it is stopped, nothing was submitted and no completion was there. If entries
/// were submitted, or some of the completions were there, and the wait for more was
/// stopped, the call returns what the plain one does when a signal interrupts it: the
/// number of entries submitted. The stop is seen by the next call; so be ready for
/// fewer completions than were wanted. None is ever lost: they stay in the completion
/// queue, and what is under way goes on. Wait for it, or cancel it, before its
/// buffers are gone.
///
/// A ring that is polled (`setup_iopoll`) waits by looking at the device, and
/// ends with its input and output: a stop is seen after it.
///
/// # Examples
///
/// ```no_run
/// # #[cfg(feature = "io-uring")] {
/// use io_uring::IoUring;
/// use stopruntime::ext::SubmitAndWaitOrStop;
///
/// let mut ring = IoUring::new(8)?;
/// // … what is to be done is pushed onto `ring.submission()`, and then
/// ring.submit_and_wait_or_stop(1)??;
/// for entry in ring.completion() {
///     println!("{}: {}", entry.user_data(), entry.result());
/// }
/// # }
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait SubmitAndWaitOrStop {
    /// Submits what is queued and waits for this many completions. Returns the number
    /// of entries submitted.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested and nothing was submitted.
    fn submit_and_wait_or_stop(&self, want: usize) -> Outcome<usize>;
}

/// Submits and waits with a time-out and a signal mask, stop-checked:
/// `submit_with_args`.
///
/// `io_uring::Submitter` has it with the feature `io-uring`. A mask is taken
/// without the stop signal.
pub trait SubmitWithArgsOrStop<A> {
    /// Submits what is queued and waits for this many completions. Returns the number
    /// of entries submitted, or the error `ETIME` if the time is over and nothing was
    /// submitted.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested and nothing was submitted.
    fn submit_with_args_or_stop(&self, want: usize, args: &A) -> Outcome<usize>;
}
