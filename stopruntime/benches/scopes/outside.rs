//! Columns of other languages, built when the bench starts; NOT MEASURED without a
//! compiler.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that is told what to measure and prints nanoseconds.
struct Program(Option<PathBuf>);

impl Program {
    fn build(what: &str, compiler: &str, arguments: &[&str], source: &str) -> Program {
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(source.replace('.', "-"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/scopes").join(source);
        let built =
            Command::new(compiler).args(arguments).arg("-o").args([&program, &source]).status();
        match built {
            Ok(status) if status.success() => return Program(Some(program)),
            Ok(status) => eprintln!("NOT MEASURED: {what}: {compiler} ended with {status}"),
            Err(error) => eprintln!("NOT MEASURED: {what}: no {compiler}: {error}"),
        }
        Program(None)
    }

    fn column(&self, part: &'static str) -> Option<Box<dyn FnMut() -> f64>> {
        let program = self.0.clone()?;
        Some(Box::new(move || {
            let output = Command::new(&program).arg(part).output().expect("it was built");
            let text = String::from_utf8_lossy(&output.stdout);
            text.trim().parse().expect("a number")
        }))
    }
}

pub(crate) struct Go(Program);

impl Go {
    pub(crate) fn build() -> Go {
        Go(Program::build("Go's context", "go", &["build"], "opening.go"))
    }

    /// `timeout`, `timeouts` (ten deep) or `cancel`.
    pub(crate) fn column(&self, part: &'static str) -> Option<Box<dyn FnMut() -> f64>> {
        self.0.column(part)
    }
}

pub(crate) struct Callbacks(Program);

impl Callbacks {
    pub(crate) fn build() -> Callbacks {
        let arguments = ["-std=c++20", "-O2", "-pthread"];
        Callbacks(Program::build("std::stop_callback", "g++", &arguments, "opening.cpp"))
    }

    /// Registers a callback and withdraws it.
    pub(crate) fn column(&self) -> Option<Box<dyn FnMut() -> f64>> {
        self.0.column("callback")
    }
}
