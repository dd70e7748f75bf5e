//! The walk through the function that decides about each node.

use std::collections::BTreeSet;

use proc_macro2::Span;
use syn::visit::{self, Visit};
use syn::{Block, Expr, ExprClosure, Item, Local, ReturnType, Stmt};

use super::receivers::Receivers;
use super::scope::{Leave, Scope};
use super::step::{Change, Step, Turn};
use super::{answer, flow, refuse, scope};
use crate::calls;
use crate::diag::Diag;
use crate::node;
use crate::parse::{Loop, Node};

/// What a walk comes to.
pub(crate) struct Decisions {
    pub(crate) steps: Vec<Step>,
    pub(crate) traits: BTreeSet<&'static str>,
    /// A marked call or a `#[checkpoint]` has been seen.
    pub(crate) stoppable: bool,
}

pub(crate) struct Planner<'a> {
    nodes: &'a [Node],
    pub(crate) decisions: Decisions,
    strict: bool,
    pub(super) scope: Scope,
    pub(super) receivers: Receivers,
    /// Whether the value of the expression about to be visited is used.
    used: bool,
    /// How many `#[unstoppable]` are around.
    shields: usize,
    pub(super) diag: &'a mut Diag,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(
        nodes: &'a [Node],
        scope: Scope,
        receivers: Receivers,
        strict: bool,
        diag: &'a mut Diag,
    ) -> Self {
        let steps = nodes.iter().map(|_| Step::Shield).collect();
        let decisions = Decisions { steps, traits: BTreeSet::new(), stoppable: false };
        Self { nodes, decisions, strict, scope, receivers, used: true, shields: 0, diag }
    }

    /// Where a stop goes from here, and that it is a place a stop may go from.
    pub(super) fn leave(&mut self, mark: Span) -> Leave {
        self.decisions.stoppable = true;
        if self.shields > 0 {
            self.diag.error(
                mark,
                "nothing stops inside `#[unstoppable]`: move the call out of it or take this mark \
                 away",
            );
        }
        let (leave, hidden) = self.scope.leave();
        if let Some(hidden) = hidden {
            self.diag.error(
                hidden.span(),
                "this label hides the label of the outermost loop, which a stop leaves: give one \
                 of them another name",
            );
        }
        leave
    }

    fn repetition(&mut self, id: usize, marks: &Loop, expr: &Expr, used: bool) {
        let (label, valued) = match expr {
            Expr::Loop(e) => (&e.label, used || flow::breaks_with_value(e)),
            Expr::While(e) => (&e.label, false),
            Expr::ForLoop(e) => {
                // The iterator is made once, before the loop.
                self.head(&e.expr, marks.blocking.is_some());
                (&e.label, false)
            }
            _ => return,
        };
        let passed = if self.scope.is_outside() && self.shields == 0 && !marks.unstoppable {
            answer::passed(&self.scope, self.nodes, (marks, expr), valued, self.diag)
        } else {
            valued
        };
        self.shields += usize::from(marks.unstoppable);
        self.scope.enter(id, label.as_ref(), passed);
        let each = marks.blocking.map(|mark| {
            self.scope.mark();
            self.leave(mark)
        });
        if let Some(mark) = marks.checkpoint {
            self.leave(mark);
        }
        match expr {
            Expr::Loop(e) => self.block(&e.body, false),
            Expr::While(e) => {
                self.visit_expr(&e.cond);
                self.block(&e.body, false);
            }
            Expr::ForLoop(e) => {
                self.visit_pat(&e.pat);
                self.block(&e.body, false);
            }
            _ => {}
        }
        let due = marks.checkpoint.is_some() || self.scope.is_marked() && !self.tested(expr);
        let check =
            (due && each.is_none() && self.shields == 0).then(|| self.leave(Span::call_site()));
        self.shields -= usize::from(marks.unstoppable);
        let label = self.scope.exit();
        self.decisions.steps[id] =
            Step::Loop(Turn { label, check, each, shield: marks.unstoppable });
    }

    /// The head of a `for`; in a marked one the outermost call is accounted for.
    fn head(&mut self, head: &Expr, marked: bool) {
        match node::bare(head) {
            Expr::MethodCall(call) if marked => {
                if let Some(names) = calls::head(call) {
                    self.decisions.traits.extend(names);
                }
                self.parts(head);
            }
            _ => self.visit_expr(head),
        }
    }

    /// Whether each round of the loop begins with a marked call. They all test the
    /// flag, so a checkpoint before it would be one test too many.
    fn tested(&self, expr: &Expr) -> bool {
        let tests = |id: usize| match &self.decisions.steps[id] {
            // EXPR of `readable = EXPR` or `within = EXPR` comes before the test.
            Step::Call(marked) => {
                let on = match &marked.change {
                    Change::Wait { on, .. } => Some(on),
                    Change::By(_) | Change::AsIs | Change::Foreign { .. } | Change::Unblock(_) => {
                        None
                    }
                };
                on.into_iter().chain(&marked.within).all(flow::is_pure)
            }
            Step::Loop(_) | Step::Shield => false,
        };
        match expr {
            Expr::Loop(e) => e.body.stmts.first().is_some_and(|first| flow::begins(first, &tests)),
            Expr::While(e) => flow::begins_expr(&e.cond, &tests),
            _ => false,
        }
    }

    /// The statements of a block whose value is `used`.
    pub(crate) fn block(&mut self, block: &Block, used: bool) {
        let is_item = |statement: &Stmt| matches!(statement, Stmt::Item(_));
        let last = block.stmts.iter().rposition(|statement| !is_item(statement)).unwrap_or(0);
        for (at, statement) in block.stmts.iter().enumerate() {
            match statement {
                Stmt::Expr(expr, semi) => {
                    // `loop { … };` at the end of a block with a value: the
                    // block has that value only because nothing gets past the loop.
                    let tail = at == last && (semi.is_none() || flow::is_endless(expr));
                    self.used = used && tail;
                    self.visit_expr(expr);
                }
                other => {
                    self.used = true;
                    self.visit_stmt(other);
                }
            }
        }
        self.used = true;
    }

    /// The parts of an expression, the values of which are used.
    pub(super) fn parts(&mut self, expr: &Expr) {
        self.used = true;
        visit::visit_expr(self, expr);
    }

    fn closure(&mut self, closure: &ExprClosure) {
        let used = match &closure.output {
            // Without a type, what the closure returns is what its exits say;
            // if it has none, a stop makes it `()`.
            ReturnType::Default => flow::has_valued_exit(&closure.body),
            output @ ReturnType::Type(..) => !refuse::is_unit(output),
        };
        let valued = used || flow::has_tail_value(&closure.body);
        let scope =
            Scope::new(Leave::Return(scope::type_of(&closure.output)), valued, self.scope.way);
        let outer = std::mem::replace(&mut self.scope, scope);
        self.used = used;
        self.visit_expr(&closure.body);
        self.scope = outer;
    }

    /// `strict`: an unmarked call that the table knows.
    fn unmarked(&mut self, call: &Expr) {
        if !self.strict || self.shields > 0 {
            return;
        }
        let remedy = match call {
            Expr::MethodCall(method) if method.method == "incoming" && method.args.is_empty() => {
                "mark the loop over it with `#[blocking]`"
            }
            other if calls::blocks(other) && refuse::lock_before(other).is_some() => {
                "it waits for a lock before, so mark both, `blocking!(blocking!(….lock()).unwrap().…)`, \
                 with a lock of `stopruntime::sync`, or bind the guard with `let` first and mark the \
                 call alone, or put both under `#[unstoppable]`"
            }
            other if calls::blocks(other) => {
                "mark it with `#[blocking]`, or put it under `#[unstoppable]`"
            }
            _ => return,
        };
        self.diag.error(
            calls::span(call),
            format!("`{}` blocks and is not marked: {remedy}", calls::name(call)),
        );
    }
}

