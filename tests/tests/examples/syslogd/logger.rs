//! Fed by util-linux's logger, where there is one: a sender that is not ours.

use std::fs;
use std::io::{self, Write};
use std::ops::Range;
use std::process::{Child, Command, Stdio};

use stop_tests::run;

use crate::syslogd::daemon::{Daemon, wait_until};
use crate::syslogd::frozen::dropped;
use crate::syslogd::message::{BATCH, census, lines, text};

/// As `per_backend!`, where there is a logger; where there is none, says so, past
/// the harness's capture.
macro_rules! with_logger {
    ($(fn $name:ident() $body:block)*) => {$(
        #[test]
        fn $name() {
            fn body() $body
            if exists() {
                run(concat!(module_path!(), "::", stringify!($name)), &crate::example::backends(), body);
            } else {
                let name = stringify!($name);
                writeln!(io::stdout(), "NOT TESTED: {name}: no logger on this machine").unwrap();
            }
        }
    )*};
}

fn exists() -> bool {
    let found = Command::new("logger").arg("--version").stdout(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

/// A logger that sends each line of its standard input.
fn logger(port: u16, options: &[&str]) -> Child {
    Command::new("logger")
        .args(["-n", "127.0.0.1", "-P", &port.to_string(), "-t", "app", "--id=1"])
        .args(options)
        .stdin(Stdio::piped())
        .spawn()
        .expect("logger starts")
}

fn feed(logger: &mut Child, numbers: Range<usize>) {
    let lines: String = numbers.map(|number| text("logger", number) + "\n").collect();
    let input = logger.stdin.as_mut().expect("piped");
    input.write_all(lines.as_bytes()).expect("logger reads");
}

/// Closes its input and waits for its end.
fn finish(mut logger: Child) {
    assert!(logger.wait().expect("logger can be waited for").success());
}

/// Bytes on the way to this port that are not acknowledged. proc(5).
fn unacknowledged(port: u16) -> u64 {
    let table = fs::read_to_string("/proc/net/tcp").expect("it can be read");
    let port = format!(":{port:04X}");
    let queue = |row: &str| {
        let fields: Vec<&str> = row.split_whitespace().collect();
        let to_port = fields.get(2).is_some_and(|remote| remote.ends_with(&port));
        let (sent, _received) = fields.get(4)?.split_once(':')?;
        to_port.then(|| u64::from_str_radix(sent, 16).expect("a number"))
    };
    table.lines().skip(1).filter_map(queue).sum()
}

fn over_tcp(options: &[&str]) {
    let daemon = Daemon::start();
    let mut logger = logger(daemon.tcp.port(), options);
    feed(&mut logger, 0..lines());
    finish(logger);
    wait_until("all is acknowledged", || unacknowledged(daemon.tcp.port()) == 0);
    daemon.signal(libc::SIGTERM);
    assert_eq!(census(daemon.end().text())["logger"], lines());
}

with_logger! {
    fn logger_by_tcp_in_lines() {
        over_tcp(&["--tcp", "--rfc3164"]);
    }

    fn logger_by_tcp_counted() {
        over_tcp(&["--tcp", "--octet-count", "--rfc5424=notq"]);
    }

    fn logger_by_udp() {
        let daemon = Daemon::start();
        let mut logger = logger(daemon.udp.port(), &["--udp", "--rfc5424=notq"]);
        for first in (0..lines()).step_by(BATCH) {
            daemon.wait_for_lines(first);
            feed(&mut logger, first..first + BATCH);
        }
        finish(logger);
        assert_eq!(dropped(daemon.udp), 0);
        daemon.signal(libc::SIGTERM);
        assert_eq!(census(daemon.end().text())["logger"], lines());
    }
}
