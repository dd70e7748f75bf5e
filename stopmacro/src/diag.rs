//! The errors of one expansion, gathered and reported together.
//!
//! Each message says what is wrong, where the thing belongs and what to write
//! instead, and points at the smallest token the user typed.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use syn::Error;

/// Collects errors, so that one build shows all of them.
#[derive(Default)]
pub(crate) struct Diag {
    errors: Option<Error>,
}

impl Diag {
    /// Adds an error at `span`.
    pub(crate) fn error(&mut self, span: Span, message: impl Display) {
        self.push(Error::new(span, message));
    }

    /// Adds an error that syn made.
    pub(crate) fn push(&mut self, error: Error) {
        match &mut self.errors {
            Some(errors) => errors.combine(error),
            None => self.errors = Some(error),
        }
    }

    /// Adds those of another.
    pub(crate) fn append(&mut self, other: Diag) {
        other.errors.into_iter().for_each(|errors| self.push(errors));
    }

    /// Whether nothing has been reported so far.
    pub(crate) fn is_clean(&self) -> bool {
        self.errors.is_none()
    }

    /// One `compile_error!` for each error, in the order they were found.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.errors.map_or_else(TokenStream::new, Error::into_compile_error)
    }
}

/// "`a` and `b`", "`a`, `b` and `c`": the candidates in a message.
pub(crate) fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}
