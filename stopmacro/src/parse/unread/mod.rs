//! Statements without a mark, which are passed on unread: to have syn read them would take
//! most of the time of an expansion.
//!
//! ```text
//! Input:  { total += 1; log.push(total); #[blocking] let n = stream.read(&mut buffer)?; }
//! Output: { __stop_unread_0; #[blocking] let n = stream.read(&mut buffer)?; }
//! ```
//!
//! Statements can be passed on if there is nothing in them that a later stage asks about: no
//! mark or other attribute, no `break`, `return` or `?`, no item, and no macro that may bind
//! a name. They are those that end in a `;`, and an `if`, a `match` or a loop before another
//! statement.

mod statement;
mod text;

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use syn::{Expr, Stmt};

use statement::{Kind, Statement};

/// The name that stands for a run of such statements begins with this.
const STANDS: &str = "__stop_unread_";

/// The runs of statements taken out of a function.
#[derive(Default)]
pub(super) struct Unread {
    runs: Vec<Run>,
    /// How many have been put back.
    back: usize,
}

/// Statements one after the other.
struct Run {
    tokens: TokenStream,
    /// The last one ends in a block and not in a `;`.
    ends_in_block: bool,
}

impl Unread {
    /// Takes the runs out of the body of a function.
    pub(super) fn take(&mut self, item: TokenStream) -> TokenStream {
        let mut trees: Vec<TokenTree> = item.into_iter().collect();
        if let Some(TokenTree::Group(body)) = trees.last_mut()
            && body.delimiter() == Delimiter::Brace
            && let Some(shorter) = self.walk(body.stream(), Kind::Block)
        {
            *body = regroup(body, shorter);
        }
        trees.into_iter().collect()
    }

    /// Puts a run back, if `statement` stands for one.
    pub(super) fn put_back(&mut self, statement: &mut Stmt) {
        let Stmt::Expr(expr, semicolon @ Some(_)) = statement else { return };
        let Expr::Path(path) = &*expr else { return };
        let Some(name) = path.path.get_ident().map(ToString::to_string) else { return };
        let number = name.strip_prefix(STANDS).and_then(|number| number.parse().ok());
        let Some(run) = number.and_then(|number: usize| self.runs.get(number)) else { return };
        *expr = Expr::Verbatim(run.tokens.clone());
        *semicolon = semicolon.filter(|_| !run.ends_in_block);
        self.back += 1;
    }

    /// The names that the runs bind for what follows them, once all have been put back;
    /// `None` if one has not been met.
    pub(super) fn names(self) -> Option<Vec<String>> {
        let mut names = Vec::new();
        for run in &self.runs {
            bound(&run.tokens, &mut names);
        }
        (self.back == self.runs.len()).then_some(names)
    }

    /// The tokens without the runs in them, if there are any.
    fn walk(&mut self, tokens: TokenStream, kind: Kind) -> Option<TokenStream> {
        let mut taken = Taken::default();
        let mut statement = Statement::new(kind);
        for tree in tokens {
            if kind == Kind::Block && statement.ended_before(&tree) {
                let ended = std::mem::replace(&mut statement, Statement::new(kind));
                self.end(ended, true, &mut taken);
            }
            let ends = kind == Kind::Block && is_semicolon(&tree);
            statement.token(tree, kind);
            if ends {
                let ended = std::mem::replace(&mut statement, Statement::new(kind));
                self.end(ended, false, &mut taken);
            }
        }
        self.close(&mut taken);
        self.output(statement, &mut taken);
        taken.is_shorter.then(|| taken.output.into_iter().collect())
    }

    /// Ends a statement, which becomes part of a run or ends one.
    fn end(&mut self, statement: Statement, ends_in_block: bool, taken: &mut Taken) {
        if statement.passes() {
            taken.run.extend(statement.trees);
            taken.ends_in_block = ends_in_block;
        } else {
            self.close(taken);
            self.output(statement, taken);
        }
    }

    /// Writes a statement without the runs in it.
    fn output(&mut self, statement: Statement, taken: &mut Taken) {
        let mut trees = statement.trees;
        for (at, inner) in statement.groups {
            let TokenTree::Group(group) = &trees[at] else { continue };
            if let Some(shorter) = self.walk(group.stream(), inner) {
                taken.is_shorter = true;
                trees[at] = TokenTree::Group(regroup(group, shorter));
            }
        }
        taken.output.extend(trees);
    }

    /// Ends a run, if there is one, with a statement that stands for it.
    fn close(&mut self, taken: &mut Taken) {
        if taken.run.is_empty() {
            return;
        }
        let ends_in_block = std::mem::take(&mut taken.ends_in_block);
        let semicolon = if ends_in_block { None } else { taken.run.pop() };
        let name = format!("{STANDS}{}", self.runs.len());
        taken.output.push(Ident::new(&name, Span::call_site()).into());
        taken.output.push(semicolon.unwrap_or_else(|| Punct::new(';', Spacing::Alone).into()));
        taken.is_shorter = true;
        self.runs.push(Run { tokens: taken.run.drain(..).collect(), ends_in_block });
    }
}

/// What a walk through a group has come to.
#[derive(Default)]
struct Taken {
    is_shorter: bool,
    output: Vec<TokenTree>,
    run: Vec<TokenTree>,
    ends_in_block: bool,
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
                "loop { 0; #[blocking] b(); 1; } 2; e",
            ),
            ("if a { b(); } c(); #[checkpoint] loop { d(); }", "0; #[checkpoint] loop { 1; }"),
            ("f(|| { a(); blocking!(b()) });", "f(|| { 0; blocking!(b()) });"),
            ("a()?; return b; { break; } 'l: loop { break 'l; }", ""),
            ("println!(\"{}\", a); own!(a); x = own!(a);", "0; own!(a); 1;"),
            ("#[cfg(a)] b(); c();", "#[cfg(a)] b(); 0;"),
            ("fn f() { a(); } use x; async { b(); }; const { c(); };", ""),
            ("select! { a(); b(); } #[blocking(unblock = { c(); d(); })] e();", ""),
            ("blocking!(readable = { a(); b }, c)?;", ""),
            // A block ends a statement, where it is one.
            ("if a { b } else if c { d } else { e } #[blocking] f();", "0; #[blocking] f();"),
            (
                "if a { b()? } else { c(); } match d { e => f } g(a)?",
                "if a { b()? } else { 0; } 1; g(a)?",
            ),
            ("match a { b => c }.d(); e()?;", "0; e()?;"),
            ("if let A { b } = c { d } while e { f } g()?", "0; g()?"),
            ("for A { b } in c { d } loop { e } unsafe { f } { g } h()?", "0; h()?"),
            ("if unsafe { a } { b } c()?", ""),
            ("if a == { b } { c } d()?", ""),
            ("if a { b } else { c }", ""),
            ("while a { b() ; } - c", "0; - c"),
            ("if a { b } ; c()?", "0; c()?"),
            ("; a()?", "0; a()?"),
            // What is asked about may stand deep.
            ("if a { b(c[{ d()? }]); } e()?", ""),
            ("if a { own!(b); } if !c { d } e()?", "if a { own!(b); } 0; e()?"),
            ("if a { own !(b); } c.d(r#f); e()?", ""),
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
