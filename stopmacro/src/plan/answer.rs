//! What a stop leaves: the outermost loop, or the function.
//!
//! Behind a loop that only a stop can end there is the clean-up. Behind one that can
//! end by itself, in a function that returns a value, `Ok(half)` looks whole: there the
//! marks have to say which of the two is meant, one answer for the whole loop.

use proc_macro2::Span;
use syn::visit::{self, Visit};
use syn::{Expr, ExprAsync, ExprClosure, ExprConst, ExprGroup, Item};

use super::flow;
use super::scope::Scope;
use crate::diag::Diag;
use crate::marks::{Form, Way};
use crate::node;
use crate::parse::{Loop, Node};

/// Whether a stop in this outermost loop leaves what is around it as well.
pub(crate) fn passed(
    scope: &Scope,
    nodes: &[Node],
    (marks, looping): (&Loop, &Expr),
    valued: bool,
    diag: &mut Diag,
) -> bool {
    let mut found = Answers { nodes, first: None, given: Vec::new() };
    found.of_loop(marks);
    match looping {
        // The iterator is made before the loop.
        Expr::ForLoop(e) => found.visit_block(&e.body),
        other => visit::visit_expr(&mut found, other),
    }
    let Some((mark, form)) = found.first else {
        return valued;
    };
    let given = found.given.first().map(|(way, _)| *way);
    for (way, place) in &found.given {
        if valued && *way == Way::Break {
            diag.error(
                *place,
                "the value of the loop is used, so a stop cannot `break` it: take `break` away",
            );
        } else if Some(*way) != given {
            diag.error(
                *place,
                "a stop leaves this loop in one way, and another mark in it says the other: keep \
                 one of `break` and `return`",
            );
        }
    }
    let way = given.or(scope.way);
    if way.is_none() && !valued && scope.valued && !flow::never_ends(looping) {
        diag.error(
            mark,
            format!(
                "this loop can end by itself, and what follows it could not tell a stop from \
                 that: {} leaves the loop as `break` does, {} leaves the function; \
                 `#[stoppable(break)]` or `#[stoppable(return)]` answers for all its loops",
                form.with("break"),
                form.with("return"),
            ),
        );
    }
    valued || way == Some(Way::Return)
}

/// The marks in a loop, and what they say.
struct Answers<'a> {
    nodes: &'a [Node],
    /// Where the question is put.
    first: Option<(Span, Form)>,
    given: Vec<(Way, Span)>,
}

impl Answers<'_> {
    fn mark(&mut self, span: Span, form: Form, way: Option<Way>) {
        self.first.get_or_insert((span, form));
        self.given.extend(way.map(|way| (way, span)));
    }

    fn of_loop(&mut self, marks: &Loop) {
        if let Some(span) = marks.blocking.or(marks.checkpoint) {
            self.mark(span, marks.form(), marks.way);
        }
    }
}

impl<'ast> Visit<'ast> for Answers<'_> {
    fn visit_expr_group(&mut self, group: &'ast ExprGroup) {
        let nodes = self.nodes;
        match node::id(group).map(|id| &nodes[id]) {
            Some(Node::Call(blocking)) => self.mark(blocking.span, blocking.form, blocking.way),
            Some(Node::Loop(marks)) => self.of_loop(marks),
            Some(Node::Shield) | None => {}
        }
        self.visit_expr(&group.expr);
    }

    // Code of its own.
    fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}

    fn visit_expr_async(&mut self, _: &'ast ExprAsync) {}

    fn visit_expr_const(&mut self, _: &'ast ExprConst) {}

    fn visit_item(&mut self, _: &'ast Item) {}
}
