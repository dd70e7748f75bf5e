//! The examples in the documentation and on the pages of Markdown, as they are shown:
//! without the lines that rustdoc hides, a user has them by the clipboard. And the
//! links of those pages.

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

/// The pages of Markdown.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = ["", "docs", "stopruntime", "stopmacro"]
        .iter()
        .flat_map(|directory| fs::read_dir(root().join(directory)).expect("a directory"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.sort();
    pages
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
    let mut files = pages();
    sources(&root().join("stopruntime/src"), &mut files);
    files.push(root().join("stopmacro/src/lib.rs"));
    files.sort();
    let all: Vec<Shown> = files.iter().flat_map(|file| examples(file)).collect();
    assert!(all.len() > 30, "{} examples", all.len());
    let crates = ["stopruntime", "libc", "crossbeam_channel", "enough", "io_uring"];
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

/// The name by which a link finds a heading: small letters, and hyphens for spaces.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|&one| one.is_alphanumeric() || " -_".contains(one));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// Of a page: the targets of its links, and the anchors of its headings.
fn links(page: &Path) -> (Vec<String>, Vec<String>) {
    let content = fs::read_to_string(page).expect("a text");
    let (mut targets, mut anchors, mut is_code) = (Vec::new(), Vec::new(), false);
    for line in content.lines() {
        if line.starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        if let Some(heading) = line.strip_prefix('#') {
            anchors.push(anchor(heading.trim_start_matches('#').trim()));
        }
        let ends = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        targets.extend(ends.map(|(target, _)| target.to_owned()));
    }
    (targets, anchors)
}

#[test]
fn every_link_of_a_page_leads_somewhere() {
    let mut count = 0;
    for page in pages() {
        for target in links(&page).0 {
            if target.starts_with("https://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let directory = page.parent().expect("a directory");
            let file = if file.is_empty() { page.clone() } else { directory.join(file) };
            assert!(file.exists(), "{}: {target}", page.display());
            let found = anchor.is_empty() || links(&file).1.iter().any(|one| one == anchor);
            assert!(found, "{}: no heading {target}", page.display());
            count += 1;
        }
    }
    assert!(count > 30, "{count} links");
}
