//! The marks as attributes: `#[blocking(…)]`, `#[checkpoint]`, `#[unstoppable]`.
//!
//! None of them exists as a macro: the outer `#[stoppable]` sees the tokens
//! first, acts on the marks and takes them away.

mod options;
mod says;

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::{Attribute, Expr, Meta, Stmt};

use crate::diag::Diag;

pub(crate) use options::{behind_options, empty, options_before};
pub(crate) use says::{Blocking, Form, How, Ready, Way, way};

/// A `#[checkpoint]`, and where it stands.
#[derive(Clone, Copy)]
pub(crate) struct Checkpoint {
    pub(crate) span: Span,
    pub(crate) way: Option<Way>,
}

/// The marks on one statement or expression.
#[derive(Default)]
pub(crate) struct Marks {
    pub(crate) blocking: Option<Blocking>,
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) unstoppable: Option<Span>,
}

/// The name of the mark that `attribute` is, if it is one: also `stopruntime::blocking`.
pub(crate) fn name(attribute: &Attribute) -> Option<&'static str> {
    let mut segments = attribute.path().segments.iter().rev();
    let last = &segments.next()?.ident;
    let is_ours = segments.next().is_none_or(|owner| owner.ident == "stopruntime");
    let mut names = ["blocking", "checkpoint", "unstoppable"].into_iter();
    names.find(|name| is_ours && last == name)
}

/// Takes the marks out of `attributes`; malformed ones are reported.
pub(crate) fn take(attributes: &mut Vec<Attribute>, diag: &mut Diag) -> Marks {
    let mut marks = Marks::default();
    for attribute in attributes.extract_if(.., |attribute| name(attribute).is_some()) {
        let span = attribute.path().span();
        let twice = match name(&attribute) {
            Some("blocking") => options::blocking(&attribute, diag)
                .is_some_and(|blocking| marks.blocking.replace(blocking).is_some()),
            Some("checkpoint") => checkpoint(&attribute, diag)
                .is_some_and(|checkpoint| marks.checkpoint.replace(checkpoint).is_some()),
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

/// `#[checkpoint]`, `#[checkpoint(break)]`; `None` once an error is reported.
fn checkpoint(attribute: &Attribute, diag: &mut Diag) -> Option<Checkpoint> {
    let span = attribute.path().span();
    if let Meta::Path(_) = attribute.meta {
        return Some(Checkpoint { span, way: None });
    }
    let way = attribute.parse_args_with(way).ok().flatten();
    if way.is_none() {
        diag.error(
            span,
            "`checkpoint` takes no options except what a stop leaves: write `#[checkpoint]`, \
             `#[checkpoint(break)]` or `#[checkpoint(return)]`",
        );
    }
    way.map(|way| Checkpoint { span, way: Some(way) })
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
