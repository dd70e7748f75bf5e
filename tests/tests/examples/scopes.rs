//! Programs that stop a part of what they do: each says what has happened.

use std::io::{BufRead, BufReader, Lines, Write};
use std::net::UdpSocket;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use stop_tests::{not_tested, on_backends};

fn program(name: &str) -> Command {
    let mut program = stop_tests::program(&crate::example::path(name));
    program.stdin(Stdio::null()).stderr(Stdio::piped());
    program
}

/// The lines that it prints until it ends, which it does well.
pub(crate) fn said(name: &str) -> Vec<String> {
    let output = program(name).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {}\n{errors}", output.status);
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// A program that is told what to do.
pub(crate) struct Told {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Told {
    pub(crate) fn start(name: &str) -> Told {
        Told::begin(program(name))
    }

    pub(crate) fn begin(mut program: Command) -> Told {
        let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Told { child, input, output }
    }

    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    pub(crate) fn next(&mut self) -> String {
        self.output.next().expect("it goes on").unwrap()
    }

    pub(crate) fn signal(&self, signal: libc::c_int) {
        // SAFETY: numbers; the child has not been waited for.
        assert_eq!(unsafe { libc::kill(self.child.id().cast_signed(), signal) }, 0);
    }

    pub(crate) fn end(mut self) {
        drop(self.input);
        assert!(self.child.wait().unwrap().success());
        assert!(self.output.next().is_none());
    }
}

on_backends! { crate::example::backends();
    fn a_job_of_a_pool_is_cancelled_by_its_id() {
        let expected = [
            "job 1: a stop has been requested",
            "job 3: a stop has been requested",
            "job 4: received 5 bytes",
            "job 2: a stop has been requested",
        ];
        assert_eq!(said("pool"), expected);
    }

    fn a_blocking_job_ends_with_its_task() {
        let stopped = "Err(\"a stop has been requested\")";
        let expected = [
            &format!("aborted: {stopped}"),
            &format!("timed out: {stopped}"),
            "the next one, on the same thread: Ok(5)",
            &format!("shut down: {stopped}"),
        ];
        assert_eq!(said("spawn_blocking"), expected);
    }

    fn one_deadline_is_over_connect_write_and_read() {
        let expected = [
            "answers: \"an answer\"",
            "does not accept: the time limit has passed",
            "does not read: the time limit has passed",
            "does not answer: the time limit has passed",
            "trickles: the time limit has passed",
        ];
        assert_eq!(said("deadline"), expected);
    }

    fn a_call_of_an_interpreter_is_interrupted_and_the_next_works() {
        let mut interpreter = Told::start("embedding");
        for _ in 0..3 {
            interpreter.tell("listen");
            assert!(interpreter.next().starts_with("listening on "));
            interpreter.signal(libc::SIGINT);
            assert_eq!(interpreter.next(), "KeyboardInterrupt: a stop has been requested: Ctrl-C");
            interpreter.tell("listen");
            let address = interpreter.next();
            let address = address.strip_prefix("listening on ").unwrap();
            UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"bytes", address).unwrap();
            assert_eq!(interpreter.next(), "\"bytes\"");
        }
        interpreter.end();
    }

    // Elsewhere it would need a C compiler for that platform.
    #[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
    fn a_query_is_interrupted_and_the_connection_goes_on() {
        let expected = [
            "stopped: a stop has been requested",
            "the next one: 42",
            "limited: the time limit has passed",
            "the next one: 42",
        ];
        // Its library takes as long to compile as all else here takes.
        if stop_tests::is_a_developers() {
            return not_tested("sqlite", "STOP_TESTS is not set");
        }
        assert_eq!(said("sqlite"), expected);
    }

    fn the_siblings_of_a_thread_that_panics_end() {
        let mut said = said("siblings");
        assert_eq!(said.pop().unwrap(), "all have ended");
        said.sort();
        assert_eq!(said, ["0: Some(0) bytes", "1: Some(0) bytes", "3: Some(0) bytes"]);
    }

    fn a_thread_ends_with_the_struct_that_owns_it() {
        let expected =
            ["3 datagrams", "the thread has cleaned up", "dropped", "Err(ConnectionRefused)"];
        assert_eq!(said("owner"), expected);
    }
}
