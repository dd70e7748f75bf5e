//! From a marked statement down to its one blocking call.
//!
//! ```text
//! Input:  let (n, from) = socket.recv_from(&mut buffer).map_err(Failed::Io)?;
//! Output: let (n, from) = ⟦socket.recv_from(&mut buffer)⟧.map_err(Failed::Io)?;
//! ```
//!
//! Every call in the marked expression that is sure to be made there is a
//! candidate (those in closures and blocks are not), except the names below
//! that are known never to wait. Those that the table knows go before others,
//! and those that hardly ever wait (`list.push(…)`, `Frame::new(…)`) come last.
//! If there is exactly one of the first kind found, that is the call.

use proc_macro2::Span;
use syn::{Block, Expr, Ident, Stmt};

use super::in_macro::instead;
use super::rank::{Rank, rank};
use crate::calls;
use crate::diag::{self, Diag};
use crate::marks::Form;
use crate::node;

pub(super) struct Candidate {
    pub(super) name: String,
    span: Span,
    pub(super) rank: Rank,
}

/// Puts the one blocking call of `expr` into node `id`, or reports why not.
pub(crate) fn mark(expr: &mut Expr, id: usize, form: Form, mark: Span, diag: &mut Diag) -> bool {
    let mut found = Search::default();
    found.expr(expr);
    let direct = form == Form::Parentheses && rank(node::bare(expr)).is_some();
    let Some(chosen) = choose(&found, direct, mark, diag) else {
        return false;
    };
    place(expr, chosen, &mut 0, id);
    true
}

fn choose(found: &Search, direct: bool, mark: Span, diag: &mut Diag) -> Option<usize> {
    let all = &found.candidates;
    let best = all.iter().map(|candidate| candidate.rank).min();
    // Beside a call with a mark of its own only a known one is sure to be another.
    if let Some(inner) = found.marked
        && best != Some(Rank::Known)
    {
        diag.error(
            inner,
            "this call is marked twice: keep `blocking!(…)` and take `#[blocking]` away",
        );
        return None;
    }
    let hidden = found.iterator.is_some() && best > Some(Rank::Likely);
    let pool: Vec<usize> =
        (0..all.len()).filter(|&at| Some(all[at].rank) == best && !hidden).collect();
    let chosen = match pool.as_slice() {
        [] => {
            diag.error(mark, no_candidate(found));
            return None;
        }
        [only] => *only,
        // Candidates are listed outermost first, so a direct call is number 0.
        [0, ..] if direct => 0,
        many => {
            let names: Vec<String> = many.iter().map(|&at| all[at].name.clone()).collect();
            diag.error(mark, unclear(&names));
            return None;
        }
    };
    let candidate = &all[chosen];
    if let Some(reason) = calls::never(&candidate.name) {
        diag.error(
            candidate.span,
            format!(
                "`{}` is never stop-checked, because {reason}: take the mark away",
                candidate.name
            ),
        );
        return None;
    }
    Some(chosen)
}

pub(super) fn unclear(names: &[String]) -> String {
    format!(
        "cannot tell which of {} is the blocking call: instead of this mark write `blocking!(…)` \
         around the one that is meant, or bind the other with `let` first",
        diag::list(names)
    )
}

fn no_candidate(found: &Search) -> String {
    if let Some(name) = &found.iterator {
        return format!(
            "`{name}` returns at once and its iterator blocks in `next`: \
             mark the loop over it, `#[blocking] for … in ….{name}(…)`"
        );
    }
    if let Some(name) = &found.in_macro {
        return instead(name);
    }
    if found.in_block {
        return "a block is not a call: put the mark on the statement in it that blocks".to_owned();
    }
    "there is no call here that could block: put the mark on the statement with the blocking call"
        .to_owned()
}

/// What a search found: the candidates outermost first, and what hid others.
#[derive(Default)]
pub(super) struct Search {
    pub(super) candidates: Vec<Candidate>,
    /// A `blocking!` inside.
    marked: Option<Span>,
    /// A call such as `incoming()`, whose iterator is what blocks.
    iterator: Option<String>,
    in_macro: Option<String>,
    in_block: bool,
}

