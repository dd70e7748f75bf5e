//! Marks that `parse` did not come by: each is reported with the reason why
//! it has no effect where it stands.

use proc_macro2::Span;
use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{Attribute, Block, ExprAsync, ExprClosure, ExprConst, Item, Macro};

use crate::diag::Diag;
use crate::{fallback, marks};

/// Reports every mark that is still in `block`.
pub(crate) fn report(block: &Block, diag: &mut Diag) {
    Leftovers { diag }.visit_block(block);
}

struct Leftovers<'a> {
    diag: &'a mut Diag,
}

impl Leftovers<'_> {
    fn all(&mut self, tokens: &proc_macro2::TokenStream, reason: &dyn Fn(&str) -> String) {
        fallback::find(tokens, &mut |name, span: Span| {
            self.diag.error(span, reason(name));
        });
    }
}

impl<'ast> Visit<'ast> for Leftovers<'_> {
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let Some(name) = marks::name(attribute) else {
            return;
        };
        let remedy = match name {
            "blocking" => {
                "put it above the statement with the call, or write `blocking!(…)` around the call"
            }
            "checkpoint" => "put it above a loop",
            _ => "put it above a block or a loop",
        };
        self.diag
            .error(attribute.path().span(), format!("`#[{name}]` has no effect here: {remedy}"));
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let name = call.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default();
        if name == "blocking" {
            let said = if call.path.segments.len() > 1 {
                "a mark has no path: write `blocking!(…)`"
            } else {
                "`blocking!(…)` stands for an expression: put it around a call"
            };
            self.diag.error(call.path.span(), said);
            return;
        }
        if name == "macro_rules" {
            self.all(&call.tokens, &|_| {
                "a macro is expanded after `#[stoppable]` has looked for marks: make what it \
                 does a `#[stoppable]` function, or mark the call where it stands"
                    .to_owned()
            });
            return;
        }
        self.all(&call.tokens, &|_| {
            format!(
                "a mark cannot be seen inside the arguments of `{name}!`: bind the result with \
                 `let` first, mark that, and hand the variable to `{name}!`"
            )
        });
    }

    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Fn(function) => {
                let name = &function.sig.ident;
                if let Some(own) = function.attrs.iter().find(|own| marks::name(own).is_some()) {
                    self.diag.error(
                        own.path().span(),
                        "a mark goes on a statement: put `#[stoppable]` on this function and the \
                         marks on the calls in it",
                    );
                    return;
                }
                self.all(&item.to_token_stream(), &|_| {
                    format!(
                        "this mark belongs to the function `{name}`, which has no `#[stoppable]`: \
                         put `#[stoppable]` on `{name}`"
                    )
                });
            }
            Item::Macro(call) => self.visit_macro(&call.mac),
            _ => self.all(&item.to_token_stream(), &|_| {
                "this mark is in an item of its own: put `#[stoppable]` on the function it is in"
                    .to_owned()
            }),
        }
    }

    fn visit_expr_async(&mut self, block: &'ast ExprAsync) {
        self.all(&block.to_token_stream(), &in_async);
    }

    fn visit_expr_closure(&mut self, closure: &'ast ExprClosure) {
        if closure.asyncness.is_some() {
            self.all(&closure.to_token_stream(), &in_async);
        } else {
            visit::visit_expr_closure(self, closure);
        }
    }

    fn visit_expr_const(&mut self, block: &'ast ExprConst) {
        self.all(&block.to_token_stream(), &|_| {
            "a `const` block is evaluated by the compiler and cannot be stopped: take the mark \
             out of it"
                .to_owned()
        });
    }
}

fn in_async(_: &str) -> String {
    "a marked call blocks its thread, which async code must not: await the call's async \
     counterpart, or move it to a thread of its own"
        .to_owned()
}
