//! Copies the sources of `stopruntime::sync`, and [`ALONE`] of the stop protocol, with the
//! words in [`WORDS`] changed, so that they stand on this crate's atomics, clock and futex.
//!
//! A copy, and not a `cfg(loom)` in the sources: loom's atomics cannot be made
//! in a `const fn`, and to say that in the product would put a macro around
//! each `new` of it. So the product has no trace of loom, and its machine code
//! cannot depend on it.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

const SOURCES: &str = "../../stopruntime/src/sync";
const PRODUCT: &str = "../../stopruntime/src";
/// The files of the stop protocol that are copied.
const ALONE: [(&str, &str); 3] = [
    ("claim", "runtime/claim.rs"),
    ("on_flag", "runtime/on_flag.rs"),
    ("inside", "ppoll/inside.rs"),
];

/// What the sources say, and what the copies say.
const WORDS: [(&str, &str); 5] = [
    (" const fn ", " fn "),
    ("core::sync::atomic", "crate::atomic"),
    ("std::sync::atomic", "crate::atomic"),
    ("std::time", "crate::time"),
    ("core::cell::UnsafeCell", "crate::cell::UnsafeCell"),
];

/// Where threads share what is in a cell, so that their accesses need no order:
/// the cell stays core's.
const SHARES: [&str; 2] = ["rwlock/mod.rs", "once_lock.rs"];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={SOURCES}");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let copies = out.join("sync");
    match fs::remove_dir_all(&copies) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => copy(SOURCES.as_ref(), &copies)?,
    }
    let mut modules = vec![("sync", copies.join("mod.rs"))];
    for (name, file) in ALONE {
        let from = format!("{PRODUCT}/{file}");
        println!("cargo::rerun-if-changed={from}");
        // What the tests call is the crate's own there.
        let text = changed(&fs::read_to_string(from)?, false).replace("pub(crate)", "pub");
        let mut put = |name, text: &str| {
            let path = out.join(name).with_extension("rs");
            modules.push((name, path.clone()));
            fs::write(path, text)
        };
        put(name, &text)?;
        if name == "inside" {
            put("inside_unordered", &text.replace("fence(Ordering::SeqCst);", ""))?;
        }
    }
    let modules = modules.into_iter().map(|(name, path)| {
        // Linted where they come from; and here some items are not used.
        let allow = "#[allow(warnings, missing_docs, clippy::all, clippy::pedantic)]";
        format!("{allow}\n#[path = \"{}\"]\npub mod {name};\n", path.display())
    });
    fs::write(out.join("modules.rs"), modules.collect::<String>())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
            continue;
        }
        let shares = SHARES.iter().any(|name| entry.path().ends_with(name));
        fs::write(to, changed(&fs::read_to_string(entry.path())?, shares))?;
    }
    Ok(())
}

fn changed(text: &str, shares: bool) -> String {
    let mut text = text.to_owned();
    for (word, other) in WORDS {
        if !(shares && word.contains("UnsafeCell")) {
            text = text.replace(word, other);
        }
    }
    text
}
