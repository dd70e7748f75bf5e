//! Starting and ending: what it says, and its exit status.

use std::io::{BufRead, BufReader, Read};
use std::net::UdpSocket;
use std::process::{Output, Stdio};

use stop_tests::on_backends;

use crate::syslogd::daemon::{Daemon, command};

fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = command().args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn mistakes_are_named() {
    let (status, usage, errors) = run(&["--help"]);
    assert_eq!((status, errors.as_str()), (Some(0), ""));
    assert!(usage.contains("--udp ADDR") && usage.contains("--output FILE"));
    for (arguments, status, error) in [
        (&["--outptu", "x"][..], 2, "invalid option '--outptu'"),
        (&["--udp", "127.0.0.1:0"], 2, "--output FILE is missing"),
        (&["--output"], 2, "missing argument for option '--output'"),
        (&["--output", "/"], 1, "cannot write /: Is a directory"),
        (&["--output", "/dev/null", "--tcp", "nonsense"], 1, "cannot listen on tcp nonsense: "),
        (&["--output", "/dev/null", "--unix", "/no/where"], 1, "cannot listen on unix /no/where: "),
    ] {
        let outcome = run(arguments);
        assert_eq!(outcome.0, Some(status), "{arguments:?}: {outcome:?}");
        assert!(outcome.2.contains(error), "{arguments:?}: {outcome:?}");
    }
}

#[test]
fn a_full_disk_ends_it() {
    let mut daemon = command()
        .args(["--udp", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--output", "/dev/full"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(daemon.stdout.take().unwrap());
    stdout.read_line(&mut line).unwrap();
    let address = line.trim_end().strip_prefix("listening on udp ").unwrap();
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"text", address).unwrap();
    let mut errors = String::new();
    daemon.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!(daemon.wait().unwrap().code(), Some(1), "{errors}");
    assert!(errors.contains("cannot write /dev/full: No space left on device"), "{errors}");
}

on_backends! { crate::example::backends();
    fn it_can_be_ended_as_soon_as_it_listens() {
        for round in 0..stop_tests::part_of(50) {
            let daemon = Daemon::start();
            // The signal comes a little later each time.
            for _ in 0..round * 200 {
                std::hint::spin_loop();
            }
            daemon.signal(if round % 2 == 0 { libc::SIGTERM } else { libc::SIGINT });
            let ended = daemon.end();
            assert_eq!((ended.text(), ended.errors.as_str()), ("", ""));
        }
    }

    fn a_socket_in_use_is_left_alone() {
        let daemon = Daemon::start();
        let path = daemon.unix();
        let path = path.to_str().unwrap();
        let (status, _, errors) = run(&["--output", "/dev/null", "--unix", path]);
        assert_eq!(status, Some(1));
        // In other words in each libc.
        let in_use = std::io::Error::from_raw_os_error(libc::EADDRINUSE).to_string();
        assert!(errors.contains(&in_use), "{errors}");
        daemon.signal(libc::SIGTERM);
        daemon.end().check_counts();
    }
}
