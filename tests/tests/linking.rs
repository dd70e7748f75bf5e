//! A program links whatever part of the runtime it uses: with checkpoints and
//! no marked call the linker finds no window to keep.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const MANIFEST: &str = r#"[package]
name = "checkpoints"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
stopruntime = { path = "RUNTIME", default-features = false }

# Of the runtime as little as possible: without it a window that nobody uses may
# stand in an object with something that is used.
[profile.release]
lto = true
"#;

/// The limit makes a failure of what would be a hang.
const PROGRAM: &str = r#"
use std::time::Duration;

fn main() {
    let worker = stopruntime::thread::spawn(|| while stopruntime::check().is_ok() {});
    assert!(worker.request_stop());
    let Ok(ended) = worker.join_timeout(Duration::from_secs(20)) else { panic!("not stopped") };
    ended.expect("no panic in the thread");
    println!("stopped on {}", stopruntime::backend());
}
"#;

/// The program and its manifest, with the workspace's versions, which are on
/// this machine.
fn write_crate(directory: &Path) -> std::io::Result<()> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let runtime = here.join("../stopruntime").canonicalize()?;
    fs::create_dir_all(directory.join("src"))?;
    fs::copy(here.join("../Cargo.lock"), directory.join("Cargo.lock"))?;
    let manifest = MANIFEST.replace("RUNTIME", &runtime.to_string_lossy());
    fs::write(directory.join("Cargo.toml"), manifest)?;
    fs::write(directory.join("src/main.rs"), PROGRAM)
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn build(directory: &Path) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let output = Command::new(cargo)
        .args(["build", "--release", "--offline", "--quiet"])
        .current_dir(directory)
        .env("CARGO_TARGET_DIR", directory.join("target"))
        .env_remove("CARGO_BUILD_TARGET")
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", text(&output));
    directory.join("target/release/checkpoints")
}

#[test]
fn checkpoints_alone_link_and_stop() {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("checkpoints");
    write_crate(&directory).unwrap();
    let program = build(&directory);
    let forced = std::env::var("STOPRUNTIME_BACKEND").ok();
    let every = stop_tests::BACKENDS.into_iter();
    for backend in every.filter(|one| forced.as_deref().is_none_or(|name| name == *one)) {
        let output = Command::new(&program).env("STOPRUNTIME_BACKEND", backend).output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        assert_eq!(text(&output), format!("stopped on {backend}\n"));
    }
}
