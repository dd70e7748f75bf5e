//! What follows from the rows of `stopruntime::sys`, one of which says all of a call:
//!
//! - `ppoll/numbers.rs`, which number is made how without a window;
//! - `report/names.rs`, how the call of a number is called;
//! - the table in the documentation of `sys`;
//! - `table/libc.rs` of the macro, which functions libc has, with how many arguments.
//!
//! They are generated: `STOP_TESTS_UPDATE=1 cargo test -p stop-tests --test built rows`
//! writes them.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// A function of libc, or a number alone, which has no name.
struct Row {
    name: Option<String>,
    arguments: usize,
    number: Option<String>,
    how: String,
    /// The attribute under which it is there.
    cfg: Option<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn tokens(path: &Path) -> Vec<TokenTree> {
    fs::read_to_string(path).unwrap().parse::<TokenStream>().unwrap().into_iter().collect()
}

fn inner(token: &TokenTree) -> Option<Vec<TokenTree>> {
    let TokenTree::Group(group) = token else { return None };
    Some(group.stream().into_iter().collect())
}

fn is(token: &TokenTree, word: &str) -> bool {
    token.to_string() == word
}

/// The parts between these marks; none of them is empty.
fn parts<'a>(tokens: &'a [TokenTree], mark: &str) -> Vec<&'a [TokenTree]> {
    tokens.split(|token| is(token, mark)).filter(|part| !part.is_empty()).collect()
}

/// The text of a literal.
fn text(literal: &TokenTree) -> String {
    let quoted = literal.to_string();
    quoted.trim_matches('"').trim().replace("\\'", "'").replace("\\\"", "\"")
}

/// Splits off attributes: those that are a `cfg`, the texts of a comment, the rest.
fn attributes(mut tokens: &[TokenTree]) -> (Option<String>, Vec<String>, &[TokenTree]) {
    let (mut cfg, mut comments) = (None, vec![]);
    while let [mark, attribute, rest @ ..] = tokens
        && is(mark, "#")
    {
        let inside = inner(attribute).unwrap();
        if is(&inside[0], "cfg") {
            let condition = attribute.to_string().replace(" (", "(").replace(" ,", ",");
            cfg = Some(format!("#{condition}"));
        } else if is(&inside[0], "doc") {
            comments.push(text(&inside[2]));
        }
        tokens = rest;
    }
    (cfg, comments, tokens)
}

/// How many arguments the function of this name takes that is written out.
fn arguments_of(file: &[TokenTree], name: &str) -> usize {
    let name = format!("{name}_or_stop");
    let at = file.windows(2).position(|pair| is(&pair[0], "fn") && is(&pair[1], &name));
    let after = &file[at.unwrap_or_else(|| panic!("no function {name}")) + 2..];
    parts(&inner(&after[0]).unwrap(), ",").len()
}

fn row(file: &[TokenTree], under: Option<&String>, tokens: &[TokenTree]) -> Row {
    let (cfg, _, row) = attributes(tokens);
    let how = row.last().unwrap().to_string();
    assert!(is(&row[row.len() - 3], "ppoll"), "a row ends with `ppoll: How`");
    let number = |at: usize| Some(row[at + 1].to_string());
    let equals = row.iter().position(|token| is(token, "="));
    let named = matches!(row[0], TokenTree::Literal(_));
    let name = named.then(|| text(&row[0]));
    let (arguments, number) = match (&name, equals) {
        (None, _) => (0, Some(row[0].to_string())),
        (Some(name), None) => (arguments_of(file, name), None),
        (Some(name), Some(1)) => (arguments_of(file, name), number(1)),
        (Some(_), Some(at)) => (parts(&inner(&row[2]).unwrap(), ",").len(), number(at)),
    };
    Row { name, arguments, number, how, cfg: cfg.or(under.cloned()) }
}

