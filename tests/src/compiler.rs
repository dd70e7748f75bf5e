//! rustc, as cargo calls it for a crate that depends on the runtime, with what
//! cargo has built for this test already.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

/// How rustc is to be called.
#[derive(Debug)]
pub struct Compiler {
    rustc: PathBuf,
    arguments: Vec<String>,
    /// The library of the attribute.
    attribute: PathBuf,
    /// Where what it makes goes.
    out: PathBuf,
}

impl Compiler {
    /// Asks cargo for the libraries, as the tests are built: these crates, and
    /// what they depend on. What rustc makes goes to `out`.
    ///
    /// # Panics
    ///
    /// If cargo does not build them.
    #[must_use]
    pub fn new(crates: &[&str], out: PathBuf) -> Compiler {
        // Any program of the workspace, which is built with the features of all.
        Compiler::of(&["--example", "syslogd"], crates, out)
    }

    /// The same for release, with the runtime alone.
    ///
    /// # Panics
    ///
    /// If cargo does not build it.
    #[must_use]
    pub fn for_release(out: PathBuf) -> Compiler {
        let asked = ["--release", "--package", "stopruntime"];
        let mut compiler = Compiler::of(&asked, &["stopruntime"], out);
        compiler.arguments.push("-Copt-level=3".to_owned());
        compiler
    }

    fn of(asked: &[&str], crates: &[&str], out: PathBuf) -> Compiler {
        // Next to this program's own profile, so that what is there is used.
        let own = env::current_exe().expect("the test's own path");
        let target = own.ancestors().nth(3).expect("target/PROFILE/deps/TEST");
        let cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into()))
            .args(["build", "--message-format", "json"])
            .args(asked)
            .arg("--target-dir")
            .arg(target)
            .current_dir(root())
            .output()
            .expect("cargo starts");
        assert!(cargo.status.success(), "{}", text(&cargo.stderr));
        let messages = text(&cargo.stdout);
        let library = |name: &str| {
            // What is asked for itself has no hash in its name.
            let ends = [format!("/deps/lib{name}-"), format!("/lib{name}.rlib")];
            let is_it = |path: &&str| {
                path.strip_suffix(".rlib").is_some() && ends.iter().any(|end| path.contains(end))
            };
            let path = messages.split('"').find(is_it);
            path.unwrap_or_else(|| panic!("cargo has built no {name}:\n{messages}"))
        };
        let runtime = Path::new(library("stopruntime"));
        let directory = runtime.parent().expect("a file");
        let mut arguments = vec!["--edition=2024".to_owned()];
        for directory in [directory, &directory.join("deps")] {
            arguments.push(format!("-Ldependency={}", directory.display()));
        }
        for name in crates {
            arguments.push(format!("--extern={name}={}", library(name)));
        }
        let attribute = messages
            .split('"')
            .find(|path| path.contains("/libstopmacro-") && path.strip_suffix(".so").is_some())
            .unwrap_or_else(|| panic!("cargo has built no attribute:\n{messages}"))
            .into();
        let rustc = env::var_os("RUSTC").map_or_else(|| "rustc".into(), PathBuf::from);
        std::fs::create_dir_all(&out).expect("a directory");
        Compiler { rustc, arguments, attribute, out }
    }

    /// The same for another edition than the workspace's.
    #[must_use]
    pub fn of_edition(mut self, edition: &str) -> Compiler {
        self.arguments.retain(|argument| !argument.starts_with("--edition"));
        self.arguments.push(format!("--edition={edition}"));
        self
    }

    /// Looks at a source, whose path begins at the workspace, without making code
    /// of it.
    ///
    /// # Panics
    ///
    /// If rustc does not start.
    #[must_use]
    pub fn check(&self, source: &Path) -> Output {
        self.call(source, &["--emit=metadata"])
    }

    /// Makes a program of the source; where it is, or what rustc says.
    ///
    /// # Errors
    ///
    /// What rustc says.
    ///
    /// # Panics
    ///
    /// If rustc does not start.
    pub fn build(&self, source: &Path) -> Result<PathBuf, String> {
        let output = self.call(source, &[]);
        let name = source.file_stem().expect("a source");
        if output.status.success() { Ok(self.out.join(name)) } else { Err(text(&output.stderr)) }
    }

    /// The library of the attribute `#[stoppable]`.
    #[must_use]
    pub fn attribute(&self) -> &Path {
        &self.attribute
    }

    /// Where rustc and what comes with it are installed.
    ///
    /// # Panics
    ///
    /// If rustc does not start.
    #[must_use]
    pub fn sysroot(&self) -> PathBuf {
        let asked = Command::new(&self.rustc).args(["--print", "sysroot"]).output();
        text(&asked.expect("rustc starts").stdout).trim().into()
    }

    /// The release, as rustc has it: `1.88.0`.
    ///
    /// # Panics
    ///
    /// If rustc does not start.
    #[must_use]
    pub fn release(&self) -> String {
        let output = Command::new(&self.rustc).arg("--version").output().expect("rustc starts");
        let version = text(&output.stdout);
        version.split(' ').nth(1).expect("a version").to_owned()
    }

    fn call(&self, source: &Path, more: &[&str]) -> Output {
        Command::new(&self.rustc)
            .args(&self.arguments)
            .args(more)
            .arg(source)
            .arg("--out-dir")
            .arg(&self.out)
            .current_dir(root())
            .env("CARGO_PKG_NAME", "ui")
            .output()
            .expect("rustc starts")
    }
}

/// The workspace, where the paths begin that cargo has handed to rustc.
///
/// # Panics
///
/// Never.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests stand in it").to_owned()
}

/// Does this with each, on all processors.
pub fn each<T: Sync>(all: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(one);
                }
            });
        }
    });
}

/// What a program wrote.
#[must_use]
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
