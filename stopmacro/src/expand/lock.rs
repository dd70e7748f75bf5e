//! The `lock` that a marked call is made on, which waits as well.
//!
//! ```text
//! Input:  stdin().lock().read_line(&mut line)
//! Output: LockBefore::lock_before(&stdin()).read_line_or_stop(&mut line)
//! ```
//!
//! By its type, rustc finds out whether that can be stopped: standard input's is
//! then taken by the marked call itself. (A `lock().unwrap()` is refused before.)

use proc_macro2::Span;
use syn::{Expr, parse_quote_spanned};

use super::exit::{Exits, at};
use crate::calls;

/// Replaces each `lock()` in what a method is called on.
pub(crate) fn in_receiver(exits: &Exits, receiver: &mut Expr) {
    let Expr::MethodCall(method) = bare(receiver) else { return };
    in_receiver(exits, &mut method.receiver);
    if calls::is_lock(method) && method.method == "lock" {
        let lock = (*method.receiver).clone();
        let span = at(method.method.span());
        *bare(receiver) = before(exits, &lock, span);
    }
}

/// Replaces the argument `&mut stdin().lock()`: of a function it is not known
/// which of its arguments it waits for.
pub(crate) fn in_argument(exits: &Exits, argument: &mut Expr) {
    let Expr::MethodCall(method) = referent(argument) else { return };
    if calls::is_lock(method)
        && method.method == "lock"
        && calls::is_standard_input(&method.receiver)
    {
        let lock = (*method.receiver).clone();
        let span = at(method.method.span());
        *referent(argument) = before(exits, &lock, span);
    }
}

/// Replaces each `lock()` in the first argument of a method called by its path.
pub(crate) fn in_first(exits: &Exits, argument: &mut Expr) {
    in_receiver(exits, referent(argument));
}

fn before(exits: &Exits, lock: &Expr, span: Span) -> Expr {
    let ours = exits.ours(span);
    parse_quote_spanned!(span=> #ours::LockBefore::lock_before(&#lock))
}

/// Without the parentheses, and the references, around it.
fn referent(expr: &mut Expr) -> &mut Expr {
    match bare(expr) {
        Expr::Reference(reference) => referent(&mut reference.expr),
        other => other,
    }
}

/// Without the parentheses around it. Groups are nodes, or what is inside.
fn bare(expr: &mut Expr) -> &mut Expr {
    match expr {
        Expr::Paren(paren) => bare(&mut paren.expr),
        Expr::Group(group) => bare(&mut group.expr),
        other => other,
    }
}
