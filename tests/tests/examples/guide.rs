//! The programs of the guide's recipes: each says what has happened.

use crate::scopes::{Told, said};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use stop_tests::on_backends;

on_backends! { crate::example::backends();
    fn ctrl_c_lets_the_sessions_finish() {
        let mut server = Told::start("guide_ctrl_c");
        let address = server.next();
        let address = address.strip_prefix("listening on ").unwrap();
        let connect = || BufReader::new(TcpStream::connect(address).unwrap());
        let mut clients = [connect(), connect()];
        let mut line = String::new();
        for client in &mut clients {
            client.get_mut().write_all(b"line\n").unwrap();
            client.read_line(&mut line).unwrap();
        }
        server.signal(libc::SIGINT);
        assert_eq!(server.next(), "2 sessions are open");
        for client in &mut clients {
            client.read_line(&mut line).unwrap();
        }
        assert_eq!(line, "LINE\nLINE\nBYE\nBYE\n");
        assert_eq!(server.next(), "all have ended");
        server.end();
    }

    fn a_supervisor_starts_its_worker_again() {
        let expected = [
            "worker: connection refused; again in 10ms",
            "worker has panicked; again in 10ms",
            "the worker has cleaned up",
            "started 3 times",
        ];
        assert_eq!(said("guide_supervisor"), expected);
    }

    fn a_periodic_task_ends_within_its_sleep() {
        let ended = "the task has ended";
        assert_eq!(said("guide_periodic"), ["run 0", "run 1", "run 2", ended, ended]);
    }

    fn a_watcher_of_files_is_stopped() {
        let written = ["first", "second", "third"].map(|name| format!("written: {name}"));
        let mut expected = written.to_vec();
        expected.push("the watch is over".into());
        assert_eq!(said("guide_watcher"), expected);
    }

    fn what_cannot_be_stopped_is_killed_with_its_process() {
        let said = said("guide_isolated");
        // That it has ended says that no worker is left: one would hold its streams.
        assert_eq!(said[..2], ["answer: REQUEST", "error: the worker has failed: exit status: 3"]);
        assert_eq!(said[2..], ["limit: the time limit has passed", "stop: a stop has been requested"]);
    }

    fn a_thread_without_a_flag_does_the_same() {
        assert_eq!(said("guide_flag_after"), ["5 bytes"]);
    }
}

#[test]
fn and_so_did_the_thread_with_a_flag() {
    assert_eq!(said("guide_flag_before"), ["5 bytes"]);
}

// Elsewhere they would need a C compiler for that platform, and Python. A developer's
// `cargo test` does not wait for their libraries to be compiled.
#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
mod libraries {
    use crate::example::library;
    use crate::scopes::{Told, said};
    use std::net::UdpSocket;
    use std::process::{Command, Stdio};
    use stop_tests::{everything, not_tested, on_backends};

    const SCRIPT: &str = "
import importlib.util, signal, sys
# As Python does it, except where it is started with SIGINT ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
specification = importlib.util.spec_from_file_location('guide_python', sys.argv[1])
guide_python = importlib.util.module_from_spec(specification)
specification.loader.exec_module(guide_python)
for _ in range(2):
    try:
        print(guide_python.receive('127.0.0.1:0'), flush=True)
    except KeyboardInterrupt:
        print('KeyboardInterrupt', flush=True)
";

    fn are_built(example: &str) -> bool {
        if !everything() {
            not_tested(example, "STOP_TESTS is not \"all\"");
        }
        everything()
    }

    on_backends! { crate::example::backends();
        fn a_http_client_is_stopped() {
            if !are_built("guide_http_client") {
                return;
            }
            let said = said("guide_http_client");
            assert_eq!(said[0], "answered: \"answer\"");
            assert_eq!(said[1], "stopped: a stop has been requested");
            assert_eq!(said[2], "limited: the time limit has passed");
            assert_eq!(said[3], "answered: \"answer\"");
        }

        fn types_of_other_crates_are_stopped() {
            if !are_built("guide_other_crates") {
                return;
            }
            let said = said("guide_other_crates");
            assert_eq!(said.len(), 9, "{said:?}");
            assert!(said.iter().all(|line| line.ends_with(": the time limit has passed")), "{said:?}");
        }

        fn work_on_rayons_threads_is_stopped() {
            if !are_built("guide_rayon") {
                return;
            }
            let expected = [
                "waiting, stopped: a stop has been requested",
                "computing, stopped: a stop has been requested",
                "waiting: 40 bytes",
                "computing: 168 primes",
            ];
            assert_eq!(said("guide_rayon"), expected);
        }

        fn a_tls_server_says_goodbye() {
            if !are_built("guide_tls_server") {
                return;
            }
            assert_eq!(said("guide_tls_server"), ["client: LINE", "client: BYE"]);
        }

        fn ctrl_c_raises_pythons_interrupt() {
            if !are_built("guide_python") {
                return;
            }
            let mut python = Command::new("python3");
            if python.arg("--version").stdout(Stdio::null()).status().is_err() {
                return not_tested("guide_python", "there is no python3");
            }
            let mut python = Command::new("python3");
            python.args(["-c", SCRIPT]).arg(library("guide_python"));
            let mut python = Told::begin(python);
            assert!(python.next().starts_with("listening on "));
            python.signal(libc::SIGINT);
            assert_eq!(python.next(), "KeyboardInterrupt");
            let address = python.next();
            let address = address.strip_prefix("listening on ").unwrap();
            UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"bytes", address).unwrap();
            assert_eq!(python.next(), "bytes");
            python.end();
        }
    }
}
