//! How the stages refer to places in the tree.
//!
//! `parse` puts each marked call, each loop and each shielded block into a
//! `Node` of its own and numbers them; `plan` decides by number, `expand`
//! replaces by number. In the tree a node is an invisible group with an
//! attribute that no user can write, so syn's visitors pass through it.

use proc_macro2::{Ident, Span};
use syn::{
    AttrStyle, Attribute, Expr, ExprGroup, ExprLit, Lit, LitInt, Meta, MetaNameValue, Token, token,
};

/// The attribute's name. Never printed: `expand` replaces every node.
const TAG: &str = "__stop_node";

/// Puts `expr` into node `id`.
pub(crate) fn wrap(expr: &mut Expr, id: usize) {
    let inner = std::mem::replace(expr, Expr::PLACEHOLDER);
    let id = LitInt::new(&id.to_string(), Span::call_site());
    let span = Span::call_site();
    let tag = Attribute {
        pound_token: Token![#](span),
        style: AttrStyle::Outer,
        bracket_token: token::Bracket(span),
        meta: Meta::NameValue(MetaNameValue {
            path: Ident::new(TAG, span).into(),
            eq_token: Token![=](span),
            value: Expr::Lit(ExprLit { attrs: Vec::new(), lit: Lit::Int(id) }),
        }),
    };
    *expr = Expr::Group(ExprGroup {
        attrs: vec![tag],
        group_token: token::Group::default(),
        expr: Box::new(inner),
    });
}

/// The number of the node that `group` is; `None` for a group of the user's
/// (what `macro_rules!` leaves around `$e:expr`).
pub(crate) fn id(group: &ExprGroup) -> Option<usize> {
    let [tag] = group.attrs.as_slice() else {
        return None;
    };
    match &tag.meta {
        Meta::NameValue(meta) if meta.path.is_ident(TAG) => match &meta.value {
            Expr::Lit(literal) => match &literal.lit {
                syn::Lit::Int(number) => number.base10_parse().ok(),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// `expr` without the parentheses and groups around it; nodes stay.
pub(crate) fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(paren) => bare(&paren.expr),
        Expr::Group(group) if id(group).is_none() => bare(&group.expr),
        other => other,
    }
}
