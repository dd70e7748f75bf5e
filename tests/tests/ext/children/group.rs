//! Children whose process group ends with them.

use crate::children::prelude::*;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use stopruntime::ext::{GroupChild, KillGroup};

/// A shell with a line to us, whose grandchild holds its streams open, says that it is
/// ready, and does not end; then what the shell does.
fn family(then: &str) -> (Command, UnixStream) {
    family_after("", then)
}

fn family_after(first: &str, then: &str) -> (Command, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(limit())).unwrap();
    let grandchild = "exec 3<&0; { echo ready >&3; exec sleep infinity; } & ";
    let mut command = shell(&format!("{first}{grandchild}{then}"));
    command.stdin(OwnedFd::from(theirs));
    (command, ours)
}

fn is_ready(line: &mut UnixStream) {
    let mut bytes = [0; 6];
    line.read_exact(&mut bytes).expect("the grandchild says something in time");
    assert_eq!(&bytes, b"ready\n");
}

/// The grandchild, which has become ours, has been killed.
#[track_caller]
fn check_it_was_killed() {
    check_it_was_ended_by(libc::SIGKILL);
}

#[track_caller]
fn check_it_was_ended_by(signal: libc::c_int) {
    let mut status = 0;
    // SAFETY: wait4(2) of any child, and a place for its status.
    let reaped = unsafe { libc::waitpid(-1, &raw mut status, 0) };
    assert!(reaped > 0, "{}", io::Error::last_os_error());
    assert_eq!(ExitStatus::from_raw(status).signal(), Some(signal));
}

fn no_orphans() -> bool {
    stop_tests::emulation_hides("a child's child that is adopted", stop_tests::NO_SUBREAPER)
}

fn has_no_pidfd() -> bool {
    // SAFETY: integers, of this process.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, std::process::id(), 0) };
    if descriptor < 0 {
        stop_tests::not_tested("the end of a child that is waited for by poll", "no pidfd_open");
        return true;
    }
    // SAFETY: opened above.
    unsafe { libc::close(descriptor.try_into().unwrap()) };
    false
}

fn spawned(command: &mut Command) -> GroupChild {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_group().spawn().unwrap()
}

