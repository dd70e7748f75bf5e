//! The runtime's sources, the markers in them, and what the edits of a row do.
//!
//! A marker is a comment on a line of its own: `// mutant: NAME`. What a row changes
//! is found from there on, so that nothing breaks when a file is moved or a line
//! reflowed; and of what a line says a row quotes only what it changes.

use super::table::{Edit, How};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

const MARKER: &str = "// mutant: ";

pub(crate) struct Sources {
    root: PathBuf,
    files: BTreeMap<PathBuf, String>,
    /// Where each marker stands.
    markers: BTreeMap<String, PathBuf>,
}

impl Sources {
    /// Those of the workspace that is there.
    pub(crate) fn read(workspace: &Path) -> Result<Sources, String> {
        let root = workspace.join("stopruntime/src");
        let mut sources = Sources { root, files: BTreeMap::new(), markers: BTreeMap::new() };
        let mut left = vec![sources.root.clone()];
        while let Some(path) = left.pop() {
            let error = |error| format!("{}: {error}", path.display());
            if path.is_dir() {
                for entry in fs::read_dir(&path).map_err(error)? {
                    left.push(entry.map_err(error)?.path());
                }
                continue;
            }
            let text = fs::read_to_string(&path).map_err(error)?;
            for name in text.lines().filter_map(|line| line.trim_start().strip_prefix(MARKER)) {
                if sources.markers.insert(name.to_owned(), path.clone()).is_some() {
                    return Err(format!("two markers are called {name}"));
                }
            }
            sources.files.insert(path, text);
        }
        Ok(sources)
    }

    /// The markers that none of these edits names.
    pub(crate) fn unused<'a>(&self, edits: impl Iterator<Item = &'a Edit>) -> Vec<&str> {
        let used: BTreeSet<&str> = edits.map(|edit| edit.marker).collect();
        self.markers.keys().map(String::as_str).filter(|name| !used.contains(name)).collect()
    }

    /// The files that the edits change, by their paths in the runtime.
    pub(crate) fn names(&self, edits: &[Edit]) -> String {
        let paths = edits.iter().filter_map(|edit| self.markers.get(edit.marker));
        let names: BTreeSet<_> = paths
            .map(|path| path.strip_prefix(&self.root).unwrap_or(path).display().to_string())
            .collect();
        names.into_iter().collect::<Vec<_>>().join(", ")
    }

    /// What each file is, and what the edits make of it.
    pub(crate) fn changes(&self, edits: &[Edit]) -> Result<BTreeMap<PathBuf, [String; 2]>, String> {
        let mut changes = BTreeMap::new();
        for Edit { marker, how } in edits {
            let path = self.markers.get(*marker).ok_or(format!("there is no marker {marker}"))?;
            let before = &self.files[path];
            let [_, text] =
                changes.entry(path.clone()).or_insert_with(|| [before.clone(), before.clone()]);
            let line = format!("{MARKER}{marker}\n");
            let from = text.find(&line).ok_or(format!("{marker} is gone"))? + line.len();
            let (place, new) = how.at(text, from).ok_or(format!("{marker}: not found: {how:?}"))?;
            if text[place.clone()] == new {
                return Err(format!("{marker}: changes nothing"));
            }
            text.replace_range(place, &new);
        }
        Ok(changes)
    }
}

impl How {
    /// What it replaces behind a marker, and by what.
    fn at(&self, text: &str, from: usize) -> Option<(Range<usize>, String)> {
        let code = Code::new(text, from);
        Some(match self {
            How::Gone => {
                let place = code.statement()?;
                let rest = &text[place.end..];
                let comma = rest.len() - rest.trim_start().strip_prefix(',').unwrap_or(rest).len();
                (place.start..place.end + comma, String::new())
            }
            How::Becomes(new) => (code.statement()?, (*new).to_owned()),
            How::Before(new) => {
                let start = code.statement()?.start;
                (start..start, format!("{new}\n"))
            }
            How::Condition(new) => (code.condition()?, (*new).to_owned()),
            How::Never => Self::extended(text, code.condition()?, "&& false"),
            How::Always => Self::extended(text, code.condition()?, "|| true"),
            How::Change(old, new) => (code.find(old)?, (*new).to_owned()),
        })
    }

    fn extended(text: &str, place: Range<usize>, by: &str) -> (Range<usize>, String) {
        let condition = &text[place.clone()];
        // A pattern stands in no parentheses.
        let has_pattern = condition.split(|c: char| !is_word(c)).any(|word| word == "let");
        let new =
            if has_pattern { format!("{condition} {by}") } else { format!("({condition}) {by}") };
        (place, new)
    }
}