fn rows() -> Vec<Row> {
    let mut rows = vec![];
    let mut files: Vec<PathBuf> = fs::read_dir(root().join("stopruntime/src/sys"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    for file in files {
        let file = tokens(&file);
        for at in 0..file.len().saturating_sub(2) {
            let known = ["calls", "by_hand", "by_number"].iter().any(|name| is(&file[at], name));
            let TokenTree::Group(group) = &file[at + 2] else { continue };
            if !known || !is(&file[at + 1], "!") || group.delimiter() != Delimiter::Brace {
                continue;
            }
            let is_under = at > 1 && is(&file[at - 2], "#");
            let under = is_under.then(|| attributes(&file[at - 2..at]).0).flatten();
            let inside = inner(&file[at + 2]).unwrap();
            rows.extend(parts(&inside, ";").into_iter().map(|one| row(&file, under.as_ref(), one)));
        }
    }
    assert!(rows.len() > 80, "hardly any row is found");
    rows
}

/// The ways, in their order, with their texts.
fn ways() -> Vec<(String, Vec<String>)> {
    let file = tokens(&root().join("stopruntime/src/ppoll/how.rs"));
    let at = file.iter().position(|token| is(token, "How")).unwrap();
    let inside = inner(&file[at + 1]).unwrap();
    parts(&inside, ",")
        .into_iter()
        .map(|variant| {
            let (_, comments, rest) = attributes(variant);
            (rest[0].to_string(), comments)
        })
        .collect()
}

/// What stands between backquotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn numbers(rows: &[Row]) -> String {
    let mut arms: BTreeMap<&str, BTreeMap<Option<&String>, &str>> = BTreeMap::new();
    for row in rows {
        let Some(number) = &row.number else { continue };
        let before = arms.entry(number).or_default().insert(row.cfg.as_ref(), &row.how);
        assert!(before.is_none_or(|before| before == row.how), "{number} is made in two ways");
    }
    let mut text = String::from(
        "//! Which number is made how: generated from the rows of `sys`\n\
         //! (`tests/tests/built/rows.rs`).\n\n\
         use super::how::How;\nuse crate::kernel::abi;\nuse core::ffi::c_long;\n\n\
         /// How the call of this number is made stoppable without a window.\n\
         #[allow(clippy::match_same_arms, reason = \"one line a number\")]\n\
         pub(super) const fn how(number: c_long) -> How {\n    match number {\n",
    );
    for (number, ways) in arms {
        let always = ways.get(&None);
        for (cfg, how) in &ways {
            assert!(always.is_none_or(|always| always == how), "{number} is made in two ways");
            if *how == "Refused" || cfg.is_some() && always.is_some() {
                continue;
            }
            if let Some(cfg) = cfg {
                writeln!(text, "        {cfg}").unwrap();
            }
            writeln!(text, "        abi::{number} => How::{how},").unwrap();
        }
    }
    text + "        _ => How::Refused,\n    }\n}\n"
}

/// A name for each number, under the same attributes.
fn names(rows: &[Row]) -> String {
    let mut arms: BTreeMap<&str, BTreeSet<Option<&String>>> = BTreeMap::new();
    for row in rows {
        if let Some(number) = &row.number {
            arms.entry(number).or_default().insert(row.cfg.as_ref());
        }
    }
    let mut text = String::from(
        "//! What the kernel calls a system call: generated from the rows of `sys`\n\
         //! (`tests/tests/built/rows.rs`).\n\n\
         use crate::kernel::abi;\nuse core::ffi::c_long;\n\n\
         /// The name of the call of this number, if it is one that can be marked.\n\
         pub(super) const fn marked(number: c_long) -> Option<&'static str> {\n    \
         Some(match number {\n",
    );
    for (number, cfgs) in arms {
        let cfgs = if cfgs.contains(&None) { BTreeSet::from([None]) } else { cfgs };
        for cfg in cfgs {
            if let Some(cfg) = cfg {
                writeln!(text, "        {cfg}").unwrap();
            }
            let name = number.trim_start_matches("SYS_");
            writeln!(text, "        abi::{number} => \"{name}\",").unwrap();
        }
    }
    text + "        _ => return None,\n    })\n}\n"
}

fn documentation(rows: &[Row]) -> String {
    // Of each text the calls, as they stand between backquotes, and what follows.
    let mut lines: Vec<(String, BTreeSet<String>, String)> = vec![];
    for (how, comments) in ways() {
        let named = rows.iter().filter(|row| row.how == how).filter_map(|row| row.name.clone());
        let named: BTreeSet<String> = named.collect();
        if comments.iter().any(|comment| comment.contains(" | ")) {
            let calls = comments.iter().flat_map(|line| quoted(line.split_once(" | ").unwrap().0));
            let bases = calls.map(|call| call.split('(').next().unwrap().to_owned());
            let bases: BTreeSet<String> = bases.filter(|name| name != "syscall").collect();
            assert_eq!(bases, named, "the calls of `How::{how}`");
            for comment in comments {
                let (calls, text) = comment.split_once(" | ").unwrap();
                let (calls, rest) = calls.split_once(", ").unwrap_or((calls, ""));
                let calls = quoted(calls).into_iter().map(str::to_owned).collect();
                add(&mut lines, text, calls, rest);
            }
        } else if !named.is_empty() {
            add(&mut lines, &comments.join(" "), named, "");
        }
    }
    let mut table = String::new();
    for (text, calls, rest) in lines {
        let calls: Vec<String> = calls.iter().map(|call| format!("`{call}`")).collect();
        let rest = if rest.is_empty() { rest } else { format!(", {rest}") };
        writeln!(table, "//! | {}{rest} | {text} |", calls.join(" ")).unwrap();
    }
    let file = fs::read_to_string(root().join("stopruntime/src/sys/mod.rs")).unwrap();
    let head = "//! | calls | how |\n//! |---|---|\n";
    let (before, rows) = file.split_once(head).expect("the table");
    let (_, after) = rows.split_once("//!\n").expect("the end of the table");
    format!("{before}{head}{table}//!\n{after}")
}

fn add(
    lines: &mut Vec<(String, BTreeSet<String>, String)>,
    text: &str,
    calls: BTreeSet<String>,
    rest: &str,
) {
    if let Some(line) = lines.iter_mut().find(|line| line.0 == text) {
        line.1.extend(calls);
        line.2.push_str(rest);
    } else {
        lines.push((text.to_owned(), calls, rest.to_owned()));
    }
}

fn of_libc(rows: &[Row]) -> String {
    let named = rows.iter().filter_map(|row| Some((row.name.as_ref()?, row.arguments)));
    let mut functions: BTreeMap<&String, usize> = BTreeMap::new();
    for (name, arguments) in named {
        let before = functions.insert(name, arguments);
        assert!(before.is_none_or(|before| before == arguments), "{name} is there twice");
    }
    let mut text = String::from(
        "//! libc's functions, by name and number of arguments: each has its variant in\n\
         //! `stopruntime::sys`, from whose rows this is generated\n\
         //! (`tests/tests/built/rows.rs`).\n\n\
         pub(crate) const LIBC: &[(&str, usize)] = &[\n",
    );
    for (name, arguments) in functions {
        writeln!(text, "    (\"{name}\", {arguments}),").unwrap();
    }
    text + "];\n"
}

/// The file is what it would be if it was generated now.
fn follows(path: &str, generated: &str) {
    let path = root().join(path);
    if std::env::var_os("STOP_TESTS_UPDATE").is_some() {
        fs::write(&path, generated).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    let differs = committed.lines().zip(generated.lines()).find(|(old, new)| old != new);
    assert!(
        committed == generated,
        "{} does not follow from the rows of `sys`: {differs:?}. STOP_TESTS_UPDATE=1 writes it",
        path.display()
    );
}

#[test]
fn the_numbers_follow() {
    follows("stopruntime/src/ppoll/numbers.rs", &numbers(&rows()));
}

#[test]
fn the_names_follow() {
    follows("stopruntime/src/report/names.rs", &names(&rows()));
}

#[test]
fn the_documentation_follows() {
    follows("stopruntime/src/sys/mod.rs", &documentation(&rows()));
}

#[test]
fn the_macro_follows() {
    follows("stopmacro/src/table/libc.rs", &of_libc(&rows()));
}

/// A way that no call goes is left over.
#[test]
fn every_way_is_gone() {
    let used: BTreeSet<String> = rows().into_iter().map(|row| row.how).collect();
    let known: BTreeSet<String> = ways().into_iter().map(|(how, _)| how).collect();
    assert_eq!(used, known);
}
