//! rustc, as cargo calls it for a crate that depends on the runtime, with what
//! cargo has built for this test already.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

/// How rustc is to be called.
pub(crate) struct Compiler {
    rustc: PathBuf,
    arguments: Vec<String>,
    /// Where what it makes goes.
    pub(crate) out: PathBuf,
}

impl Compiler {
    /// Asks cargo for the libraries: these crates, and what they depend on.
    pub(crate) fn with(crates: &[&str]) -> Compiler {
        // Any program of the workspace that is built with the features of them all.
        let cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into()))
            .args(["build", "--example", "syslogd", "--message-format", "json"])
            .current_dir(root())
            .output()
            .expect("cargo starts");
        assert!(cargo.status.success(), "{}", text(&cargo.stderr));
        let messages = text(&cargo.stdout);
        let library = |name: &str| {
            let end = format!("/deps/lib{name}-");
            let mut quoted = messages.split('"');
            let path =
                quoted.find(|path| path.contains(&end) && path.strip_suffix(".rlib").is_some());
            path.unwrap_or_else(|| panic!("cargo has built no {name}:\n{messages}")).to_owned()
        };
        let runtime = library("stopruntime");
        let directory = Path::new(&runtime).parent().expect("a file").display();
        let mut arguments = vec!["--edition=2024".to_owned(), format!("-Ldependency={directory}")];
        for name in crates {
            arguments.push(format!("--extern={name}={}", library(name)));
        }
        let rustc = env::var_os("RUSTC").map_or_else(|| "rustc".into(), PathBuf::from);
        let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ui");
        std::fs::create_dir_all(&out).expect("a directory");
        Compiler { rustc, arguments, out }
    }

    /// Looks at a source, whose path begins at the workspace, without making code
    /// of it.
    pub(crate) fn check(&self, source: &Path, more: &[&str]) -> Output {
        self.call(source, &[&["--emit=metadata"], more].concat())
    }

    /// Makes a program of the source; where it is, or what rustc says.
    pub(crate) fn build(&self, source: &Path) -> Result<PathBuf, String> {
        let output = self.call(source, &[]);
        let name = source.file_stem().expect("a source");
        if output.status.success() { Ok(self.out.join(name)) } else { Err(text(&output.stderr)) }
    }

    /// The release, as rustc has it: `1.88.0`.
    pub(crate) fn release(&self) -> String {
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
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests stand in it").to_owned()
}

/// Does this with each, on all processors.
pub(crate) fn each<T: Sync>(all: &[T], work: impl Fn(&T) + Sync) {
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

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
