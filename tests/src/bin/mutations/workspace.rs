//! The copy of the workspace that is mutated. It and what is built from it stay
//! in the target directory, so that the next run builds only what has changed.

use super::run::Program;
use super::source::Sources;
use super::table::{Edit, Test};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

/// Changes that are taken back when this is dropped.
pub(crate) struct Edited(Vec<(PathBuf, String)>);

/// The workspace that this program was built from.
pub(crate) fn original() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace")
}

/// Whether the workspace that is there has such a test: in the file of its module, or in the
/// one above, where a macro makes a module of each test.
pub(crate) fn has_test(root: &Path, test: Test) -> bool {
    let (modules, name) = test.name().rsplit_once("::").unwrap_or(("", test.name()));
    let above = modules.rsplit_once("::").unwrap_or(("", modules));
    has_function(root, test, (modules, name)) || has_function(root, test, above)
}

fn has_function(root: &Path, test: Test, (modules, name): (&str, &str)) -> bool {
    let (package, target) = match test.target().strip_prefix("loom/") {
        Some(target) => ("tests/loom", target),
        None => ("tests", test.target()),
    };
    let tests = root.join(package).join("tests");
    let module = modules.replace("::", "/");
    let files = if module.is_empty() {
        [format!("{target}.rs"), format!("{target}/main.rs")]
    } else {
        [format!("{target}/{module}.rs"), format!("{target}/{module}/mod.rs")]
    };
    files.iter().any(|file| {
        let source = fs::read_to_string(tests.join(file)).unwrap_or_default();
        source.contains(&format!("fn {name}()"))
    })
}

impl Workspace {
    /// Brings the copy up to date.
    pub(crate) fn copied() -> io::Result<Workspace> {
        // This program is in `release` or `debug` of the target directory.
        let program = env::current_exe()?;
        let ours = program.ancestors().nth(2).expect("a target directory").join("mutations");
        let (root, target) = (ours.join("workspace"), ours.join("target"));
        copy(original(), &root)?;
        Ok(Workspace { root, target })
    }

    /// Builds the programs of these tests, and says which is which.
    pub(crate) fn build<'a>(
        &self,
        targets: impl Iterator<Item = &'a str>,
    ) -> Result<BTreeMap<String, Program>, String> {
        let (loom, tests): (Vec<_>, Vec<_>) =
            targets.partition(|target| target.starts_with("loom/"));
        let mut programs = BTreeMap::new();
        if !tests.is_empty() {
            programs.extend(self.build_in("tests", &["-p", "stop-tests"], &tests)?);
        }
        if !loom.is_empty() {
            let package = ["--release", "-p", "stop-loom"];
            programs.extend(self.build_in("tests/loom", &package, &loom)?);
        }
        Ok(programs)
    }

    fn build_in(
        &self,
        directory: &str,
        package: &[&str],
        targets: &[&str],
    ) -> Result<BTreeMap<String, Program>, String> {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["test", "--no-run", "--color=never"]).args(package);
        for target in targets {
            cargo.args(["--test", target.trim_start_matches("loom/")]);
        }
        let output = cargo
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target)
            // They link faster; lines are for tests of places in the source.
            .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only")
            .output()
            .map_err(|error| format!("cargo: {error}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            let error = said.lines().find(|line| line.starts_with("error"));
            return Err(format!("does not compile: {}", error.unwrap_or(&said)));
        }
        let found = |target: &&str| {
            let file = format!("tests/{}", target.trim_start_matches("loom/"));
            // `Executable tests/strays.rs (/target/debug/deps/strays-0123)`
            let line = said.lines().map(str::trim).find(|line| {
                let source =
                    line.strip_prefix("Executable ").and_then(|rest| rest.strip_prefix(&*file));
                source
                    .is_some_and(|rest| rest.starts_with(".rs (") || rest.starts_with("/main.rs ("))
            })?;
            let path = line.rsplit_once('(')?.1.strip_suffix(')')?;
            let program = Program {
                path: self.root.join(path),
                directory: self.root.join(directory),
                output: self.target.join("output"),
            };
            Some((String::from(*target), program))
        };
        let programs: BTreeMap<_, _> = targets.iter().filter_map(found).collect();
        match targets.iter().find(|target| !programs.contains_key(**target)) {
            Some(target) => Err(format!("cargo does not name the program of {target}:\n{said}")),
            None => Ok(programs),
        }
    }

    /// Makes the changes, all or none.
    pub(crate) fn edited(&self, edits: &[Edit]) -> Result<Edited, String> {
        let mut edited = Edited(Vec::new());
        for (path, [before, after]) in Sources::read(&self.root)?.changes(edits)? {
            edited.0.push((path.clone(), before));
            fs::write(&path, after).map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(edited)
    }
}

impl Drop for Edited {
    fn drop(&mut self) {
        for (path, text) in &self.0 {
            fs::write(path, text).expect("the copy can be written");
        }
    }
}

/// Makes `to` what `from` is, touching only what differs, so that cargo sees
/// only that change. Not what is built or hidden, and not this program, which
/// would be built with every test.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    let wanted = |name: &OsStr| {
        let hidden = name.as_encoded_bytes().starts_with(b".");
        !hidden && name != "target" && name != "bin"
    };
    for entry in fs::read_dir(to)? {
        let entry = entry?;
        let original = from.join(entry.file_name());
        if !wanted(&entry.file_name()) || !original.exists() {
            let remove = if entry.file_type()?.is_dir() { remove_tree } else { remove_file };
            remove(&entry.path())?;
        }
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, copied) = (entry.path(), to.join(entry.file_name()));
        if !wanted(&entry.file_name()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy(&source, &copied)?;
        } else {
            let content = fs::read(&source)?;
            if fs::read(&copied).ok().as_ref() != Some(&content) {
                fs::write(&copied, content)?;
            }
        }
    }
    Ok(())
}

fn remove_tree(path: &Path) -> io::Result<()> {
    fs::remove_dir_all(path)
}

fn remove_file(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}