/// A text of Rust without what means nothing: white space, comments, and commas in
/// front of a bracket that closes.
struct Code<'text> {
    text: &'text str,
    /// Each character, where it stands, and whether it is part of a string.
    all: Vec<(usize, char, bool)>,
}

impl<'text> Code<'text> {
    fn new(text: &'text str, from: usize) -> Code<'text> {
        let mut all = Vec::new();
        let mut at = from;
        while let Some(first) = text[at..].chars().next() {
            let length = if first.is_whitespace() {
                at += first.len_utf8();
                continue;
            } else if text[at..].starts_with("//") {
                at = text[at..].find('\n').map_or(text.len(), |end| at + end);
                continue;
            } else {
                literal(&text[at..])
            };
            let end = at + length.unwrap_or(first.len_utf8());
            all.extend(text[at..end].char_indices().map(|(i, c)| (at + i, c, length.is_some())));
            at = end;
        }
        let closes =
            |at: usize| all.get(at).is_some_and(|(_, c, _): &(_, char, _)| ")]}".contains(*c));
        let kept = (0..all.len()).filter(|at| all[*at].1 != ',' || all[*at].2 || !closes(at + 1));
        let all = kept.map(|at| all[at]).collect();
        Code { text, all }
    }

    /// The statement, the arm of a match or the argument that it begins with.
    fn statement(&self) -> Option<Range<usize>> {
        let start = self.all.first()?.0;
        let mut depth = 0;
        let mut end = start;
        for (index, (at, c, in_string)) in self.all.iter().enumerate() {
            match c {
                _ if *in_string => {}
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' if depth == 0 => return Some(start..end),
                ')' | ']' | '}' => {
                    depth -= 1;
                    let next = self.all.get(index + 1).map_or("", |next| &self.text[next.0..]);
                    let goes_on = next.starts_with(|c| ".?;,=!<>+|)]}".contains(c))
                        || next.starts_with("&&")
                        || next.starts_with("else");
                    if *c == '}' && depth == 0 && !goes_on {
                        return Some(start..at + 1);
                    }
                }
                ';' if depth == 0 => return Some(start..at + 1),
                ',' if depth == 0 => return Some(start..*at),
                _ => {}
            }
            end = at + c.len_utf8();
        }
        Some(start..end)
    }

    /// The first condition of an `if`, a `while` or an arm of a match.
    fn condition(&self) -> Option<Range<usize>> {
        let words = ["if", "while"];
        let begins = |at: usize| {
            let found = words.iter().find(|word| self.text[at..].starts_with(**word))?;
            self.is_whole(at..at + found.len()).then_some(found.len())
        };
        let (index, length) =
            self.all.iter().enumerate().find_map(|(index, (at, _, in_string))| {
                Some((index, (!in_string).then(|| begins(*at)).flatten()?))
            })?;
        let rest = &self.all[index + length..];
        let mut depth = 0;
        for (index, (at, c, in_string)) in rest.iter().enumerate() {
            match c {
                _ if *in_string => {}
                '{' if depth == 0 => return Some(rest[0].0..rest[index - 1].0 + 1),
                '=' if depth == 0 && self.text[*at..].starts_with("=>") => {
                    return Some(rest[0].0..rest[index - 1].0 + 1);
                }
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                _ => {}
            }
        }
        None
    }

    /// The first place where this stands, in whatever lines.
    fn find(&self, old: &str) -> Option<Range<usize>> {
        let old: Vec<char> = Code::new(old, 0).all.into_iter().map(|(_, c, _)| c).collect();
        self.all.windows(old.len()).find_map(|window| {
            let same = window.iter().zip(&old).all(|((_, c, _), old)| c == old);
            let (last, c, _) = window.last()?;
            let place = window[0].0..last + c.len_utf8();
            (same && self.is_whole(place.clone())).then_some(place)
        })
    }

    /// Whether no word goes on at either end.
    fn is_whole(&self, place: Range<usize>) -> bool {
        let (before, rest) = self.text.split_at(place.start);
        let (inside, after) = rest.split_at(place.len());
        let joined = |one: Option<char>, other: Option<char>| {
            one.is_some_and(is_word) && other.is_some_and(is_word)
        };
        !joined(before.chars().next_back(), inside.chars().next())
            && !joined(inside.chars().next_back(), after.chars().next())
    }
}

/// The length of the string or character that the text begins with; not of a lifetime.
fn literal(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|c| "\"'".contains(*c))?;
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == quote && !escaped;
        escaped = *c == '\\' && !escaped;
        ends
    })?;
    let length = end.0 + 1;
    let inside = &text[1..end.0];
    (quote == '"' || inside.starts_with('\\') || inside.chars().count() == 1).then_some(length)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
