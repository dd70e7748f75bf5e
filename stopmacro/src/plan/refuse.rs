//! Functions that cannot be stoppable, whatever is in them.

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{
    Expr, ExprBreak, ExprClosure, ExprGroup, ExprMacro, ExprReturn, ExprTry, Ident, ItemFn,
    ReturnType, Signature, Type,
};

use super::flow;
use crate::calls::{self, Operation};
use crate::diag::Diag;
use crate::marks::Form;
use crate::node;

/// Refuses functions that a stop cannot leave.
pub(crate) fn signature(function: &ItemFn, diag: &mut Diag) {
    let Signature { constness, asyncness, output, .. } = &function.sig;
    if let Some(token) = asyncness {
        diag.error(
            token.span,
            "an `async fn` does not block its thread: drop its future to stop it, and keep \
             `#[stoppable]` for functions that block",
        );
    }
    if let Some(token) = constness {
        diag.error(token.span, "a `const fn` cannot block: take `const` or `#[stoppable]` away");
    }
    if let ReturnType::Type(_, kind) = output
        && let Type::Never(never) = &**kind
    {
        diag.error(
            never.bang_token.span,
            "a function that returns `!` cannot be left by a stop: let it return `()`",
        );
    }
    for attribute in &function.attrs {
        if attribute.path().segments.last().is_some_and(|last| last.ident == "stoppable") {
            diag.error(
                attribute.path().span(),
                "`#[stoppable]` is here twice: keep one of the two",
            );
        }
    }
}

/// Refuses a marked call that would wait where no request reaches it: one that has no
/// stop-checked form, or that has to wait for a lock before.
pub(crate) fn unstoppable(call: &Expr, form: Form, diag: &mut Diag) {
    let name = calls::name(call);
    if let Some(remedy) = calls::without(call) {
        diag.error(
            calls::span(call),
            format!(
                "`{name}` has no stop-checked form: {remedy}; if it is a call of your own that \
                 stops by itself, say {}",
                form.with("as_is")
            ),
        );
    } else if calls::operation(call) == Operation::Nested {
        let stops = format!(
            "if it stops by itself (a `#[stoppable]` function, or it reads through a \
             `stopruntime::Stoppable`), say {}",
            form.with("as_is")
        );
        let waits = format!(
            "if it waits for a file descriptor, say {} or {}",
            form.with("readable"),
            form.with("readable = EXPR")
        );
        let other = format!(
            "whatever it is, {} makes its system calls fail at a stop, and {} runs what ends \
             it",
            form.with("foreign"),
            form.with("unblock = EXPR")
        );
        let ways = if is_foreign(call) { [other, waits, stops] } else { [stops, waits, other] };
        diag.error(
            calls::span(call),
            format!(
                "this mark takes no hold: `{name}` has no stop-checked form; {}",
                ways.join("; ")
            ),
        );
    }
    if let Some(lock) = lock_before(call) {
        diag.error(
            lock.span(),
            format!(
                "this waits for a lock, and the mark is for the call behind it alone: mark both, \
                 `blocking!(blocking!(….{lock}()).unwrap().…)`, with a `stopruntime::sync::{}`; or \
                 clone the `Receiver` of `stopruntime::sync::mpsc` instead of sharing it; or, if \
                 the lock is never held for long, bind its guard with `let` first",
                if lock == "lock" { "Mutex" } else { "RwLock" }
            ),
        );
    }
}

/// The unmarked `lock`, `read` or `write` in what a method is called on:
/// `….lock().unwrap().recv()`.
/// (`lock` handles one without `unwrap`, such as `stdin().lock()`.)
pub(crate) fn lock_before(call: &Expr) -> Option<&Ident> {
    let Expr::MethodCall(call) = call else {
        return None;
    };
    let mut below = node::bare(&call.receiver);
    let mut unwrapped = false;
    while let Expr::MethodCall(method) = below {
        if calls::is_lock(method) && unwrapped {
            return Some(&method.method);
        }
        unwrapped = ["unwrap", "expect", "unwrap_or_else"].iter().any(|name| method.method == name);
        below = node::bare(&method.receiver);
    }
    None
}

