//! Statements without a mark, which are passed on unread: to have syn read them would take
//! most of the time of an expansion.
//!
//! ```text
//! Input:  { total += 1; log.push(total); #[blocking] let n = stream.read(&mut buffer)?; }
//! Output: { __stop_unread_0; #[blocking] let n = stream.read(&mut buffer)?; }
//! ```
//!
//! Tokens from the beginning of a statement to a `;` can be passed on if there is nothing
//! in them that a later stage asks about: no mark or other attribute, no `break`, `return`
//! or `?`, no item, and no macro that may bind a name.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use syn::{Expr, Stmt};

use crate::table::hints::STATEMENTS;

/// The name that stands for a run of such statements begins with this.
const STANDS: &str = "__stop_unread_";

/// Words that a stage asks about.
const ASKED: [&str; 5] = ["blocking", "break", "checkpoint", "return", "unstoppable"];

/// Words of code of its own, which no stage visits: nothing could be put back there.
const OWN: [&str; 14] = [
    "async",
    "const",
    "enum",
    "extern",
    "fn",
    "impl",
    "macro_rules",
    "mod",
    "pub",
    "static",
    "struct",
    "trait",
    "type",
    "use",
];

/// The runs of statements taken out of a function.
#[derive(Default)]
pub(super) struct Unread {
    runs: Vec<TokenStream>,
    /// How many have been put back.
    back: usize,
}

/// What the tokens of a group are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Block,
    /// In parentheses or brackets, where there may be blocks.
    Inside,
    /// Of a macro, an attribute or an item.
    Untouched,
}

impl Unread {
    /// Takes the runs out of the body of a function.
    pub(super) fn take(&mut self, item: TokenStream) -> TokenStream {
        let mut trees: Vec<TokenTree> = item.into_iter().collect();
        if let Some(TokenTree::Group(body)) = trees.last_mut()
            && body.delimiter() == Delimiter::Brace
            && let (_, Some(shorter)) = self.walk(body.stream(), Kind::Block)
        {
            *body = regroup(body, shorter);
        }
        trees.into_iter().collect()
    }

    /// Puts a run back, if `statement` stands for one.
    pub(super) fn put_back(&mut self, statement: &mut Stmt) {
        let Stmt::Expr(expr, Some(_)) = statement else { return };
        let Expr::Path(path) = &*expr else { return };
        let Some(name) = path.path.get_ident().map(ToString::to_string) else { return };
        let number = name.strip_prefix(STANDS).and_then(|number| number.parse().ok());
        let Some(run) = number.and_then(|number: usize| self.runs.get(number)) else { return };
        *expr = Expr::Verbatim(run.clone());
        self.back += 1;
    }

    /// The names that the runs bind for what follows them, once all have been put back;
    /// `None` if one has not been met.
    pub(super) fn names(self) -> Option<Vec<String>> {
        let mut names = Vec::new();
        for run in &self.runs {
            bound(run, &mut names);
        }
        (self.back == self.runs.len()).then_some(names)
    }

    /// Whether the tokens can be passed on; and without the runs in them, if there are any.
    fn walk(&mut self, tokens: TokenStream, kind: Kind) -> (bool, Option<TokenStream>) {
        let mut passes = true;
        let mut output = Vec::new();
        let mut run = Vec::new();
        let mut is_shorter = false;
        let mut statement = Statement::new(kind, self.runs.len());
        for tree in tokens {
            let ends = kind == Kind::Block && is_semicolon(&tree);
            self.token(tree, kind, &mut statement);
            if !ends {
                continue;
            }
            let ended = std::mem::replace(&mut statement, Statement::new(kind, 0));
            if ended.passes {
                // The runs in it stay where they are.
                self.runs.truncate(ended.before);
                run.extend(ended.trees);
            } else {
                passes = false;
                is_shorter |= self.close(&mut run, &mut output) || !ended.shorter.is_empty();
                output.extend(ended.without_runs());
            }
            statement.before = self.runs.len();
        }
        passes &= statement.passes;
        is_shorter |= self.close(&mut run, &mut output) || !statement.shorter.is_empty();
        output.extend(statement.without_runs());
        (passes, is_shorter.then(|| output.into_iter().collect()))
    }

    /// Adds a token to a statement.
    fn token(&mut self, tree: TokenTree, kind: Kind, statement: &mut Statement) {
        match &tree {
            TokenTree::Ident(name) => statement.word(name.to_string()),
            TokenTree::Punct(punct) => statement.punct(punct.as_char()),
            TokenTree::Literal(_) => statement.begins = false,
            TokenTree::Group(group) => {
                let inner = statement.group(group.delimiter(), kind);
                let (passes, shorter) = self.walk(group.stream(), inner);
                statement.passes &= passes;
                if let Some(shorter) = shorter {
                    statement.shorter.push((statement.trees.len(), regroup(group, shorter)));
                }
            }
        }
        statement.trees.push(tree);
    }

    /// Ends a run, if there is one, with a statement that stands for it.
    fn close(&mut self, run: &mut Vec<TokenTree>, output: &mut Vec<TokenTree>) -> bool {
        let Some(semicolon) = run.pop() else { return false };
        let name = format!("{STANDS}{}", self.runs.len());
        output.push(Ident::new(&name, Span::call_site()).into());
        output.push(semicolon);
        self.runs.push(run.drain(..).collect());
        true
    }
}