impl<'ast> Visit<'ast> for Planner<'_> {
    fn visit_expr(&mut self, expr: &'ast Expr) {
        let used = std::mem::replace(&mut self.used, true);
        let nodes = self.nodes;
        match expr {
            Expr::Group(group) => {
                let node = node::id(group).map(|id| (id, &nodes[id]));
                match node {
                    Some((id, Node::Call(blocking))) => self.marked_call(id, blocking, &group.expr),
                    Some((id, Node::Loop(marks))) => self.repetition(id, marks, &group.expr, used),
                    inner => {
                        let shield = usize::from(inner.is_some());
                        self.shields += shield;
                        self.used = used;
                        self.visit_expr(&group.expr);
                        self.shields -= shield;
                    }
                }
            }
            Expr::Paren(paren) => {
                self.used = used;
                self.visit_expr(&paren.expr);
            }
            Expr::Block(e) => {
                let depth = self.scope.enter_block(e.label.as_ref());
                self.block(&e.block, used);
                self.scope.exit_block(depth);
            }
            Expr::Unsafe(e) => self.block(&e.block, used),
            Expr::If(e) => {
                self.visit_expr(&e.cond);
                self.block(&e.then_branch, used);
                if let Some((_, other)) = &e.else_branch {
                    self.used = used;
                    self.visit_expr(other);
                }
            }
            Expr::Match(e) => {
                self.visit_expr(&e.expr);
                for arm in &e.arms {
                    self.visit_pat(&arm.pat);
                    self.used = used;
                    self.visit_expr(&arm.body);
                }
            }
            Expr::Closure(e) => self.closure(e),
            Expr::MethodCall(_) | Expr::Call(_) => {
                self.unmarked(expr);
                self.parts(expr);
            }
            // Code that runs elsewhere: `leftover` has looked at it.
            Expr::Async(_) | Expr::Const(_) => {}
            _ => self.parts(expr),
        }
        self.used = true;
    }

    fn visit_local(&mut self, local: &'ast Local) {
        let Some(init) = &local.init else { return };
        self.used = true;
        self.visit_expr(&init.expr);
        if let Some((_, otherwise)) = &init.diverge {
            self.used = true;
            self.visit_expr(otherwise);
        }
    }

    fn visit_item(&mut self, _: &'ast Item) {}
}