/// Refuses a call that is made in a closure, under `within` or `unblock`, if its operands
/// leave the function or a loop.
pub(crate) fn exits(call: &Expr, option: &str, diag: &mut Diag) {
    let text = |word: &str| {
        format!("{word} cannot leave a call under `{option}`: bind it with `let` first")
    };
    Exits { diag, text: &text }.visit_expr(call);
}

/// Refuses what `unblock` says if it cannot end a call from another thread.
pub(crate) fn unblock(way: &Expr, diag: &mut Diag) {
    let nothing = match node::bare(way) {
        Expr::Closure(_) => Some("this closure is not called: write its body, `unblock = EXPR`"),
        other if flow::is_pure(other) => Some(
            "this does nothing when a stop comes: write the call that ends the wait, such as \
             `unblock = handle.close()`",
        ),
        _ => None,
    };
    if let Some(nothing) = nothing {
        diag.error(way.span(), nothing);
    }
    let text = |word: &str| {
        format!(
            "{word} leads out of what `unblock` runs, which is another thread's: take it away, \
             the value is dropped"
        )
    };
    Exits { diag, text: &text }.visit_expr(way);
}

/// Looks for what leads out of an expression that becomes a closure's.
struct Exits<'a> {
    diag: &'a mut Diag,
    text: &'a dyn Fn(&str) -> String,
}

impl Exits<'_> {
    fn report(&mut self, span: Span, word: &str) {
        self.diag.error(span, (self.text)(word));
    }
}

impl<'ast> Visit<'ast> for Exits<'_> {
    fn visit_expr_try(&mut self, e: &'ast ExprTry) {
        self.report(e.question_token.span(), "`?`");
        visit::visit_expr_try(self, e);
    }

    fn visit_expr_return(&mut self, e: &'ast ExprReturn) {
        self.report(e.return_token.span(), "`return`");
    }

    fn visit_expr_break(&mut self, e: &'ast ExprBreak) {
        self.report(e.break_token.span(), "`break`");
    }

    /// A mark inside.
    fn visit_expr_group(&mut self, e: &'ast ExprGroup) {
        if node::id(e).is_some() {
            self.report(calls::span(&e.expr), "a mark");
        } else {
            visit::visit_expr_group(self, e);
        }
    }

    /// One in an option, which no stage has read.
    fn visit_expr_macro(&mut self, e: &'ast ExprMacro) {
        if e.mac.path.is_ident("blocking") {
            self.report(e.mac.path.span(), "a mark");
        }
    }

    fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}
}

/// Whether `call` looks like one of another crate's: a method of something else than
/// `self`, or a function of a path that does not begin here.
fn is_foreign(call: &Expr) -> bool {
    let own = |path: &syn::Path| {
        let first = path.segments.first().map(|first| first.ident.to_string());
        let begins_here =
            |name: String| OWN.contains(&name.as_str()) || name.starts_with(char::is_uppercase);
        path.leading_colon.is_none() && (path.segments.len() == 1 || first.is_some_and(begins_here))
    };
    match call {
        Expr::MethodCall(call) => match node::bare(&call.receiver) {
            Expr::Path(path) => !path.path.is_ident("self"),
            _ => true,
        },
        Expr::Call(call) => match node::bare(&call.func) {
            Expr::Path(path) => !own(&path.path),
            _ => false,
        },
        _ => false,
    }
}

/// What a path into the user's own crate begins with.
const OWN: [&str; 4] = ["Self", "crate", "self", "super"];

/// Whether a function of this type returns `()`.
pub(crate) fn is_unit(output: &ReturnType) -> bool {
    match output {
        ReturnType::Default => true,
        ReturnType::Type(_, kind) => {
            matches!(&**kind, Type::Tuple(tuple) if tuple.elems.is_empty())
        }
    }
}
