//! The options of `#[blocking(…)]` and `blocking!(…)`.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned as _;
use syn::{Attribute, Ident, Meta, Result, Token};

use super::says::{Blocking, Form, How, Ready, way};
use crate::diag::Diag;

/// `#[blocking]` and its options; `None` once an error is reported.
pub(super) fn blocking(attribute: &Attribute, diag: &mut Diag) -> Option<Blocking> {
    let mut blocking = Blocking {
        span: attribute.path().span(),
        form: Form::Statement,
        how: How::Plain,
        way: None,
        within: None,
    };
    let list = match &attribute.meta {
        Meta::Path(_) => return Some(blocking),
        Meta::List(list) => list,
        Meta::NameValue(meta) => {
            diag.error(
                meta.eq_token.span,
                "`#[blocking]` takes its options in parentheses: `#[blocking(readable = EXPR)]`",
            );
            return None;
        }
    };
    if list.tokens.is_empty() {
        diag.error(
            list.delimiter.span().join(),
            "these parentheses are empty: write `#[blocking]`, or say in them `as_is`, \
             `readable`, `writable`, `foreign`, `foreign_reset`, `unblock = EXPR`, \
             `within = EXPR`, `break` or `return`",
        );
        return None;
    }
    let all = |input: ParseStream<'_>| {
        while !input.is_empty() {
            option(input, &mut blocking)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    };
    match all.parse2(list.tokens.clone()) {
        Ok(()) => Some(blocking),
        Err(error) => {
            diag.push(error);
            None
        }
    }
}

/// The options of `blocking!(OPTION, CALL)`, in front of the call, into `blocking`.
pub(crate) fn options_before(input: ParseStream<'_>, blocking: &mut Blocking) -> Result<()> {
    let is_option = |input: ParseStream<'_>| {
        let word = input.fork().call(Ident::parse_any);
        word.is_ok_and(|word| OPTIONS.iter().any(|option| word == option))
            && (input.peek2(Token![,]) || (input.peek2(Token![=]) && !input.peek2(Token![==])))
    };
    while is_option(input) {
        option(input, blocking)?;
        input.parse::<Token![,]>()?;
    }
    Ok(())
}

/// The error of a `blocking!` at `mark` without a call.
pub(crate) fn empty(mark: Span) -> syn::Error {
    syn::Error::new(
        mark,
        "there is no call in these parentheses: write it there, `blocking!(CALL)`",
    )
}

/// What stands behind the options in the parentheses of a `blocking!`; everything where
/// they cannot be read.
pub(crate) fn behind_options(tokens: TokenStream) -> TokenStream {
    let behind = |input: ParseStream<'_>| {
        let mut ignored = Blocking {
            span: Span::call_site(),
            form: Form::Parentheses,
            how: How::Plain,
            way: None,
            within: None,
        };
        options_before(input, &mut ignored)?;
        input.parse()
    };
    behind.parse2(tokens.clone()).unwrap_or(tokens)
}

const OPTIONS: [&str; 9] = [
    "as_is",
    "break",
    "foreign",
    "foreign_reset",
    "readable",
    "return",
    "unblock",
    "within",
    "writable",
];

/// One option, into `blocking`.
fn option(input: ParseStream<'_>, blocking: &mut Blocking) -> Result<()> {
    let place = input.span();
    if let Some(way) = way(input)? {
        if blocking.way.replace(way).is_some() {
            return Err(syn::Error::new(
                place,
                "a stop leaves either the loop or the function: keep one of `break` and `return`",
            ));
        }
        return Ok(());
    }
    let word: Ident = input.parse()?;
    if word == "within" {
        if input.parse::<Option<Token![=]>>()?.is_none() {
            return Err(syn::Error::new(
                word.span(),
                "`within` needs the time that the call may take: write `within = EXPR`",
            ));
        }
        if blocking.within.replace(input.parse()?).is_some() {
            return Err(syn::Error::new(
                word.span(),
                "`within` is given twice: keep one of the two",
            ));
        }
        return Ok(());
    }
    let how = if word == "as_is" {
        How::AsIs
    } else if word == "readable" || word == "writable" {
        let equals: Option<Token![=]> = input.parse()?;
        let on = equals.map(|_| input.parse()).transpose()?;
        How::Ready(Ready { word: word.clone(), on })
    } else if word == "foreign" || word == "foreign_reset" {
        How::Foreign { resets: word == "foreign_reset" }
    } else if word == "unblock" {
        if input.parse::<Option<Token![=]>>()?.is_none() {
            return Err(syn::Error::new(
                word.span(),
                "`unblock` needs what ends the call: write `unblock = EXPR`, such as \
                 `unblock = handle.close()`",
            ));
        }
        How::Unblock(input.parse()?)
    } else {
        return Err(syn::Error::new(word.span(), unknown(&word)));
    };
    if !matches!(std::mem::replace(&mut blocking.how, how), How::Plain) {
        return Err(syn::Error::new(
            word.span(),
            "a mark says one way to stop the call: keep one of `as_is`, `readable`, \
             `writable`, `foreign`, `foreign_reset` and `unblock`",
        ));
    }
    Ok(())
}

fn unknown(word: &Ident) -> String {
    format!(
        "`#[blocking]` has no option `{word}`: it has `as_is`, `readable`, `readable = EXPR`, \
         `writable`, `writable = EXPR`, `foreign`, `foreign_reset`, `unblock = EXPR`, \
         `within = EXPR`, `break` and `return`"
    )
}
