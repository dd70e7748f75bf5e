//! `#[stoppable(or = EXPR, strict, break, crate = PATH)]`: the attribute's own arguments.

use proc_macro2::TokenStream;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, Path, Result, Token};

use crate::diag::Diag;
use crate::marks::{self, Way};

/// What stands in the parentheses of `#[stoppable(…)]`.
#[derive(Default)]
pub(crate) struct Args {
    /// `or = EXPR`: what the function returns when a stop leaves it.
    pub(crate) or: Option<Expr>,
    /// `strict`: a call that the table knows to block must be marked.
    pub(crate) strict: bool,
    /// `break`, `return`: what a stop leaves where a loop can end by itself.
    pub(crate) way: Option<Way>,
    /// `crate = PATH`: the runtime's crate, where it has another name.
    pub(crate) root: Option<Path>,
}

/// Reads the arguments; what cannot be read is reported and left out.
pub(crate) fn parse(tokens: TokenStream, diag: &mut Diag) -> Args {
    let mut args = Args::default();
    let read = |input: ParseStream<'_>| -> Result<()> {
        while !input.is_empty() {
            argument(input, &mut args, diag)?;
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    };
    if let Err(error) = read.parse2(tokens) {
        diag.push(error);
    }
    args
}

/// One argument. An unknown one ends the reading, because its extent is not known.
fn argument(input: ParseStream<'_>, args: &mut Args, diag: &mut Diag) -> Result<()> {
    let place = input.span();
    if let Some(way) = marks::way(input)? {
        if args.way.replace(way).is_some() {
            diag.error(
                place,
                "a stop leaves either the loop or the function: keep one of `break` and `return`",
            );
        }
        return Ok(());
    }
    let name: Ident = input.call(Ident::parse_any)?;
    if name == "or" {
        if !input.peek(Token![=]) {
            return Err(syn::Error::new(
                name.span(),
                "`or` needs the value to return when a stop leaves the function: write `or = EXPR`",
            ));
        }
        input.parse::<Token![=]>()?;
        let value = input.parse()?;
        if args.or.replace(value).is_some() {
            diag.error(name.span(), "`or` is given twice: keep one of the two");
        }
    } else if name == "strict" {
        if args.strict {
            diag.error(name.span(), "`strict` is given twice: keep one of the two");
        }
        args.strict = true;
    } else if name == "crate" {
        if !input.peek(Token![=]) {
            return Err(syn::Error::new(
                name.span(),
                "`crate` needs the path of `stopruntime` where it has another name: write \
                 `crate = PATH`",
            ));
        }
        input.parse::<Token![=]>()?;
        if args.root.replace(input.call(Path::parse_mod_style)?).is_some() {
            diag.error(name.span(), "`crate` is given twice: keep one of the two");
        }
    } else {
        return Err(syn::Error::new(
            name.span(),
            format!(
                "`#[stoppable]` has no argument `{name}`: it takes `or = EXPR`, `strict`, \
                 `break`, `return` and `crate = PATH`"
            ),
        ));
    }
    Ok(())
}
