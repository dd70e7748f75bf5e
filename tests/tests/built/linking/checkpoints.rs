//! A program links whatever part of the runtime it uses: with checkpoints and
//! no marked call the linker finds no window to keep.

use super::package::{Package, backends, text};
use std::process::Command;
use stop_tests::{everything, not_tested};

/// Of the runtime as little as possible: without it a window that nothing uses may
/// stand in an object with something that is used.
const MORE: &str =
    "[features]\ndefault = [\"stopruntime/__testing\"]\n[profile.release]\nlto = true\n";

/// The limit makes a failure of what would be a hang.
const PROGRAM: &str = r#"
use std::time::Duration;

fn main() {
    let worker = stopruntime::thread::spawn(|| while stopruntime::check().is_ok() {});
    assert!(worker.request_stop());
    let Ok(ended) = worker.join_timeout(Duration::from_secs(20)) else { panic!("not stopped") };
    ended.expect("no panic in the thread");
    // The table of windows, of which there are none.
    assert_eq!(stopruntime::testing::windows(), []);
    println!("stopped on {}", stopruntime::backend());
}
"#;

#[test]
fn checkpoints_alone_link_and_stop() {
    if !everything() {
        return not_tested("a program with checkpoints alone", "STOP_TESTS is not \"all\"");
    }
    let package = Package::write("checkpoints", MORE, "main.rs", PROGRAM);
    let program = package.build("release", &[]).join("checkpoints");
    for backend in backends() {
        let output = Command::new(&program).env("STOPRUNTIME_BACKEND", backend).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        assert_eq!(text(&output), format!("stopped on {backend}\n"));
    }
}
