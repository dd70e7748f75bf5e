//! Functions that cannot be stoppable, whatever is in them.

use syn::spanned::Spanned as _;
use syn::{ItemFn, ReturnType, Signature, Type};

use crate::diag::Diag;

/// Refuses functions that a stop cannot leave.
pub(crate) fn signature(function: &ItemFn, diag: &mut Diag) {
    let Signature { constness, asyncness, output, .. } = &function.sig;
    if let Some(token) = asyncness {
        diag.error(
            token.span,
            "an `async fn` does not block its thread: drop its future to stop it, and keep \
             `#[stoppable]` for functions that block",
        );
    }
    if let Some(token) = constness {
        diag.error(token.span, "a `const fn` cannot block: take `const` or `#[stoppable]` away");
    }
    if let ReturnType::Type(_, kind) = output
        && let Type::Never(never) = &**kind
    {
        diag.error(
            never.bang_token.span,
            "a function that returns `!` cannot be left by a stop: let it return `()`",
        );
    }
    for attribute in &function.attrs {
        if attribute.path().segments.last().is_some_and(|last| last.ident == "stoppable") {
            diag.error(
                attribute.path().span(),
                "`#[stoppable]` is here twice: keep one of the two",
            );
        }
    }
}

/// Whether a function of this type returns `()`.
pub(crate) fn is_unit(output: &ReturnType) -> bool {
    match output {
        ReturnType::Default => true,
        ReturnType::Type(_, kind) => {
            matches!(&**kind, Type::Tuple(tuple) if tuple.elems.is_empty())
        }
    }
}
