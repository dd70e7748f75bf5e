//! The marks as attributes: `#[blocking(…)]`, `#[checkpoint]`, `#[unstoppable]`.
//!
//! None of them exists as a macro: the outer `#[stoppable]` sees the tokens
//! first, acts on the marks and takes them away.

use proc_macro2::Span;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned as _;
use syn::{Attribute, Expr, Ident, Meta, Result, Stmt, Token};

use crate::diag::Diag;

/// How a marked call is made stop-checked.
pub(crate) enum How {
    /// By its variant, or as it is where the table has none.
    Plain,
    /// `as_is`: called as it is, whatever the table says.
    AsIs,
    /// `readable`, `writable`: a stop-checked wait for the descriptor first.
    Ready(Ready),
}

/// `readable`, `writable = EXPR`: what is waited for, and on what.
pub(crate) struct Ready {
    /// The option's name, which is also that of the function in `expansion`.
    pub(crate) word: Ident,
    /// The descriptor where it is not the call's receiver.
    pub(crate) on: Option<Expr>,
}

/// A `#[blocking]` or `blocking!`, and where it stands.
pub(crate) struct Blocking {
    pub(crate) span: Span,
    pub(crate) how: How,
}

/// The marks on one statement or expression.
#[derive(Default)]
pub(crate) struct Marks {
    pub(crate) blocking: Option<Blocking>,
    pub(crate) checkpoint: Option<Span>,
    pub(crate) unstoppable: Option<Span>,
}

/// The name of the mark that `attribute` is, if it is one.
pub(crate) fn name(attribute: &Attribute) -> Option<&'static str> {
    ["blocking", "checkpoint", "unstoppable"]
        .into_iter()
        .find(|name| attribute.path().is_ident(name))
}

/// Takes the marks out of `attributes`; malformed ones are reported.
pub(crate) fn take(attributes: &mut Vec<Attribute>, diag: &mut Diag) -> Marks {
    let mut marks = Marks::default();
    for attribute in attributes.extract_if(.., |attribute| name(attribute).is_some()) {
        let span = attribute.path().span();
        let twice = match name(&attribute) {
            Some("blocking") => match how(&attribute, diag) {
                Some(how) => marks.blocking.replace(Blocking { span, how }).is_some(),
                None => false,
            },
            Some("checkpoint") => {
                bare(&attribute, diag) && marks.checkpoint.replace(span).is_some()
            }
            _ => bare(&attribute, diag) && marks.unstoppable.replace(span).is_some(),
        };
        if twice {
            diag.error(span, "this mark is here twice: keep one of the two");
        }
    }
    marks
}

/// Whether a mark that takes no options has none; reports it if it has.
fn bare(attribute: &Attribute, diag: &mut Diag) -> bool {
    if let Meta::Path(_) = attribute.meta {
        return true;
    }
    let name = name(attribute).unwrap_or_default();
    diag.error(attribute.path().span(), format!("`{name}` takes no options: write `#[{name}]`"));
    false
}

/// The options of `#[blocking]`; `None` once an error is reported.
fn how(attribute: &Attribute, diag: &mut Diag) -> Option<How> {
    let list = match &attribute.meta {
        Meta::Path(_) => return Some(How::Plain),
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
            "these parentheses are empty: write `#[blocking]`, or say in them `readable`, \
             `writable` or `as_is`",
        );
        return None;
    }
    match option.parse2(list.tokens.clone()) {
        Ok(how) => Some(how),
        Err(error) => {
            diag.push(error);
            None
        }
    }
}

fn option(input: ParseStream<'_>) -> Result<How> {
    let word: Ident = input.parse()?;
    let how = if word == "as_is" {
        How::AsIs
    } else if word == "readable" || word == "writable" {
        let on = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Some(input.parse()?)
        } else {
            None
        };
        How::Ready(Ready { word, on })
    } else {
        return Err(syn::Error::new(
            word.span(),
            format!(
                "`#[blocking]` has no option `{word}`: it has `readable`, `readable = EXPR`, \
                 `writable`, `writable = EXPR` and `as_is`"
            ),
        ));
    };
    if !input.is_empty() {
        return Err(input.error("`#[blocking]` takes one option: keep one and take the rest away"));
    }
    Ok(how)
}

/// Moves the marks of a statement to the expression they speak of.
///
/// ```text
/// Input:  #[blocking] let n = f()?;     #[blocking] x = f()?;
/// Output: let n = #[blocking] f()?;     #[blocking] (x = f()?);
/// ```
///
/// syn hangs the attributes of `x = f()` on `x`, rustc on the statement.
pub(crate) fn lift(statement: &mut Stmt, diag: &mut Diag) {
    let (marks, target) = match statement {
        Stmt::Local(local) => {
            let marks = split_off(&mut local.attrs);
            (marks, local.init.as_mut().map(|init| &mut *init.expr))
        }
        Stmt::Expr(expr, _) => {
            let marks = attributes(leftmost(expr)).map(split_off).unwrap_or_default();
            (marks, Some(expr))
        }
        // Those of items and macros are reported where they stand.
        Stmt::Item(_) | Stmt::Macro(_) => return,
    };
    let Some(first) = marks.first() else {
        return;
    };
    let span = first.path().span();
    match target.and_then(attributes) {
        Some(attributes) => attributes.splice(0..0, marks).for_each(drop),
        None => diag.error(
            span,
            "there is no call here: put the mark on the statement with the blocking call",
        ),
    }
}

fn split_off(attributes: &mut Vec<Attribute>) -> Vec<Attribute> {
    attributes.extract_if(.., |attribute| name(attribute).is_some()).collect()
}

/// Where syn puts the attributes of an expression statement.
fn leftmost(expr: &mut Expr) -> &mut Expr {
    match expr {
        Expr::Assign(e) => leftmost(&mut e.left),
        Expr::Binary(e) => leftmost(&mut e.left),
        Expr::Cast(e) => leftmost(&mut e.expr),
        other => other,
    }
}

/// The attributes of an expression of any kind.
pub(crate) fn attributes(expr: &mut Expr) -> Option<&mut Vec<Attribute>> {
    macro_rules! any {
        ($($kind:ident)*) => {
            match expr {
                $(Expr::$kind(e) => Some(&mut e.attrs),)*
                _ => None,
            }
        };
    }
    any!(Array Assign Async Await Binary Block Break Call Cast Closure Const Continue Field ForLoop
        Group If Index Infer Let Lit Loop Macro Match MethodCall Paren Path Range RawAddr Reference
        Repeat Return Struct Try TryBlock Tuple Unary Unsafe While Yield)
}
