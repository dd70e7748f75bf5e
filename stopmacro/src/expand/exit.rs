//! How a stop leaves, and the names that expanded code goes by.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Expr, Path, Stmt, Type, parse_quote_spanned};

use crate::plan::Leave;

/// Tokens of ours at the place of one of the user's.
pub(crate) fn at(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}

/// `name` becomes `name_or_stop`, at the user's place and with the user's hygiene.
pub(crate) fn or_stop(name: &mut Ident) {
    *name = format_ident!("{name}_or_stop", span = name.span());
}

/// What the writers share.
pub(crate) struct Exits {
    /// `or = EXPR`.
    or: Option<Expr>,
    /// `crate = PATH`.
    root: Option<Path>,
}

impl Exits {
    pub(crate) fn new(or: Option<Expr>, root: Option<Path>) -> Self {
        Self { or, root }
    }

    /// A path into the runtime's crate.
    pub(crate) fn runtime(&self, span: Span) -> TokenStream {
        self.root
            .as_ref()
            .map_or_else(|| quote_spanned!(span=> ::stopruntime), |path| quote!(#path))
    }

    /// A path to what only expanded code names.
    pub(crate) fn ours(&self, span: Span) -> TokenStream {
        let runtime = self.runtime(span);
        quote_spanned!(span=> #runtime::expansion)
    }

    /// What an error arm binds, and how it leaves.
    ///
    /// ```text
    /// _       => { left(); break '__stop_0 }
    /// stopped => return leave(stopped)
    /// _       => { left(); return EXPR }
    /// ```
    pub(crate) fn leave(&self, leave: &Leave, span: Span) -> (TokenStream, TokenStream) {
        let ours = self.ours(span);
        match leave {
            Leave::Break(label) => {
                (quote_spanned!(span=> _), quote_spanned!(span=> { #ours::left(); break #label }))
            }
            Leave::Function => {
                (quote_spanned!(span=> stopped), quote_spanned!(span=> return leave(stopped)))
            }
            Leave::Return(kind) => {
                let value = match kind {
                    None => quote_spanned!(span=> #ours::leave(stopped)),
                    Some(kind) => self.way(kind, span),
                };
                let leave = quote_spanned!(span=> { #ours::left(); return #value });
                (quote_spanned!(span=> stopped), leave)
            }
            Leave::Or => {
                let value = &self.or;
                (quote_spanned!(span=> _), quote_spanned!(span=> { #ours::left(); return #value }))
            }
        }
    }

    /// The value of this type with which a stop leaves.
    ///
    /// ```text
    /// Output: match Way::<io::Result<u64>>::new() {
    ///             way => { use ::stopruntime::expansion::leaves::*; (&&&way).leave(stopped) }
    ///         }
    /// ```
    fn way(&self, kind: &Type, span: Span) -> TokenStream {
        let ours = self.ours(span);
        quote_spanned! {span=>
            match #ours::Way::<#kind>::new() {
                way => {
                    use #ours::leaves::*;
                    (&&&way).leave(stopped)
                }
            }
        }
    }

    /// The function `leave`, which all marks of the function share.
    ///
    /// ```text
    /// Output: let leave = exit(|stopped: Stopped| -> io::Result<u64> { left(); … });
    /// ```
    pub(crate) fn of_function(&self, kind: &Type) -> Stmt {
        let span = at(kind.span());
        let ours = self.ours(span);
        let way = self.way(kind, span);
        parse_quote_spanned!(span=> let leave = #ours::exit(|stopped: #ours::Stopped| -> #kind { #ours::left(); #way });)
    }

    /// The checkpoint of a loop.
    ///
    /// ```text
    /// Output: if let Err(_) = check() { break '__stop_0; }
    /// ```
    pub(crate) fn check(&self, leave: Option<&Leave>, span: Span) -> Option<TokenStream> {
        let (stopped, leave) = self.leave(leave?, span);
        let ours = self.ours(span);
        Some(quote_spanned! {span=>
            if let ::core::result::Result::Err(#stopped) = #ours::check() {
                #leave;
            }
        })
    }
}
