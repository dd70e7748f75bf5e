//! What a mark says of its call.

use proc_macro2::Span;
use syn::parse::ParseStream;
use syn::{Expr, Ident, Result, Token};

/// How a marked call is made stop-checked.
#[derive(Clone)]
pub(crate) enum How {
    /// By its variant.
    Plain,
    /// `as_is`: it stops by itself, whatever the table says.
    AsIs,
    /// `readable`, `writable`: a stop-checked wait for the descriptor first.
    Ready(Ready),
    /// `foreign`, `foreign_reset`: in a region where a stop makes its system calls fail.
    Foreign {
        /// Those of sockets say that the connection is reset.
        resets: bool,
    },
    /// `unblock = EXPR`: what another thread runs to end it.
    Unblock(Box<Expr>),
}

/// `readable`, `writable = EXPR`: what is waited for, and on what.
#[derive(Clone)]
pub(crate) struct Ready {
    /// The option's name. The function in `expansion` has the same one.
    pub(crate) word: Ident,
    /// The descriptor where it is not the call's receiver.
    pub(crate) on: Option<Expr>,
}

/// What a stop leaves where a loop can end by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// `break`: the outermost loop.
    Break,
    /// `return`: the function.
    Return,
}

/// Where a mark was written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `#[blocking]` above a statement.
    Statement,
    /// `blocking!(…)`: a call written straight into the parentheses is the one meant.
    Parentheses,
    /// `#[checkpoint]`.
    Checkpoint,
}

impl Form {
    /// A mark of this form with an option, as it is to be written.
    pub(crate) fn with(self, option: &str) -> String {
        match self {
            Form::Statement => format!("`#[blocking({option})]`"),
            Form::Parentheses => format!("`blocking!({option}, …)`"),
            Form::Checkpoint => format!("`#[checkpoint({option})]`"),
        }
    }
}

/// A `#[blocking]` or `blocking!`, and where it stands.
#[derive(Clone)]
pub(crate) struct Blocking {
    pub(crate) span: Span,
    pub(crate) form: Form,
    pub(crate) how: How,
    pub(crate) way: Option<Way>,
    /// `within = EXPR`: how long the call may take.
    pub(crate) within: Option<Expr>,
}

/// `break` or `return`, if one of them comes next.
pub(crate) fn way(input: ParseStream<'_>) -> Result<Option<Way>> {
    Ok(if input.parse::<Option<Token![break]>>()?.is_some() {
        Some(Way::Break)
    } else if input.parse::<Option<Token![return]>>()?.is_some() {
        Some(Way::Return)
    } else {
        None
    })
}
