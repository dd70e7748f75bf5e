//! What a user adds to a program that cannot be stopped: nothing else changes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::UdpSocket;
use std::process::Stdio;

use stop_tests::on_backends;

const BEFORE: &str = include_str!("../../../examples/examples/drop_in_before.rs");
const AFTER: &str = include_str!("../../../examples/examples/drop_in_after.rs");

#[test]
fn all_except_the_spawn_is_there_unchanged() {
    let mut after = AFTER.lines();
    let mut replaced = Vec::new();
    for line in BEFORE.lines() {
        let spawn = line.replace("std::thread::spawn", "stopruntime::thread::spawn");
        if spawn != line {
            replaced.push(line);
        }
        // The lines passed over are additions.
        assert!(after.any(|one| one == spawn), "not in drop_in_after.rs, or not there: {line}");
    }
    assert_eq!(replaced.len(), 1, "the one line that is not an addition: {replaced:?}");
    let added = AFTER.lines().count() - BEFORE.lines().count();
    assert!(added < 12, "{added} lines are many for such a loop");
    let is_mark = |line: &&str| line.trim_start().starts_with("#[");
    let marks: Vec<&str> = AFTER.lines().filter(is_mark).map(str::trim).collect();
    assert_eq!(marks, ["#[stoppable]", "#[blocking]"]);
}

on_backends! { crate::example::backends();
    fn the_loop_ends_and_the_clean_up_runs() {
        let mut adder = stop_tests::program(&crate::example::path("drop_in_after"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(adder.stdout.take().unwrap());
        let mut next = || {
            let mut line = String::new();
            said.read_line(&mut line).unwrap();
            line.trim_end().to_owned()
        };
        let first = next();
        let address = first.strip_prefix("listening on ").unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        for total in [5, 10, 15] {
            socket.send_to(b"bytes", address).unwrap();
            assert_eq!(next(), format!("{total} bytes"));
        }
        adder.stdin.take().unwrap().write_all(b"\n").unwrap();
        assert_eq!(next(), "15 bytes in all");
        let mut more = String::new();
        said.read_to_string(&mut more).unwrap();
        assert_eq!(more, "");
        assert!(adder.wait().unwrap().success());
    }
}
