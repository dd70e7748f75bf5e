//! No file of a crate uses, by way of others, a file that uses it: each stands on
//! what is below it, and can be read without what is above.
//!
//! An edge leads from a file to the one in which what it names is defined. A path
//! through a `use` is followed; a `pub use` alone uses nothing, and a module does not
//! use those that it declares.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};

/// From the root of the crate, which is empty.
type Module = Vec<String>;

#[derive(Default)]
struct Crate {
    /// Modules with the files that they stand in.
    files: BTreeMap<Module, PathBuf>,
    /// What a `use` makes of a name in a module.
    names: BTreeMap<(Module, String), Module>,
    /// What is named, in which module.
    paths: Vec<(Module, Module)>,
}

impl Crate {
    fn read(source: &Path) -> Crate {
        let mut read = Crate::default();
        read.file(source, &source.join("lib.rs"), &vec![]);
        read
    }

    fn file(&mut self, directory: &Path, file: &Path, module: &Module) {
        let text =
            fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let tokens: TokenStream = text.parse().unwrap();
        self.files.insert(module.clone(), file.to_owned());
        self.tokens(directory, file, module, tokens);
    }

    fn tokens(&mut self, directory: &Path, file: &Path, module: &Module, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut at = 0;
        let mut is_test = false;
        let mut is_public = false;
        while at < tokens.len() {
            let word = tokens[at].to_string();
            match (&tokens[at], tokens.get(at + 1), tokens.get(at + 2)) {
                (_, Some(TokenTree::Ident(name)), Some(after)) if word == "mod" => {
                    let module = [module.as_slice(), &[name.to_string()]].concat();
                    let directory = directory.join(name.to_string());
                    match after {
                        _ if is_test => {}
                        TokenTree::Group(inner) => {
                            self.files.insert(module.clone(), file.to_owned());
                            self.tokens(&directory, file, &module, inner.stream());
                        }
                        _ => {
                            let alone = directory.with_extension("rs");
                            let file =
                                if alone.exists() { alone } else { directory.join("mod.rs") };
                            self.file(&directory, &file, &module);
                        }
                    }
                    at += 3;
                    continue;
                }
                _ if word == "use" => {
                    let length = tokens[at..].iter().take_while(|token| token.to_string() != ";");
                    let end = at + length.count();
                    self.import(module, &[], &tokens[at + 1..end], is_public);
                    at = end;
                }
                // `pub(super)` names no more than where it can be seen.
                (_, Some(TokenTree::Group(_)), _) if word == "pub" => {
                    (at, is_public) = (at + 2, true);
                    continue;
                }
                (TokenTree::Group(inner), ..) => {
                    let attribute = inner.delimiter() == Delimiter::Bracket;
                    is_test |=
                        attribute && inner.stream().to_string().replace(' ', "") == "cfg(test)";
                    self.tokens(directory, file, module, inner.stream());
                }
                (TokenTree::Ident(_), ..) if !follows_colon(&tokens, at) => {
                    let (path, end) = path(&tokens, at);
                    self.paths.push((module.clone(), path));
                    at = end - 1;
                }
                _ => {}
            }
            if word == "pub" {
                is_public = true;
            } else if [";", "fn", "struct", "enum", "trait", "impl", "const"].contains(&&*word) {
                (is_public, is_test) = (false, false);
            }
            at += 1;
        }
    }

