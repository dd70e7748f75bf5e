//! Functions that cannot be stoppable, whatever is in them.

use syn::spanned::Spanned as _;
use syn::{Expr, Ident, ItemFn, ReturnType, Signature, Type};

use crate::diag::Diag;
use crate::{calls, node};

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

/// Refuses a marked call that would wait where no request reaches it: one of
/// std's without a stop-checked form, or one that has to wait for a lock before.
pub(crate) fn unstoppable(call: &Expr, diag: &mut Diag) {
    if let Some(remedy) = calls::without(call) {
        diag.error(
            calls::span(call),
            format!(
                "`{}` has no stop-checked form: {remedy}; if it is a call of your own, say \
                 `#[blocking(as_is)]`",
                calls::name(call)
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
/// (One without `unwrap`, as of `stdin()`, is the business of `lock`.)
fn lock_before(call: &Expr) -> Option<&Ident> {
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

/// Whether a function of this type returns `()`.
pub(crate) fn is_unit(output: &ReturnType) -> bool {
    match output {
        ReturnType::Default => true,
        ReturnType::Type(_, kind) => {
            matches!(&**kind, Type::Tuple(tuple) if tuple.elems.is_empty())
        }
    }
}
