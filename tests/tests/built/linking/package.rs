//! A package of its own that depends on the runtime, built by cargo.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A package in a directory of the tests'.
pub(crate) struct Package {
    directory: PathBuf,
}

impl Package {
    /// Writes the manifest, with `more` at its end, and the one source file;
    /// and the workspace's versions, which are on this machine.
    pub(crate) fn write(name: &str, more: &str, file: &str, source: &str) -> Package {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let runtime = here.join("../stopruntime").canonicalize().expect("the runtime's sources");
        let runtime = runtime.display();
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [workspace]\n\n\
             [dependencies]\n\
             stopruntime = {{ path = \"{runtime}\", default-features = false }}\n\n{more}"
        );
        fs::create_dir_all(directory.join("src")).expect("a directory");
        fs::copy(here.join("../Cargo.lock"), directory.join("Cargo.lock")).expect("the lock file");
        fs::write(directory.join("Cargo.toml"), manifest).expect("the manifest");
        fs::write(directory.join("src").join(file), source).expect("the source");
        Package { directory }
    }

    /// Another source file.
    pub(crate) fn with(self, file: &str, source: &str) -> Package {
        fs::write(self.directory.join("src").join(file), source).expect("the source");
        self
    }

    /// Builds it in this profile, with these variables in the environment; the
    /// directory of what was built.
    pub(crate) fn build(&self, profile: &str, variables: &[(String, String)]) -> PathBuf {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
        let target = self.directory.join("target");
        let output = Command::new(cargo)
            .args(["build", "--offline", "--quiet", "--profile", profile])
            .current_dir(&self.directory)
            .env("CARGO_TARGET_DIR", &target)
            // Nothing debugs it: a third of the time of a build.
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env_remove("CARGO_BUILD_TARGET")
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("cargo starts");
        assert!(output.status.success(), "{variables:?}: {}", text(&output));
        target.join(if profile == "dev" { "debug" } else { profile })
    }
}

/// What a program wrote.
pub(crate) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The backends that a test goes through: all, unless one is forced.
pub(crate) fn backends() -> impl Iterator<Item = &'static str> {
    let forced = std::env::var("STOPRUNTIME_BACKEND").ok();
    let every = stop_tests::BACKENDS.into_iter();
    every.filter(move |one| forced.as_deref().is_none_or(|name| name == *one))
}
