//! A crate in a directory of its own, built by cargo as a user builds it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, io};

/// Seconds.
pub(crate) struct Cost {
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
}

pub(crate) struct Project {
    pub(crate) name: &'static str,
    directory: PathBuf,
}

impl Project {
    /// A library with this dependency.
    pub(crate) fn new(name: &'static str, dependency: &str, source: &str) -> io::Result<Project> {
        let file = name.replace(|character: char| !character.is_ascii_alphanumeric(), "-");
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compile_time").join(file);
        fs::create_dir_all(directory.join("src"))?;
        // A workspace of its own, as it stands below this one's.
        let manifest = format!(
            "[package]\nname = \"user\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
             \n[dependencies]\n{dependency}\n\n[workspace]\n"
        );
        fs::write(directory.join("Cargo.toml"), manifest)?;
        fs::write(directory.join("src/lib.rs"), source)?;
        // The versions that this workspace has been tested with.
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
        if lock.exists() {
            fs::copy(lock, directory.join("Cargo.lock"))?;
        }
        Ok(Project { name, directory })
    }

    /// Whether its dependencies can be had; they are fetched now, so that no
    /// build waits for the network.
    pub(crate) fn resolve(&self) -> bool {
        let fetched = self.cargo(&["fetch", "--offline"]).is_ok() || self.cargo(&["fetch"]).is_ok();
        if !fetched {
            eprintln!("NOT MEASURED: {}: the registry does not give its dependencies", self.name);
        }
        fetched
    }

    pub(crate) fn clean_build(&self, profile: &str) -> io::Result<Cost> {
        match fs::remove_dir_all(self.target()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => self.cargo(&["build", "--offline", "--jobs=2", "--profile", profile]),
        }
    }

    /// Checks the crate itself again; its dependencies only the first time.
    pub(crate) fn check(&self) -> io::Result<Cost> {
        let source = fs::File::options().append(true).open(self.directory.join("src/lib.rs"))?;
        source.set_modified(std::time::SystemTime::now())?;
        self.cargo(&["check", "--offline", "--jobs=2"])
    }

    fn target(&self) -> PathBuf {
        self.directory.join("target")
    }

    fn cargo(&self, arguments: &[&str]) -> io::Result<Cost> {
        let (start, before) = (Instant::now(), children_cpu());
        let output = Command::new(env!("CARGO"))
            .args(arguments)
            .current_dir(&self.directory)
            .env("CARGO_TARGET_DIR", self.target())
            .env("CARGO_INCREMENTAL", "0")
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .stdin(Stdio::null())
            .output()?;
        let cost = Cost { wall: start.elapsed().as_secs_f64(), cpu: children_cpu() - before };
        if output.status.success() {
            return Ok(cost);
        }
        let text = String::from_utf8_lossy(&output.stderr);
        Err(io::Error::other(format!("{}: cargo {arguments:?}: {text}", self.name)))
    }
}

/// Processor seconds of the children that have been waited for, and of theirs.
fn children_cpu() -> f64 {
    // SAFETY: a place for the answer.
    let usage = unsafe {
        let mut usage: libc::rusage = core::mem::zeroed();
        assert_eq!(libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage), 0);
        usage
    };
    let time = |time: libc::timeval| {
        Duration::new(time.tv_sec.unsigned_abs(), 0)
            + Duration::from_micros(time.tv_usec.unsigned_abs())
    };
    (time(usage.ru_utime) + time(usage.ru_stime)).as_secs_f64()
}
