//! The shapes of calls that have no variant: `as_is`, `readable`, `writable`, `foreign` and
//! `foreign_reset`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::spanned::Spanned as _;
use syn::{Expr, ExprMatch, parse_quote_spanned};

use super::before::after;
use super::exit::{Exits, at};
use crate::calls;

/// rustc picks the way to find a stop in what the call returned.
///
/// ```text
/// Input:  read_frame(&socket)                                       (as_is)
/// Output: match (match check() { Ok(()) => (), Err(_) => break '__stop_0 },
///                read_frame(&socket)).1 {
///             result => match { use …::carries::*; (&&&&&Of(&result)).stopped() } {
///                 None => result,
///                 Some(_) => break '__stop_0,
///             }
///         }
/// ```
pub(super) fn as_is(exits: &Exits, call: Expr, stopped: &TokenStream, leave: &TokenStream) -> Expr {
    let span = at(calls::span(&call));
    let ours = exits.ours(span);
    let call = after(&quote_spanned!(span=> #ours::check()), call, stopped, leave, span);
    let mut result: ExprMatch = parse_quote_spanned! {span=>
        match () {
            result => match {
                use #ours::carries::*;
                (&&&&&Of(&result)).stopped()
            } {
                ::core::option::Option::None => result,
                ::core::option::Option::Some(#stopped) => #leave,
            },
        }
    };
    *result.expr = call;
    Expr::Match(result)
}

/// The region is a guard and not a closure, so that `?` and `return` work in the operands
/// and temporaries live as without the mark.
///
/// ```text
/// Input:  database.query(sql)                                       (foreign)
/// Output: match left_by(match region() { Ok(region) => region, Err(_) => break '__stop_0 },
///                       database.query(sql)) {
///             result => match { use …::ended::*; (&&&Ended(&result)).stopped() } {
///                 None => result,
///                 Some(_) => break '__stop_0,
///             }
///         }
/// ```
///
/// `foreign_reset` has `resetting_region()` there.
pub(super) fn in_region(
    exits: &Exits,
    call: Expr,
    stopped: &TokenStream,
    leave: &TokenStream,
    resets: bool,
    span: Span,
) -> Expr {
    let ours = exits.ours(span);
    let region = Ident::new(if resets { "resetting_region" } else { "region" }, span);
    let mut made: syn::ExprCall = parse_quote_spanned! {span=>
        #ours::left_by(match #ours::#region() {
            ::core::result::Result::Ok(region) => region,
            ::core::result::Result::Err(#stopped) => #leave,
        })
    };
    made.args.push(call);
    let mut result: ExprMatch = parse_quote_spanned! {span=>
        match () {
            result => match {
                use #ours::ended::*;
                (&&&Ended(&result)).stopped()
            } {
                ::core::option::Option::None => result,
                ::core::option::Option::Some(#stopped) => #leave,
            },
        }
    };
    *result.expr = Expr::Call(made);
    Expr::Match(result)
}

/// ```text
/// Input:  port.read(&mut buffer)                                    (readable)
/// Output: (match { use …::{Descriptor as _, …}; (&&&&&&Ready(&port)).readable() } {
///              Ok(()) => (),
///              Err(_) => break '__stop_0,
///          }, port.read(&mut buffer)).1
/// Input:  reader.read_line(&mut line)                               (readable = port)
/// Output: (match if { use …; (&&Ready(&reader)).has_read_ahead() } { check() } else { as above } {
///              …
///          }, reader.read_line(&mut line)).1
/// ```
pub(super) fn ready(exits: &Exits, word: &Ident, on: &Expr, ahead: Option<&Expr>) -> TokenStream {
    let place = at(on.span());
    let ours = exits.ours(place);
    let word = Ident::new(&word.to_string(), at(word.span()));
    let wait = quote_spanned! {place=>
        match #ours::Ready(&#on) {
            ready => {
                use #ours::{Descriptor as _, NoDescriptor as _};
                (&&&&&&ready).#word()
            }
        }
    };
    let Some(ahead) = ahead else { return wait };
    let has_read_ahead = quote_spanned! {place=>
        match #ours::Ready(&#ahead) {
            ready => {
                use #ours::{MayReadAhead as _, ReadsNothingAhead as _};
                (&&ready).has_read_ahead()
            }
        }
    };
    quote_spanned!(place=> if #has_read_ahead { #ours::check() } else { #wait })
}
