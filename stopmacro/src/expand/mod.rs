//! `Plan` to tokens. Nothing can fail here: `plan` has refused what cannot be.
//!
//! Generated tokens are hygienic (`mixed_site`) and lie where the user's call
//! lies, so that no name of the user's is shadowed, rustc points at the call,
//! and lints leave the generated parts alone.

mod before;
mod call;
mod exit;
mod imports;
mod lock;
mod loops;
mod shield;
mod words;

use proc_macro2::TokenStream;
use quote::ToTokens as _;
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{
    AttrStyle, Attribute, Expr, ExprField, ExprTry, ExprTuple, Index, Item, Member, Stmt, Token,
    token,
};

use crate::plan::{Plan, Step, flow};
use crate::{marks, node};
use exit::Exits;

/// The function with every node replaced.
pub(crate) fn expand(plan: Plan) -> TokenStream {
    let Plan { mut function, steps, traits, exit, or, root } = plan;
    let mut writer = Writer { steps, exits: Exits::new(or, root), thrown: None };
    writer.visit_block_mut(&mut function.block);
    let mut first = imports::statements(&writer.exits, &traits);
    first.extend(exit.map(|kind| writer.exits.of_function(&kind)));
    function.block.stmts.splice(0..0, first).for_each(drop);
    function.into_token_stream()
}

struct Writer {
    steps: Vec<Step>,
    exits: Exits,
    /// The node of a call whose amount of bytes is thrown away, and its plain statement.
    thrown: Option<(usize, TokenStream)>,
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
            Step::Call(marked) => {
                let thrown = self.thrown.take_if(|(node, _)| *node == id).map(|thrown| thrown.1);
                call::call(&self.exits, inner, marked, thrown.as_ref())
            }
            Step::Loop(turn) => loops::repetition(&self.exits, inner, turn),
            Step::Shield => shield::shielded(&self.exits, inner),
        };
        if let Some(attributes) = marks::attributes(expr) {
            attributes.splice(0..0, outer).for_each(drop);
        }
    }

    /// A marked call whose value is thrown away becomes an operand at the user's place,
    /// where rustc then says that the value is unused.
    ///
    /// ```text
    /// Input:  stream.write_all(b"x");
    /// Output: (match …,).0;
    /// ```
    fn visit_stmt_mut(&mut self, statement: &mut Stmt) {
        let dropped = match &*statement {
            Stmt::Expr(Expr::Group(group), Some(_)) => node::id(group)
                .filter(|id| matches!(self.steps[*id], Step::Call(_)))
                .and_then(|_| group.expr.to_token_stream().into_iter().next()),
            _ => None,
        };
        if let Stmt::Expr(expr, Some(_)) = &*statement {
            self.thrown = thrown(expr);
        }
        visit_mut::visit_stmt_mut(self, statement);
        if let (Some(first), Stmt::Expr(expr, _)) = (dropped, statement) {
            let span = first.span();
            let attrs = marks::attributes(expr).map(std::mem::take).unwrap_or_default();
            let value = std::mem::replace(expr, Expr::PLACEHOLDER);
            let paren_token = token::Paren(span);
            let mut elems = Punctuated::from_iter([value]);
            elems.push_punct(Token![,](span));
            *expr = Expr::Field(ExprField {
                attrs,
                base: Box::new(Expr::Tuple(ExprTuple { attrs: Vec::new(), paren_token, elems })),
                dot_token: Token![.](span),
                member: Member::Unnamed(Index { index: 0, span }),
            });
        }
    }

    /// Nested items are functions of their own.
    fn visit_item_mut(&mut self, _: &mut Item) {}
}

/// The plain form of a statement that does not look how many bytes were read or written.
fn thrown(expr: &Expr) -> Option<(usize, TokenStream)> {
    let Expr::Try(outer) = expr else { return None };
    let Expr::Group(group) = &*outer.expr else { return None };
    let (id, Expr::MethodCall(call)) = (node::id(group)?, &*group.expr) else { return None };
    let is_it = ["read", "write"].iter().any(|name| call.method == name);
    let plain = || {
        let expr = group.expr.clone();
        ExprTry { attrs: Vec::new(), expr, question_token: outer.question_token }
    };
    // Marks in its operands are not plain.
    let is_plain = flow::is_pure(&call.receiver) && call.args.iter().all(flow::is_pure);
    (is_it && is_plain).then(|| (id, plain().into_token_stream()))
}
