//! Stopped between the start of the child and the wait for it: the request is
//! made by the fork itself.

use crate::children::prelude::*;
use std::os::unix::process::CommandExt;
use std::sync::OnceLock;

/// Whom to stop in the middle of a fork, and whether the child ends first.
static IN_FORK: OnceLock<(Stopper, bool)> = OnceLock::new();

/// Runs in the parent, in the thread that forks (`pthread_atfork(3)`): between
/// the start of the child and the wait for it.
extern "C" fn in_fork() {
    let (stopper, after_its_end) = IN_FORK.get().expect("set before");
    if *after_its_end {
        // SAFETY: zeroed is a valid siginfo; the child stays to be reaped.
        unsafe {
            let mut info: libc::siginfo_t = core::mem::zeroed();
            libc::waitid(libc::P_ALL, 0, &raw mut info, libc::WEXITED | libc::WNOWAIT);
        }
    }
    stopper.request_stop();
}

/// Makes the call in a thread that is stopped while it forks.
fn stopped_in_fork<T: Send + 'static>(
    after_its_end: bool,
    mut command: Command,
    call: impl FnOnce(&mut Command) -> T + Send + 'static,
) -> T {
    // SAFETY: it does nothing; that it is there makes std fork.
    unsafe { command.pre_exec(|| Ok(())) };
    let run = move || {
        assert!(IN_FORK.set((Stopper::current(), after_its_end)).is_ok());
        // SAFETY: a function of the right type that stays.
        unsafe { assert_eq!(libc::pthread_atfork(None, Some(in_fork), None), 0) };
        call(&mut command)
    };
    thread::spawn(run).join().unwrap()
}

per_backend! {
    fn a_child_that_is_just_started_is_ended() {
        let before = begin();
        let outcome = stopped_in_fork(false, endless(), OutputOrStop::output_or_stop);
        assert_eq!(outcome.unwrap_err().progress(), 0);
        check_nothing_is_left(before);
    }

    fn a_child_that_has_ended_by_itself_is_no_stop() {
        let before = begin();
        let status = stopped_in_fork(true, shell("exit 3"), |command| {
            let status = command.status_or_stop().map(Result::unwrap);
            (status, command.status_or_stop().is_err())
        });
        assert_eq!((status.0.map(|status| status.code()), status.1), (Ok(Some(3)), true));
        check_nothing_is_left(before);
    }

    fn a_child_that_has_ended_with_its_output_unread_is_no_stop() {
        let before = begin();
        let output = stopped_in_fork(true, shell("echo out; echo err >&2"), |command| {
            let Output { status, stdout, stderr } = command.output_or_stop().unwrap().unwrap();
            (status.code(), stdout, stderr, command.output_or_stop().is_err())
        });
        assert_eq!(output, (Some(0), b"out\n".to_vec(), b"err\n".to_vec(), true));
        check_nothing_is_left(before);
    }
}
