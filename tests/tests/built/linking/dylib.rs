//! The runtime in a shared library, a Rust `dylib`, and the program that uses it:
//! the program's windows are in the one, the handler is in the other.

use super::builds::PROGRAM;
use super::package::{Package, backends, text};
use std::process::Command;
use stop_tests::{everything, not_tested};

#[test]
fn windows_outside_of_the_runtimes_library_are_found() {
    if !everything() {
        return not_tested("the runtime in a shared library", "STOP_TESTS is not \"all\"");
    }
    let package = Package::write(
        "wrapped",
        "[lib]\ncrate-type = [\"dylib\"]\n",
        "lib.rs",
        "//! The runtime.\n\npub use stopruntime::*;\n",
    );
    let program = PROGRAM.replace("stopruntime::", "wrapped::");
    // Without it std would be in both.
    let dynamic = ("RUSTFLAGS".to_owned(), "-Cprefer-dynamic".to_owned());
    let built = package.with("main.rs", &program).build("dev", &[dynamic]);
    assert!(built.join("libwrapped.so").exists());
    for backend in backends() {
        let output = Command::new(built.join("wrapped"))
            .env("STOPRUNTIME_BACKEND", backend)
            .env("LD_LIBRARY_PATH", format!("{}:{}", built.display(), standard_library()))
            .output()
            .unwrap();
        assert!(output.status.success(), "{backend}: {}", text(&output));
        assert_eq!(text(&output), format!("stopped on {backend}\n"));
    }
}

/// Where the shared library of std is.
fn standard_library() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "target-libdir"]).output().unwrap();
    text(&output).trim().to_owned()
}