    /// The tree of a `use`, behind a prefix.
    fn import(&mut self, module: &Module, prefix: &[String], tree: &[TokenTree], is_public: bool) {
        for tree in tree.split(|token| token.to_string() == ",").filter(|tree| !tree.is_empty()) {
            let (words, end) = path(tree, 0);
            let mut whole = [prefix, &words].concat();
            if whole.len() > 1 && whole.last().is_some_and(|last| last == "self") {
                whole.pop();
            }
            match tree.last().unwrap() {
                TokenTree::Group(inner) => {
                    let inner: Vec<_> = inner.stream().into_iter().collect();
                    self.import(module, &whole, &inner, is_public);
                    continue;
                }
                TokenTree::Ident(name) => {
                    let renamed = end < tree.len();
                    let name =
                        if renamed { name.to_string() } else { whole.last().unwrap().clone() };
                    self.names.insert((module.clone(), name), whole.clone());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            if !is_public {
                self.paths.push((module.clone(), whole));
            }
        }
    }

    /// The file in which this path of a module ends, if it is one of this crate's.
    fn defined(&self, module: &Module, path: &[String], depth: usize) -> Option<&PathBuf> {
        let mut whole = match path.first().map(String::as_str)? {
            "crate" => vec![],
            "self" => module.clone(),
            "super" => module[..module.len() - 1].to_vec(),
            first => {
                let child = [module.as_slice(), &[first.to_owned()]].concat();
                if self.files.contains_key(&child) {
                    child
                } else {
                    let name = self.names.get(&(module.clone(), first.to_owned()))?;
                    let renamed = name.first().is_some_and(|name| name == first) || depth > 9;
                    let path = [name.as_slice(), &path[1..]].concat();
                    return if renamed { None } else { self.defined(module, &path, depth + 1) };
                }
            }
        };
        for (at, word) in path.iter().enumerate().skip(1) {
            if word == "super" {
                whole.pop();
                continue;
            }
            whole.push(word.clone());
            if !self.files.contains_key(&whole) {
                whole.pop();
                let further = self.defined(&whole, &path[at..], depth + 1);
                return further.or(self.files.get(&whole));
            }
        }
        // A module alone: what is used of it is named elsewhere.
        None
    }

    /// What each file uses, in the crate.
    fn edges(&self) -> BTreeMap<&PathBuf, BTreeSet<&PathBuf>> {
        let mut edges: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for (module, path) in &self.paths {
            let from = &self.files[module];
            let used = self.defined(module, path, 0).filter(|used| *used != from);
            edges.entry(from).or_default().extend(used);
        }
        edges
    }
}

/// Whether this continues a path, or begins one of another crate.
fn follows_colon(tokens: &[TokenTree], at: usize) -> bool {
    at > 1 && tokens[at - 1].to_string() == ":" && tokens[at - 2].to_string() == ":"
}

/// The words of a path that begins here, and where it ends.
fn path(tokens: &[TokenTree], mut at: usize) -> (Module, usize) {
    let mut words = vec![];
    while let Some(TokenTree::Ident(word)) = tokens.get(at) {
        words.push(word.to_string());
        at += 1;
        let colons = tokens[at..].iter().take(2).map(ToString::to_string);
        if !colons.eq([":", ":"]) {
            break;
        }
        at += 2;
    }
    (words, at)
}

/// The shortest way from a file back to itself.
fn circle<'a>(
    edges: &BTreeMap<&'a PathBuf, BTreeSet<&'a PathBuf>>,
    start: &'a PathBuf,
) -> Option<Vec<&'a PathBuf>> {
    let mut ways = VecDeque::from([vec![start]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in edges.get(way[way.len() - 1]).into_iter().flatten() {
            let further = [&*way, &[*next]].concat();
            if *next == start {
                return Some(further);
            }
            if seen.insert(*next) {
                ways.push_back(further);
            }
        }
    }
    None
}

fn has_no_circle(name: &str) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(name).join("src");
    let read = Crate::read(&source);
    let edges = read.edges();
    assert!(edges.values().map(BTreeSet::len).sum::<usize>() > edges.len(), "hardly any is found");
    let mut circles = BTreeSet::new();
    for file in edges.keys() {
        let Some(files) = circle(&edges, file) else { continue };
        let files = files.iter().map(|file| file.strip_prefix(&source).unwrap().to_str().unwrap());
        circles.insert(files.collect::<Vec<_>>().join(" uses "));
    }
    let found = circles.len();
    let text = Vec::from_iter(circles).join("\n");
    assert_eq!(found, 0, "files of {name} that use each other:\n{text}");
}

#[test]
fn of_the_runtime() {
    has_no_circle("stopruntime");
}

#[test]
fn of_the_macro() {
    has_no_circle("stopmacro");
}
