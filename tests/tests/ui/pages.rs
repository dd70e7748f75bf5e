//! The examples in the documentation and in README, as they are shown: without
//! the lines that rustdoc hides, a user has them by the clipboard.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use stop_tests::compiler::{Compiler, root, text};

/// A block of code, and where it stands.
struct Shown {
    file: PathBuf,
    line: usize,
    code: String,
}

/// The sources below a directory.
pub(crate) fn sources(directory: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push(path);
        }
    }
}

/// The blocks of Rust in a file's documentation, or in a page of Markdown.
fn examples(file: &Path) -> Vec<Shown> {
    let is_source = file.extension().is_some_and(|extension| extension == "rs");
    let content = fs::read_to_string(file).expect("a text");
    let (mut all, mut open) = (Vec::new(), None);
    for (line, text) in (1..).zip(content.lines()) {
        let text = text.trim_start();
        let documentation = text.strip_prefix("///").or_else(|| text.strip_prefix("//!"));
        let Some(text) = documentation.or((!is_source).then_some(text)) else { continue };
        let text = text.strip_prefix(' ').unwrap_or(text);
        match (text.strip_prefix("```"), open.take()) {
            (Some(kind), None) => {
                // Where nothing is said it is Rust in rustdoc, and nothing elsewhere.
                let rust = kind == "rust" || kind == "no_run" || (kind.is_empty() && is_source);
                let shown = Shown { file: file.to_owned(), line, code: String::new() };
                open = Some((rust, shown));
            }
            (Some(_end), Some((rust, shown))) => all.extend(rust.then_some(shown)),
            (None, Some((rust, mut shown))) => {
                let hidden = text == "#" || text.starts_with("# ");
                if !hidden {
                    shown.code += text;
                    shown.code.push('\n');
                }
                open = Some((rust, shown));
            }
            (None, None) => {}
        }
    }
    all
}

/// Its items stay items; statements stand in a function, as rustdoc has them.
fn module(shown: &Shown) -> String {
    let Shown { file, line, code } = shown;
    let place = format!("// {}:{line}", file.display());
    if code.contains("fn main(") {
        format!("{place}\n{code}")
    } else {
        let result = "Result<(), Box<dyn std::error::Error>>";
        format!("{place}\nfn shown() -> {result} {{\n{code}\n;Ok(())\n}}\n")
    }
}

#[test]
fn what_is_shown_compiles_as_it_is_shown() {
    let mut files = vec![root().join("README.md")];
    sources(&root().join("stopruntime/src"), &mut files);
    files.push(root().join("stopmacro/src/lib.rs"));
    files.sort();
    let all: Vec<Shown> = files.iter().flat_map(|file| examples(file)).collect();
    assert!(all.len() > 30, "{} examples", all.len());
    let crates = ["stopruntime", "libc", "crossbeam_channel", "io_uring"];
    let compiler = Compiler::new(&crates, crate::out());
    let directory = crate::out().join("shown");
    fs::create_dir_all(&directory).expect("a directory");
    let mut crate_root = "#![allow(warnings)]\nfn main() {}\n".to_owned();
    for (number, shown) in all.iter().enumerate() {
        fs::write(directory.join(format!("shown_{number}.rs")), module(shown)).expect("a source");
        writeln!(crate_root, "mod shown_{number};").expect("a string");
    }
    let source = directory.join("main.rs");
    fs::write(&source, crate_root).expect("a source");
    let output = compiler.check(&source);
    assert!(output.status.success(), "in {}:\n{}", directory.display(), text(&output.stderr));
    println!("{} examples", all.len());
}