impl Search {
    pub(super) fn expr(&mut self, expr: &mut Expr) {
        if let Some(rank) = rank(expr) {
            self.candidates.push(Candidate {
                name: calls::name(expr),
                span: calls::span(expr),
                rank,
            });
        }
        match expr {
            Expr::MethodCall(call) if calls::iterator(call).is_some() => {
                self.iterator = Some(call.method.to_string());
            }
            Expr::Macro(call) => match call.mac.path.segments.last() {
                Some(last) if last.ident == "blocking" => self.marked = Some(last.ident.span()),
                Some(last) => self.in_macro = Some(last.ident.to_string()),
                None => {}
            },
            Expr::Block(_) | Expr::Unsafe(_) => self.in_block |= parts(expr).is_empty(),
            _ => {}
        }
        for part in parts(expr) {
            self.expr(part);
        }
    }
}

/// Wraps candidate number `chosen`, counting as `Search` lists them.
fn place(expr: &mut Expr, chosen: usize, seen: &mut usize, id: usize) {
    let is_chosen = rank(expr).is_some() && {
        *seen += 1;
        *seen - 1 == chosen
    };
    for part in parts(expr) {
        place(part, chosen, seen, id);
    }
    if is_chosen {
        node::wrap(expr, id);
    }
}

/// The parts of `expr` that are evaluated where it stands, in reading order.
fn parts(expr: &mut Expr) -> Vec<&mut Expr> {
    match expr {
        Expr::Paren(e) => vec![&mut e.expr],
        Expr::Group(e) => vec![&mut e.expr],
        Expr::Try(e) => vec![&mut e.expr],
        Expr::Await(e) => vec![&mut e.base],
        Expr::Field(e) => vec![&mut e.base],
        Expr::Cast(e) => vec![&mut e.expr],
        Expr::Reference(e) => vec![&mut e.expr],
        Expr::RawAddr(e) => vec![&mut e.expr],
        Expr::Unary(e) => vec![&mut e.expr],
        Expr::Let(e) => vec![&mut e.expr],
        Expr::Match(e) => vec![&mut e.expr],
        Expr::If(e) => vec![&mut e.cond],
        Expr::Repeat(e) => vec![&mut e.expr],
        Expr::Index(e) => vec![&mut e.expr, &mut e.index],
        Expr::Binary(e) => vec![&mut e.left, &mut e.right],
        Expr::Assign(e) => vec![&mut e.left, &mut e.right],
        Expr::Range(e) => {
            [e.start.as_deref_mut(), e.end.as_deref_mut()].into_iter().flatten().collect()
        }
        Expr::Return(e) => e.expr.as_deref_mut().into_iter().collect(),
        Expr::Break(e) => e.expr.as_deref_mut().into_iter().collect(),
        Expr::Tuple(e) => e.elems.iter_mut().collect(),
        Expr::Array(e) => e.elems.iter_mut().collect(),
        Expr::Struct(e) => e.fields.iter_mut().map(|field| &mut field.expr).collect(),
        Expr::Call(e) => std::iter::once(&mut *e.func).chain(&mut e.args).collect(),
        Expr::MethodCall(e) => std::iter::once(&mut *e.receiver).chain(&mut e.args).collect(),
        Expr::Unsafe(e) => single(&mut e.block),
        Expr::Block(e) => single(&mut e.block),
        _ => Vec::new(),
    }
}

/// The expression of a block that holds nothing else.
fn single(block: &mut Block) -> Vec<&mut Expr> {
    match block.stmts.as_mut_slice() {
        [Stmt::Expr(expr, None)] => vec![expr],
        _ => Vec::new(),
    }
}

/// The outermost method in the head of a `#[blocking] for` that stands on top of
/// an iterator of the table, and that iterator's name.
///
/// `listener.incoming().flatten()`: the variant of `incoming` gives an iterator
/// of a kind of its own, which `flatten` does not know.
pub(crate) fn adapter(head: &Expr) -> Option<(Ident, String)> {
    let Expr::MethodCall(outer) = node::bare(head) else {
        return None;
    };
    let mut below = node::bare(&outer.receiver);
    while let Expr::MethodCall(call) = below {
        if calls::iterator(call).is_some() {
            return Some((outer.method.clone(), call.method.to_string()));
        }
        below = node::bare(&call.receiver);
    }
    None
}
