//! The attribute on what is no function with a body.

use proc_macro2::TokenStream;
use syn::parse::Parser as _;
use syn::{Item, Stmt, TraitItemFn};

/// A better error than syn's "expected fn" for what is well formed otherwise.
pub(super) fn said(item: TokenStream) -> Option<syn::Error> {
    let signature = |input: syn::parse::ParseStream<'_>| {
        input.call(syn::Attribute::parse_outer)?;
        input.parse::<syn::Visibility>()?;
        input.parse::<TraitItemFn>()
    };
    if let Ok(method) = signature.parse2(item.clone())
        && method.default.is_none()
    {
        return Some(syn::Error::new(
            method.sig.ident.span(),
            format!(
                "`{}` has no body here, so there is nothing to stop: put `#[stoppable]` on the \
                 implementations",
                method.sig.ident
            ),
        ));
    }
    let keyword = |input: syn::parse::ParseStream<'_>| {
        input.call(syn::Attribute::parse_outer)?;
        input.parse::<syn::Visibility>()?;
        let first: proc_macro2::TokenTree = input.parse()?;
        input.parse::<TokenStream>()?;
        Ok(first.span())
    };
    let item_like = syn::parse2::<Item>(item.clone())
        .is_ok_and(|it| !matches!(it, Item::Verbatim(_)))
        || syn::parse2::<Stmt>(item.clone()).is_ok();
    let span = keyword.parse2(item).ok().filter(|_| item_like)?;
    Some(syn::Error::new(
        span,
        "`#[stoppable]` belongs on a function: put it on the one that holds the blocking calls",
    ))
}
