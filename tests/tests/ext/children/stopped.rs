//! Stopped before, or at a known place: what is left, and what goes on.

use crate::children::prelude::*;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;

/// A command with one end of a socket as its standard input, which it can write
/// to as well, and the other end. The command itself keeps none.
fn with_line(script: &str) -> (Command, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(limit())).unwrap();
    let mut command = shell(script);
    command.stdin(OwnedFd::from(theirs));
    (command, ours)
}

fn read_line(line: &mut UnixStream) -> String {
    let mut bytes = [0; 6];
    line.read_exact(&mut bytes).expect("the child says something in time");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Waits for the end of a child that has become ours.
fn reap_orphan() {
    // SAFETY: wait4(2) of any child; no status is asked for.
    let reaped = unsafe { libc::waitpid(-1, core::ptr::null_mut(), 0) };
    assert!(reaped > 0, "{}", io::Error::last_os_error());
}

/// Starts a helper that holds the streams of the shell open until its line is
/// closed, and says so.
const HELPER: &str = "exec 3<&0; { echo ready >&3; read -r _ <&3; } & ";

per_backend! {
    fn requested_before_nothing_is_started_and_nothing_changed() {
        let before = begin();
        let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
        let file = file.join(format!("children-{}-started", std::process::id()));
        let path = file.clone();
        requested(move || {
            let mut command = shell("echo >\"$FILE\"");
            command.env("FILE", path);
            let set = format!("{command:#?}");
            assert_eq!(command.output_or_stop().unwrap_err().progress(), 0);
            assert_eq!(command.status_or_stop().unwrap_err().progress(), 0);
            assert_eq!(format!("{command:#?}"), set);
            assert_eq!(any_child(), None);
        });
        assert!(!file.exists());
        let mut child = shell("read -r line; echo \"$line\"")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut child = requested(move || {
            assert_eq!(child.wait_with_output_or_stop().unwrap_err().progress(), 0);
            child
        });
        // Not even its input is closed.
        child.stdin.as_mut().unwrap().write_all(b"still\n").unwrap();
        assert_eq!(child.wait_with_output().unwrap().stdout, b"still\n");
        check_nothing_is_left(before);
    }

    fn a_child_of_output_or_status_does_not_outlive_the_stop() {
        let before = begin();
        // The last cannot be ended by anything but SIGKILL.
        for script in ["exec sleep infinity", "kill -STOP $$", "trap '' TERM INT; exec sleep infinity"] {
            let output = waiting(move || shell(script).output_or_stop());
            assert_eq!(stop(output).unwrap_err().progress(), 0);
            check_nothing_is_left(before);
            let status = waiting(move || shell(script).status_or_stop());
            assert_eq!(stop(status).unwrap_err().progress(), 0);
            check_nothing_is_left(before);
        }
        // With pipes that were not asked for.
        let status = waiting(|| {
            endless()
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .status_or_stop()
        });
        assert!(stop(status).is_err());
        check_nothing_is_left(before);
    }

    fn output_says_how_much_it_had_read() {
        let before = begin();
        let (mut command, mut line) = with_line("head -c 2000000 /dev/zero; echo wrote >&0; read -r _");
        let output = waiting(move || {
            let outcome = command.output_or_stop();
            drop(command);
            outcome
        });
        assert_eq!(read_line(&mut line), "wrote\n");
        let progress = stop(output).unwrap_err().progress();
        // What it has not read the pipe holds: 16 pages (pipe(7)), however large.
        assert!((2_000_000 - (16 << 16)..=2_000_000).contains(&progress), "{progress}");
        drop(line);
        check_nothing_is_left(before);
    }

    fn a_process_that_holds_the_pipes_open_delays_no_stop_and_is_not_killed() {
        if stop_tests::emulation_hides("a child's child that is adopted", stop_tests::NO_SUBREAPER) {
            return;
        }
        let before = begin();
        // Beside a child that waits, and after one that has ended.
        for script in ["wait", "exit 0"] {
            let (mut command, mut line) = with_line(&format!("{HELPER} {script}"));
            let output = waiting(move || command.output_or_stop());
            assert_eq!(read_line(&mut line), "ready\n");
            assert_eq!(stop(output).unwrap_err().progress(), 0);
            assert_eq!(any_child(), Some(false), "the helper is ours now, and runs");
            drop(line);
            reap_orphan();
            check_nothing_is_left(before);
        }
    }

    fn a_process_that_holds_the_pipes_open_is_waited_for_as_in_std() {
        if stop_tests::emulation_hides("a child's child that is adopted", stop_tests::NO_SUBREAPER) {
            return;
        }
        let before = begin();
        let (mut command, mut line) = with_line(&format!("{HELPER} exit 6"));
        let output = waiting(move || command.output_or_stop());
        assert_eq!(read_line(&mut line), "ready\n");
        assert!(!output.is_finished());
        drop(line);
        assert_eq!(output.join().unwrap().unwrap().unwrap().status.code(), Some(6));
        reap_orphan();
        check_nothing_is_left(before);
    }

    fn a_child_whose_wait_was_stopped_goes_on() {
        let before = begin();
        let mut child = shell("read -r line <&3; echo \"$line\"; exit 8");
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let theirs = OwnedFd::from(theirs);
        let raw = theirs.as_raw_fd();
        // SAFETY: dup2(2) is async-signal-safe, and both numbers are.
        unsafe {
            child.pre_exec(move || match libc::dup2(raw, 3) {
                3 => Ok(()),
                _ => Err(io::Error::last_os_error()),
            });
        }
        let mut child =
            child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(theirs);
        let pipe = child.stdout.as_ref().unwrap().as_raw_fd();
        // SAFETY: a query on a number.
        let flags = || unsafe { libc::fcntl(pipe, libc::F_GETFL) };
        let at_first = flags();
        for _ in 0..3 {
            let (outcome, back) = stop(waiting(move || (child.wait_with_output_or_stop(), child)));
            assert_eq!(outcome.unwrap_err().progress(), 0);
            child = back;
            assert_eq!(child.try_wait().unwrap(), None, "it runs on");
            assert_eq!(flags(), at_first);
        }
        ours.write_all(b"said\n").unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), &output.stdout[..]), (Some(8), &b"said\n"[..]));

        // Or it is killed.
        let mut child = endless().stdout(Stdio::piped()).spawn().unwrap();
        let (outcome, mut child) =
            stop(waiting(move || (child.wait_with_output_or_stop(), child)));
        assert!(outcome.is_err());
        child.kill().unwrap();
        let output = child.wait_with_output_or_stop().unwrap().unwrap();
        assert_eq!(output.status.code(), None);
        drop((ours, child));
        check_nothing_is_left(before);
    }

    fn marked_in_a_loop_and_in_a_function_that_is_left() {
        #[stoppable]
        fn look(command: &mut Command) -> usize {
            let mut length = 0;
            loop {
                #[blocking]
                let output = command.output().unwrap();
                length += output.stdout.len();
                *command = endless();
            }
            length
        }
        #[stoppable]
        fn run(command: &mut Command) -> io::Result<ExitStatus> {
            #[blocking]
            command.status()
        }
        #[stoppable]
        fn finish(mut child: Child) -> Result<io::Result<Output>, Stopped> {
            #[blocking]
            let output = child.wait_with_output();
            Ok(output)
        }
        let before = begin();
        let looking = waiting(|| look(&mut shell("echo out")));
        // The first command ends by itself; it may be the one that is stopped.
        assert!([0, "out\n".len()].contains(&stop(looking)));
        let error = stop(waiting(|| run(&mut endless()))).unwrap_err();
        assert!(stopruntime::is_stopped(&error));
        assert_eq!(run(&mut shell("exit 9")).unwrap().code(), Some(9));
        let child = shell("echo out").stdout(Stdio::piped()).spawn().unwrap();
        assert_eq!(finish(child).unwrap().unwrap().stdout, b"out\n");
        check_nothing_is_left(before);
    }

    /// A child that has become another user cannot be killed, and the caller is not told
    /// that it was.
    fn a_child_that_may_not_be_killed_is_an_error() {
        let before = begin();
        // SAFETY: integers.
        let may_change = unsafe { libc::geteuid() } == 0;
        if !may_change {
            eprintln!("only root can become another user");
            return;
        }
        // SAFETY: integers; a process of this test's own. Its threads stay
        // visible to themselves (PR_SET_DUMPABLE).
        unsafe {
            assert_eq!(libc::setresuid(65_534, 65_534, 0), 0);
            assert_eq!(libc::prctl(libc::PR_SET_DUMPABLE, 1), 0);
        }
        let (ours, theirs) = UnixStream::pair().unwrap();
        let status = waiting(move || {
            let mut command = shell("read -r _");
            // SAFETY: async-signal-safe.
            unsafe {
                command.pre_exec(|| match libc::setresuid(0, 0, 0) {
                    0 => Ok(()),
                    _ => Err(io::Error::last_os_error()),
                });
            }
            command.stdin(OwnedFd::from(theirs)).status_or_stop()
        });
        let error = stop(status).expect("not stopped").unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EPERM));
        assert_eq!(any_child(), Some(false), "it runs on");
        drop(ours);
        reap_orphan();
        check_nothing_is_left(before);
    }
}
