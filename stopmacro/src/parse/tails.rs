//! A mark above an `if` or a `match`: whether it speaks of the head or of the tails.

use syn::{Block, Expr, Stmt};

use super::chain::{Search, unclear};
use super::rank::Rank;

/// The tails of an `if` or `match` that hold the calls which a mark above it speaks of,
/// unless there is a call before it that is likelier meant.
///
/// ```text
/// Input:  if encrypted { session.read(&mut buffer) } else { stream.read(&mut buffer) }
/// Output: if encrypted { ⟦session.read(&mut buffer)⟧ } else { ⟦stream.read(&mut buffer)⟧ }
/// ```
///
/// A mark with a word speaks of a call in the head, as the word is for calls that are not
/// in the table. Without one, a `match` whose head may block too is an error.
pub(super) fn tails(expr: &mut Expr, is_plain: bool) -> Result<Option<Vec<&mut Expr>>, String> {
    let before = best(expr);
    if before == Some(Rank::Known) || before == Some(Rank::Likely) && !is_plain {
        return Ok(None);
    }
    let mut heads = Vec::new();
    if before == Some(Rank::Likely) && is_match(expr) {
        heads = names(expr, Rank::Likely);
    }
    let mut tails = Vec::new();
    branches(expr, &mut tails);
    let mut known = Vec::new();
    tails.retain_mut(|tail| {
        let best = best_at_last(tail);
        if best == Some(Rank::Known) {
            known.append(&mut names(tail, Rank::Known));
        }
        best.is_some()
    });
    if !heads.is_empty() && !known.is_empty() {
        return Err(unclear(&[heads, known].concat()));
    }
    Ok((!known.is_empty() || (before.is_none() && !tails.is_empty())).then_some(tails))
}

fn is_match(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(e) => is_match(&e.expr),
        Expr::Try(e) => is_match(&e.expr),
        Expr::MethodCall(e) => is_match(&e.receiver),
        _ => matches!(expr, Expr::Match(_)),
    }
}

/// The candidates of this rank in `expr`, or if it has no candidates, those in its tails.
fn names(expr: &mut Expr, rank: Rank) -> Vec<String> {
    let mut found = Search::default();
    found.expr(expr);
    if found.candidates.is_empty() {
        let mut tails = Vec::new();
        branches(expr, &mut tails);
        return tails.into_iter().flat_map(|tail| names(tail, rank)).collect();
    }
    let of_rank = found.candidates.into_iter().filter(|candidate| candidate.rank == rank);
    of_rank.map(|candidate| candidate.name).collect()
}

fn best(expr: &mut Expr) -> Option<Rank> {
    let mut found = Search::default();
    found.expr(expr);
    found.candidates.iter().map(|candidate| candidate.rank).min()
}

/// Returns the [`best`] rank in `expr`, or if there is none, in the tails of its `if` or
/// `match`.
fn best_at_last(expr: &mut Expr) -> Option<Rank> {
    best(expr).or_else(|| {
        let mut tails = Vec::new();
        branches(expr, &mut tails);
        tails.into_iter().filter_map(best_at_last).min()
    })
}

/// Collects the tails that give `expr` its value, if it is an `if` or a `match`.
fn branches<'a>(expr: &'a mut Expr, tails: &mut Vec<&'a mut Expr>) {
    match expr {
        Expr::Paren(e) => branches(&mut e.expr, tails),
        Expr::Try(e) => branches(&mut e.expr, tails),
        Expr::MethodCall(e) => branches(&mut e.receiver, tails),
        Expr::If(e) => {
            tail(&mut e.then_branch, tails);
            if let Some((_, other)) = &mut e.else_branch {
                either(other, tails);
            }
        }
        Expr::Match(e) => e.arms.iter_mut().for_each(|arm| either(&mut arm.body, tails)),
        _ => {}
    }
}

fn tail<'a>(block: &'a mut Block, tails: &mut Vec<&'a mut Expr>) {
    if let Some(Stmt::Expr(expr, None)) = block.stmts.last_mut() {
        either(expr, tails);
    }
}

/// `expr` itself, or the last of a block. An `if` or a `match` is asked for its own head
/// before its tails.
fn either<'a>(expr: &'a mut Expr, tails: &mut Vec<&'a mut Expr>) {
    match expr {
        Expr::Block(e) => tail(&mut e.block, tails),
        Expr::Unsafe(e) => tail(&mut e.block, tails),
        other => tails.push(other),
    }
}
