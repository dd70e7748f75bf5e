//! What is done before a call, in the same expression.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprField, ExprTuple, Index, Member, Token, token};

/// `call`, with something before it.
///
/// A tuple and not a block, because temporaries of the call live to the end of
/// the user's statement only in an operand.
pub(super) fn behind(before: &TokenStream, call: Expr, span: Span) -> Expr {
    let mut elems = Punctuated::new();
    elems.push(Expr::Verbatim(before.clone()));
    elems.push_punct(Token![,](span));
    elems.push(call);
    let tuple = ExprTuple { attrs: Vec::new(), paren_token: token::Paren(span), elems };
    Expr::Field(ExprField {
        attrs: Vec::new(),
        base: Box::new(Expr::Tuple(tuple)),
        dot_token: Token![.](span),
        member: Member::Unnamed(Index { index: 1, span }),
    })
}

/// `call`, once `condition` is met.
pub(super) fn after(
    condition: &TokenStream,
    call: Expr,
    stopped: &TokenStream,
    leave: &TokenStream,
    span: Span,
) -> Expr {
    let wait = quote_spanned! {span=>
        match #condition {
            ::core::result::Result::Ok(()) => (),
            ::core::result::Result::Err(#stopped) => #leave,
        }
    };
    behind(&wait, call, span)
}
