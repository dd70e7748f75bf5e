//! `Plan` to tokens. Nothing can fail here: `plan` has refused what cannot be.
//!
//! Generated tokens are hygienic (`mixed_site`) and lie where the user's call
//! lies, so that no name of the user's is shadowed, rustc points at the call,
//! and lints leave the generated parts alone.

mod call;
mod exit;
mod imports;
mod lock;
mod loops;
mod shield;

use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::visit_mut::{self, VisitMut};
use syn::{AttrStyle, Attribute, Expr, Item};

use crate::plan::{Plan, Step};
use crate::{marks, node};
use exit::Exits;

/// The function with every node replaced.
pub(crate) fn expand(plan: Plan) -> TokenStream {
    let Plan { mut function, steps, traits, or, root } = plan;
    let mut writer = Writer { steps, exits: Exits::new(or, root) };
    writer.visit_block_mut(&mut function.block);
    let first = imports::statements(&writer.exits, &traits);
    function.block.stmts.splice(0..0, first).for_each(drop);
    function.into_token_stream()
}

struct Writer {
    steps: Vec<Step>,
    exits: Exits,
}

impl VisitMut for Writer {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        // Inside out: what a node holds is finished before the node is replaced.
        visit_mut::visit_expr_mut(self, expr);
        let Expr::Group(group) = expr else { return };
        let Some(id) = node::id(group) else { return };
        let mut inner = std::mem::replace(&mut *group.expr, Expr::PLACEHOLDER);
        // `#[cfg(…)] #[blocking] f();` speaks of all that becomes of the call.
        let outer: Vec<Attribute> = marks::attributes(&mut inner)
            .map(|all| all.extract_if(.., |one| matches!(one.style, AttrStyle::Outer)).collect())
            .unwrap_or_default();
        *expr = match &self.steps[id] {
            Step::Call { change, leave } => call::call(&self.exits, inner, change, leave),
            Step::Loop(turn) => loops::repetition(&self.exits, inner, turn),
            Step::Shield => shield::shielded(&self.exits, inner),
        };
        if let Some(attributes) = marks::attributes(expr) {
            attributes.splice(0..0, outer).for_each(drop);
        }
    }

    /// Nested items are functions of their own.
    fn visit_item_mut(&mut self, _: &mut Item) {}
}