/// A statement that is being read.
struct Statement {
    trees: Vec<TokenTree>,
    /// Groups of it without the runs in them, by their place.
    shorter: Vec<(usize, Group)>,
    /// Nothing in it is asked about.
    passes: bool,
    /// How many runs there were before it.
    before: usize,
    /// A word for code of its own has come.
    own: bool,
    /// What stands here begins a statement, or is the path that does.
    begins: bool,
    last: Last,
}

/// What came last in a statement.
enum Last {
    Word(String),
    /// `#`, `#!`
    Hash,
    /// `println!`
    Macro(String),
    Other,
}

impl Statement {
    fn new(kind: Kind, before: usize) -> Self {
        Self {
            trees: Vec::new(),
            shorter: Vec::new(),
            passes: true,
            before,
            own: false,
            begins: kind == Kind::Block,
            last: Last::Other,
        }
    }

    fn word(&mut self, word: String) {
        self.own |= OWN.contains(&word.as_str());
        self.passes &= !self.own && !ASKED.contains(&word.as_str());
        self.begins &= !matches!(self.last, Last::Word(_));
        self.last = Last::Word(word);
    }

    fn punct(&mut self, punct: char) {
        self.passes &= punct != '#' && punct != '?';
        self.begins &= punct == ':' || punct == '!';
        self.last = match (punct, std::mem::replace(&mut self.last, Last::Other)) {
            ('#', _) | ('!', Last::Hash) => Last::Hash,
            ('!', Last::Word(name)) => Last::Macro(name),
            _ => Last::Other,
        };
    }

    fn group(&mut self, delimiter: Delimiter, kind: Kind) -> Kind {
        let last = std::mem::replace(&mut self.last, Last::Other);
        if let Last::Macro(name) = &last {
            self.passes &= !self.begins || STATEMENTS.contains(&name.as_str());
        }
        self.begins = delimiter == Delimiter::Brace && kind == Kind::Block;
        let is_touched =
            kind != Kind::Untouched && !self.own && !matches!(last, Last::Hash | Last::Macro(_));
        match delimiter {
            Delimiter::Brace if is_touched => Kind::Block,
            Delimiter::Parenthesis | Delimiter::Bracket if is_touched => Kind::Inside,
            _ => Kind::Untouched,
        }
    }

    fn without_runs(self) -> Vec<TokenTree> {
        let mut trees = self.trees;
        for (at, group) in self.shorter {
            trees[at] = TokenTree::Group(group);
        }
        trees
    }
}

fn is_semicolon(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ';')
}

/// The group with other tokens in it.
fn regroup(group: &Group, tokens: TokenStream) -> Group {
    let mut regrouped = Group::new(group.delimiter(), tokens);
    regrouped.set_span(group.span());
    regrouped
}

/// The words between `let` and `=`. What is bound in a block or a closure does not
/// reach beyond it.
fn bound(run: &TokenStream, names: &mut Vec<String>) {
    let mut is_pattern = false;
    for tree in run.clone() {
        match tree {
            TokenTree::Ident(word) if word == "let" => is_pattern = true,
            TokenTree::Punct(punct) if punct.as_char() == '=' => is_pattern = false,
            tree if is_pattern => words(tree, names),
            _ => {}
        }
    }
}

fn words(tree: TokenTree, into: &mut Vec<String>) {
    match tree {
        TokenTree::Ident(word) => into.push(word.to_string()),
        TokenTree::Group(group) => group.stream().into_iter().for_each(|tree| words(tree, into)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::Unread;

    /// `N` stands for run number N.
    #[test]
    fn what_no_stage_asks_about_is_taken_out() {
        for (given, short) in [
            ("let a = b; c(|x| x); #[blocking] d();", "0; #[blocking] d();"),
            (
                "loop { a(); #[blocking] b(); c += 1; } d(); e",
                "loop { 0; #[blocking] b(); 1; } d(); e",
            ),
            ("if a { b(); } c(); #[checkpoint] loop { d(); }", "1; #[checkpoint] loop { 0; }"),
            ("f(|| { a(); blocking!(b()) });", "f(|| { 0; blocking!(b()) });"),
            ("a()?; return b; { break; } 'l: loop { break 'l; }", ""),
            ("println!(\"{}\", a); own!(a); x = own!(a);", "0; own!(a); 1;"),
            ("#[cfg(a)] b(); c();", "#[cfg(a)] b(); 0;"),
            ("fn f() { a(); } use x; async { b(); }; const { c(); };", ""),
            ("select! { a(); b(); } #[blocking(unblock = { c(); d(); })] e();", ""),
            ("blocking!(readable = { a(); b }, c)?;", ""),
        ] {
            let (item, mut unread) = (format!("fn f() {{ {given} }}"), Unread::default());
            let taken =
                unread.take(item.parse().unwrap()).to_string().replace("__stop_unread_", "");
            let short = if short.is_empty() { given } else { short };
            let wanted = format!("fn f() {{ {short} }}").parse::<proc_macro2::TokenStream>();
            let flat = |text: String| text.replace(' ', "");
            assert_eq!(flat(taken), flat(wanted.unwrap().to_string()), "{given}");
        }
    }
}
