//! The shapes of loops: where the checkpoint goes so that nothing is lost.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned as _;
use syn::{
    Expr, ExprBlock, ExprForLoop, ExprLoop, ExprMatch, ExprWhile, Label, Stmt, parse_quote_spanned,
};

use super::call::walked;
use super::exit::{Exits, at, or_stop};
use super::lock;
use super::shield::shielded;
use crate::plan::Turn;
use crate::{calls, node};

/// The node of a loop.
pub(crate) fn repetition(exits: &Exits, expr: Expr, turn: &Turn) -> Expr {
    let expr = match expr {
        Expr::Loop(expr) => endless(exits, expr, turn),
        Expr::While(expr) => conditional(exits, expr, turn),
        Expr::ForLoop(expr) => each(exits, expr, turn),
        other => other,
    };
    if turn.shield { shielded(exits, expr) } else { expr }
}

/// ```text
/// Input:  loop { BODY }
/// Output: '__stop_0: loop { CHECK BODY }
/// ```
fn endless(exits: &Exits, mut expr: ExprLoop, turn: &Turn) -> Expr {
    let span = at(expr.loop_token.span);
    label(&mut expr.label, turn, span);
    if let Some(check) = exits.check(turn.check.as_ref(), span) {
        expr.body.stmts.insert(0, parse_quote_spanned!(span=> #check));
    }
    Expr::Loop(expr)
}

/// The checkpoint comes before COND, which may take something from a queue.
/// rustc itself turns `while` into this shape, so the lifetimes of
/// temporaries are the same.
///
/// ```text
/// Input:  while COND { BODY }
/// Output: '__stop_0: loop { CHECK if COND { BODY } else { break } }
/// ```
fn conditional(exits: &Exits, mut expr: ExprWhile, turn: &Turn) -> Expr {
    let span = at(expr.while_token.span);
    label(&mut expr.label, turn, span);
    let Some(check) = exits.check(turn.check.as_ref(), span) else {
        return Expr::While(expr);
    };
    let ExprWhile { attrs, label, cond, body, .. } = expr;
    let mut test: syn::ExprIf = parse_quote_spanned!(span=> if true {} else { break });
    test.cond = cond;
    test.then_branch = body;
    let mut result: ExprLoop = parse_quote_spanned!(span=> loop { #check });
    result.attrs = attrs;
    result.label = label;
    result.body.stmts.push(Stmt::Expr(Expr::If(test), None));
    Expr::Loop(result)
}

/// The checkpoint comes before `next`, which takes an item. The shape is
/// again rustc's own, with a `let` that says at PAT that it is refutable; what
/// PAT leaves out is dropped after BODY, with `item`.
///
/// ```text
/// Input:  for PAT in ITER { BODY }
/// Output: match IntoIterator::into_iter(ITER) {
///             mut iter => '__stop_0: loop {
///                 CHECK
///                 match Iterator::next(&mut iter) {
///                     None => break,
///                     Some(item) => { let PAT = item; { BODY } }
///                 }
///             }
///         }
/// ```
///
/// The `let` has an `allow`, because clippy takes `for _round in …` for a
/// binding without effect in this shape.
///
/// With `#[blocking]`, `next` is stop-checked itself and there is no CHECK.
fn each(exits: &Exits, mut expr: ExprForLoop, turn: &Turn) -> Expr {
    let span = at(expr.for_token.span);
    label(&mut expr.label, turn, span);
    if turn.check.is_none() && turn.each.is_none() {
        return Expr::ForLoop(expr);
    }
    let check = exits.check(turn.check.as_ref(), span);
    let ExprForLoop { attrs, label, pat, expr: head, body, .. } = expr;
    let head_span = at(match node::bare(&head) {
        Expr::MethodCall(call) => call.method.span(),
        other => other.span(),
    });
    let (iterator, mut round): (TokenStream, ExprMatch) = match &turn.each {
        None => {
            let next = over(&head, quote!(::core::iter::Iterator::next));
            (
                called(&head, quote!(::core::iter::IntoIterator::into_iter)),
                parse_quote_spanned! {span=>
                    match #next(&mut iter) {
                        ::core::option::Option::None => break,
                        ::core::option::Option::Some(item) => {
                            #[allow(clippy::no_effect_underscore_binding)]
                            let #pat = item;
                        }
                    }
                },
            )
        }
        Some(leave) => {
            let (stopped, leave) = exits.leave(leave, head_span);
            let ours = exits.ours(head_span);
            let next = over(&head, quote!(#ours::NextOrStop::next_or_stop));
            (
                stopping_iterator(exits, *head),
                parse_quote_spanned! {head_span=>
                    match #next(&mut iter) {
                        ::core::result::Result::Err(#stopped) => #leave,
                        ::core::result::Result::Ok(::core::option::Option::None) => break,
                        ::core::result::Result::Ok(::core::option::Option::Some(item)) => {
                            #[allow(clippy::no_effect_underscore_binding)]
                            let #pat = item;
                        }
                    }
                },
            )
        }
    };
    if let Some(arm) = round.arms.last_mut()
        && let Expr::Block(taken) = &mut *arm.body
    {
        let body = ExprBlock { attrs: Vec::new(), label: None, block: body };
        taken.block.stmts.push(Stmt::Expr(Expr::Block(body), None));
    }
    let mut rounds: ExprLoop = parse_quote_spanned!(span=> loop { #check });
    rounds.label = label;
    rounds.body.stmts.push(Stmt::Expr(Expr::Match(round), None));
    let mut result: ExprMatch = parse_quote_spanned! {span=>
        match #iterator {
            mut iter => (),
        }
    };
    result.attrs = attrs;
    if let [arm] = result.arms.as_mut_slice() {
        *arm.body = Expr::Loop(rounds);
    }
    Expr::Match(result)
}

/// ```text
/// Input:  listener.incoming()           receiver
/// Output: listener.incoming_or_stop()   ::stopruntime::expansion::into_iter_or_stop(receiver)
/// ```
fn stopping_iterator(exits: &Exits, head: Expr) -> TokenStream {
    match head {
        Expr::Paren(paren) => stopping_iterator(exits, *paren.expr),
        Expr::MethodCall(plain) => match calls::head(&plain) {
            Some(names) => {
                let mut call = plain.clone();
                or_stop(&mut call.method);
                lock::in_receiver(exits, &mut call.receiver);
                let call = walked(exits, &plain, names, Expr::MethodCall(call), None);
                quote!(#call)
            }
            None => into_iter(exits, &Expr::MethodCall(plain)),
        },
        head => into_iter(exits, &head),
    }
}

fn into_iter(exits: &Exits, head: &Expr) -> TokenStream {
    let ours = exits.ours(at(head.span()));
    called(head, quote!(#ours::into_iter_or_stop))
}

/// Makes `function(head)`; errors in any part of it point at `head`.
fn called(head: &Expr, function: TokenStream) -> TokenStream {
    let function = over(head, function);
    let mut operand = Group::new(Delimiter::Parenthesis, quote!(#head));
    operand.set_span(ends(head).1);
    quote!(#function #operand)
}

/// `path` spread over the place of `head`, from its first token to its last:
/// rustc reports one error at one place once.
fn over(head: &Expr, path: TokenStream) -> TokenStream {
    let (first, last) = ends(head);
    let spread = path.into_iter().enumerate().map(|(at, mut token)| {
        token.set_span(if at == 0 { first } else { last });
        token
    });
    spread.collect()
}

fn ends(head: &Expr) -> (Span, Span) {
    let mut tokens = quote!(#head).into_iter();
    let first = tokens.next().map_or_else(Span::mixed_site, |token| token.span());
    (first, tokens.last().map_or(first, |token| token.span()))
}

/// Gives a loop the label that a stop breaks to, if it has none.
fn label(own: &mut Option<Label>, turn: &Turn, span: Span) {
    if own.is_none()
        && let Some(label) = &turn.label
    {
        *own = Some(parse_quote_spanned!(span=> #label:));
    }
}
