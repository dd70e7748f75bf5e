//! The programs under test: the examples, built by the cargo that runs the tests.

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Once;

use stop_tests::{BACKENDS, is_child};

/// Those that the tests run, without features of their own.
const EXAMPLES: [&str; 16] = [
    "deadline",
    "drop_in_after",
    "embedding",
    "guide_ctrl_c",
    "guide_flag_after",
    "guide_flag_before",
    "guide_isolated",
    "guide_periodic",
    "guide_supervisor",
    "guide_watcher",
    "httpd",
    "owner",
    "pool",
    "siblings",
    "spawn_blocking",
    "syslogd",
];

/// The three backends, by which the test is run once the examples are built: in the
/// process that starts one for each, and not again in those.
///
/// `cargo test` of the workspace has built them already, with the features of all
/// its packages, and this is then soon done; `cargo test -p stop-tests` has not.
pub(crate) fn backends() -> [&'static str; 3] {
    static BUILT: Once = Once::new();
    if !is_child() {
        BUILT.call_once(|| {
            cargo_build(&EXAMPLES.map(|name| ["--example", name]).concat());
        });
    }
    BACKENDS
}

/// Says where the example is, and builds it if it has features of its own.
pub(crate) fn path(name: &str) -> PathBuf {
    if FEATURES.contains(&name) {
        let features = format!("--features=stop-examples/{name}");
        cargo_build(&["--example", name, &features]);
    } else {
        assert!(EXAMPLES.contains(&name), "{name} is not in the list");
        backends();
    }
    built(name)
}

/// As [`path`], for an example that is a shared library.
#[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
pub(crate) fn library(name: &str) -> PathBuf {
    let features = format!("--features=stop-examples/{name}");
    cargo_build(&["--example", name, &features]);
    built(&format!("lib{name}.so"))
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

/// Where this test was built: target/PROFILE/deps/this-test, or
/// target/TRIPLE/PROFILE/deps/this-test where `CARGO_BUILD_TARGET` asks for it.
fn profile() -> PathBuf {
    let this = env::current_exe().expect("the test's own path");
    this.ancestors().nth(2).expect("a test is two directories down").to_owned()
}

fn built(file: &str) -> PathBuf {
    let built = profile().join("examples").join(file);
    assert!(built.is_file(), "cargo has not put {file} at {}", built.display());
    built
}

fn cargo_build(what: &[&str]) {
    let profile = profile();
    let mut target = profile.parent().expect("a profile is in the target directory");
    if env::var_os("CARGO_BUILD_TARGET").is_some_and(|triple| target.ends_with(triple)) {
        target = target.parent().expect("a triple is in the target directory");
    }
    let profile_name = match profile.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(other) => other,
    };
    let output = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--profile", profile_name, "--target-dir"])
        .arg(target)
        .args(what)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what:?} does not build:\n{errors}");
}
