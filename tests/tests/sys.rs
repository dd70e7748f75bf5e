//! The raw calls of `stopruntime::sys`, each on each backend: requested before
//! the call, while it is provably blocked, and after its event is there. The
//! matrix is printed with `--nocapture`.

#![allow(unsafe_code)]
// Results and arguments of system calls, and the names of test modules.
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]
#![allow(unreachable_pub)]

mod sys_cases;

use std::sync::mpsc;
use stop_tests::{blocked_in, per_backend, thread_id};
use stopruntime::{Backend, Stopped, backend, thread};
use sys_cases::{Case, Expect, cases};

/// A finished call: its result, and `errno` if it is -1.
type Outcome = Result<(i64, i32), Stopped>;

fn start(call: sys_cases::Call) -> (thread::JoinHandle<Outcome>, i32) {
    let (sender, receiver) = mpsc::channel();
    let handle = thread::spawn(move || {
        sender.send(thread_id()).unwrap();
        let result = call()?;
        let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
        Ok((result, if result == -1 { errno } else { 0 }))
    });
    (handle, receiver.recv().unwrap())
}

/// Waits until the call sleeps (true) or is over (false).
fn blocks<T>(handle: &thread::JoinHandle<T>, id: i32) -> bool {
    while !handle.is_finished() {
        // The futex is the channel's and the start's; no case but its own
        // waits in one, and that one says so by its name.
        if blocked_in(id).is_some() {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

fn before(case: &Case) -> &'static str {
    let arranged = (case.arrange)();
    let (go, wait) = mpsc::channel::<()>();
    let call = arranged.call;
    let (handle, _) = start(Box::new(move || {
        wait.recv().unwrap();
        call()
    }));
    assert!(handle.request_stop());
    go.send(()).unwrap();
    assert!(handle.join().unwrap().is_err(), "{}: requested before, it went ahead", case.name);
    "stopped"
}

fn during(case: &Case) -> &'static str {
    let arranged = (case.arrange)();
    let (handle, id) = start(arranged.call);
    if case.expect == Expect::EndsByItself {
        assert!(handle.join().unwrap().is_ok(), "{}", case.name);
        return "ends by itself";
    }
    if blocks(&handle, id) {
        assert!(handle.request_stop());
        let outcome = handle.join().unwrap();
        assert!(outcome.is_err(), "{}: requested while blocked: {outcome:?}", case.name);
        return "stopped";
    }
    let outcome = handle.join().unwrap();
    let typed = outcome == Ok((-1, libc::ENOTSUP));
    let documented = case.expect == Expect::NotOnPpoll && backend() == Backend::Ppoll;
    assert!(typed && documented, "{}: did not block: {outcome:?}", case.name);
    "ENOTSUP"
}

fn after(case: &Case) -> &'static str {
    let arranged = (case.arrange)();
    (arranged.feed)();
    let (handle, _) = start(arranged.call);
    let outcome = handle.join().unwrap();
    if outcome == Ok((-1, libc::ENOTSUP)) {
        let documented = case.expect == Expect::NotOnPpoll && backend() == Backend::Ppoll;
        assert!(documented, "{}: not supported", case.name);
        return "ENOTSUP";
    }
    let outcome = outcome.unwrap_or_else(|_| panic!("{}: stopped unasked", case.name));
    assert!(outcome.0 >= 0 || case.fails_with == Some(outcome.1), "{}: {outcome:?}", case.name);
    "result"
}

per_backend! {
    fn each_raw_call_is_stopped() {
        println!("{:<18} {:<10} {:<16} {:<10}", "call", "before", "while blocked", "after");
        for case in cases() {
            println!("{:<18} {:<10} {:<16} {:<10}", case.name, before(&case), during(&case), after(&case));
        }
    }

    /// Those that nothing but time or a signal ends.
    fn each_raw_sleep_is_stopped() {
        for case in sys_cases::endless() {
            println!("{:<18} {:<10} {:<16}", case.name, before(&case), during(&case));
        }
    }

    /// A request ends a wait whose own mask would keep the signal out.
    fn a_full_mask_does_not_keep_the_request_out() {
        for case in sys_cases::with_full_masks() {
            assert_eq!((case.name, during(&case)), (case.name, "stopped"));
        }
    }
}