per_backend! {
    fn a_stop_takes_the_group_along() {
        if no_orphans() {
            return;
        }
        let before = begin();
        let (mut command, mut line) = family("wait");
        let output = waiting(move || command.kill_group().output_or_stop());
        is_ready(&mut line);
        assert_eq!(stop(output).unwrap_err().progress(), 0);
        check_it_was_killed();
        check_nothing_is_left(before + 1);
        drop(line);
        let (mut command, mut line) = family("wait");
        let status = waiting(move || command.kill_group().status_or_stop());
        is_ready(&mut line);
        assert!(stop(status).is_err());
        check_it_was_killed();
        drop(line);
        check_nothing_is_left(before);
    }

    fn what_a_child_leaves_behind_is_killed() {
        if no_orphans() {
            return;
        }
        let before = begin();
        let (mut command, mut line) = family("read -r _ <&3; exit 6");
        // By `status`, and by each way to wait for it.
        let ways: [fn(&mut GroupChild) -> ExitStatus; 4] = [
            |child| child.wait().unwrap(),
            |child| child.wait_or_stop().unwrap().unwrap(),
            |child| child.wait_with_output().unwrap().status, // nothing is piped
            |child| loop {
                if let Some(status) = child.try_wait().unwrap() {
                    break status;
                }
                std::thread::yield_now();
            },
        ];
        for wait in ways {
            let mut child = command.kill_group().spawn().unwrap();
            is_ready(&mut line);
            line.write_all(b"\n").unwrap();
            assert_eq!(wait(&mut child).code(), Some(6));
            check_it_was_killed();
            // It is known from then on, and no other process is killed.
            child.kill().unwrap();
            assert_eq!(wait(&mut child).code(), Some(6));
        }
        let status = waiting(move || command.kill_group().status_or_stop());
        is_ready(&mut line);
        line.write_all(b"\n").unwrap();
        assert_eq!(status.join().unwrap().unwrap().unwrap().code(), Some(6));
        check_it_was_killed();
        drop(line);
        check_nothing_is_left(before);
    }

    /// A grandchild holds both pipes, for ever.
    fn output_ends_with_the_child() {
        const LENGTH: usize = 300_000; // more than a pipe holds
        if no_orphans() || has_no_pidfd() {
            return;
        }
        let before = begin();
        let ways: [fn(&mut Command) -> Output; 4] = [
            |command| command.kill_group().output().unwrap(),
            |command| command.kill_group().output_or_stop().unwrap().unwrap(),
            |command| spawned(command).wait_with_output().unwrap(),
            |command| {
                let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
                let status = spawned(command).read_output_or_stop(&mut stdout, &mut stderr);
                Output { status: status.unwrap().unwrap(), stdout, stderr }
            },
        ];
        for way in ways {
            // It may be killed before it has said a word.
            let (mut command, line) = family(&format!("head -c {LENGTH} /dev/zero; exit 7"));
            let output = way(&mut command);
            assert_eq!((output.status.code(), output.stdout.len()), (Some(7), LENGTH));
            check_it_was_killed();
            drop(line);
        }
        check_nothing_is_left(before);
    }

    fn a_signal_reaches_the_group() {
        if no_orphans() {
            return;
        }
        let before = begin();
        // The first wait ends with the signal, the second with the grandchild.
        let (mut command, mut line) = family_after("trap : TERM; ", "wait; wait; exit 6");
        let mut child = command.kill_group().spawn().unwrap();
        is_ready(&mut line);
        assert_eq!(child.send_signal(1_000).unwrap_err().raw_os_error(), Some(libc::EINVAL));
        child.send_signal(libc::SIGTERM).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(6));
        // It is known from then on, and no other process is sent one.
        child.send_signal(libc::SIGTERM).unwrap();
        drop((command, line, child));
        check_nothing_is_left(before);
    }

    fn a_handle_that_is_dropped_ends_the_group() {
        if no_orphans() {
            return;
        }
        let before = begin();
        let (mut command, mut line) = family("wait");
        let mut child = command.kill_group().spawn().unwrap();
        is_ready(&mut line);
        assert_eq!(child.try_wait().unwrap(), None);
        // A stopped wait leaves it running.
        let (outcome, mut child) = stop(waiting(move || (child.wait_or_stop(), child)));
        assert!(outcome.is_err());
        assert_eq!(child.try_wait().unwrap(), None);
        drop(child);
        check_it_was_killed();

        let mut child = command.kill_group().spawn().unwrap();
        is_ready(&mut line);
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGKILL));
        check_it_was_killed();
        drop((command, line, child));
        check_nothing_is_left(before);
    }

    /// Its number may be another's by then.
    fn the_group_of_a_child_that_other_code_has_reaped_is_left_alone() {
        if no_orphans() {
            return;
        }
        let before = begin();
        let (mut command, mut line) = family("exit 0");
        let mut child = command.kill_group().spawn().unwrap();
        is_ready(&mut line);
        // SAFETY: wait4(2) of the child; no status is asked for.
        let reaped = unsafe { libc::waitpid(child.id().cast_signed(), core::ptr::null_mut(), 0) };
        assert_eq!(reaped, child.id().cast_signed());
        let gone = child.try_wait().unwrap_err();
        assert_eq!(gone.raw_os_error(), Some(libc::ECHILD));
        let _ = child.kill();
        drop(child);
        assert_eq!(any_child(), Some(false), "the grandchild runs");
        // SAFETY: integers; the group has the grandchild in it.
        assert_eq!(unsafe { libc::kill(-reaped, libc::SIGTERM) }, 0);
        check_it_was_ended_by(libc::SIGTERM);
        drop((command, line));
        check_nothing_is_left(before);
    }

    fn they_do_what_stds_do_without_a_stop() {
        let before = begin();
        let plain = noisy().output().unwrap();
        let shape = |output: Output| (output.status, output.stdout, output.stderr);
        let plain = shape(plain);
        assert_eq!(shape(noisy().kill_group().output_or_stop().unwrap().unwrap()), plain);
        assert_eq!(shape(noisy().kill_group().output().unwrap()), plain);
        assert_eq!(shell("exit 4").kill_group().status().unwrap().code(), Some(4));
        let mut command = noisy();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.kill_group().spawn().unwrap();
        assert!(child.stdin().is_some() && child.stdout().is_some() && child.stderr().is_some());
        assert_eq!(shape(child.wait_with_output_or_stop().unwrap().unwrap()), plain);
        assert!(Command::new("/no/where").kill_group().spawn().is_err());
        assert!(Command::new("/no/where").kill_group().output_or_stop().unwrap().is_err());
        assert!(Command::new("/no/where").kill_group().status_or_stop().unwrap().is_err());
        // In the clean-up, where the request stands.
        requested(|| {
            assert_eq!(shell("exit 5").kill_group().status().unwrap().code(), Some(5));
            assert_eq!(shell("echo a").kill_group().output().unwrap().stdout, b"a\n");
            assert!(shell("exit 5").kill_group().status_or_stop().is_err());
        });
        drop(child);
        check_nothing_is_left(before);
    }

    fn marked() {
        #[stoppable]
        fn run(command: &mut Command) -> io::Result<ExitStatus> {
            #[blocking]
            command.arg("infinity").kill_group().status()
        }
        #[stoppable]
        fn look() -> io::Result<Output> {
            #[blocking]
            let output = Command::new("sleep").arg("infinity").kill_group().output()?;
            Ok(output)
        }
        #[stoppable]
        fn supervise() -> io::Result<ExitStatus> {
            let mut child = endless().kill_group().spawn()?;
            #[blocking]
            child.wait()
        }
        let before = begin();
        let error = stop(waiting(|| run(&mut Command::new("sleep")))).unwrap_err();
        assert!(stopruntime::is_stopped(&error));
        assert!(stop(waiting(look)).is_err());
        assert!(stop(waiting(supervise)).is_err());
        check_nothing_is_left(before);
    }
}
