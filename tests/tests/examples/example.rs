//! The programs under test: the examples, built by the cargo that runs the tests.

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Builds the example where this test was built and says where it is.
///
/// `cargo test` of the workspace has built it already, with the features of all
/// its packages, and this is then soon done; `cargo test -p stop-tests` has not.
pub(crate) fn path(name: &str) -> PathBuf {
    static BUILT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    built.entry(name.to_owned()).or_insert_with(|| build(name, name)).clone()
}

/// As [`path`], for an example that is a shared library.
#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
pub(crate) fn library(name: &str) -> PathBuf {
    build(name, &format!("lib{name}.so"))
}

/// Examples with a feature of their name.
const FEATURES: [&str; 6] = [
    "guide_http_client",
    "guide_other_crates",
    "guide_python",
    "guide_rayon",
    "guide_tls_server",
    "sqlite",
];

fn build(name: &str, file: &str) -> PathBuf {
    // target/PROFILE/deps/this-test, or target/TRIPLE/PROFILE/deps/this-test
    // where CARGO_BUILD_TARGET asks for it.
    let this = env::current_exe().expect("the test's own path");
    let profile = this.ancestors().nth(2).expect("a test is two directories down");
    let mut target = profile.parent().expect("a profile is in the target directory");
    if env::var_os("CARGO_BUILD_TARGET").is_some_and(|triple| target.ends_with(triple)) {
        target = target.parent().expect("a triple is in the target directory");
    }
    let profile_name = match profile.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let output = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--example", name])
        .args(["--profile", profile_name, "--target-dir"])
        .arg(target)
        .args(FEATURES.contains(&name).then(|| format!("--features=stop-examples/{name}")))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} does not build:\n{errors}");
    let built = profile.join("examples").join(file);
    assert!(built.is_file(), "cargo has not put {name} at {}", built.display());
    built
}
