//! Questions about control flow that the plan asks: exits, endless loops, and
//! what is evaluated first.

use syn::visit::{self, Visit};
use syn::{
    BinOp, Block, Expr, ExprBreak, ExprClosure, ExprLoop, ExprReturn, ExprTry, Item, Label,
    Lifetime, Stmt,
};

use crate::node;
use crate::table::hints::{REPEATING, UNENDING};

/// Whether a `break VALUE` leaves `looping` itself.
pub(crate) fn breaks_with_value(looping: &ExprLoop) -> bool {
    breaks(looping).1
}

/// Whether `expr` is a `loop` that no `break` of the user's leaves.
pub(crate) fn is_endless(expr: &Expr) -> bool {
    match expr {
        Expr::Group(group) => is_endless(&group.expr),
        Expr::Loop(looping) => !breaks(looping).0,
        _ => false,
    }
}

/// Whether only a stop, a `return` or a `?` ends `looping`: a `loop`, `while true`, or
/// a `for` over what never ends, without a `break` of its own.
pub(crate) fn never_ends(looping: &Expr) -> bool {
    let (label, body) = match looping {
        Expr::Loop(e) => (&e.label, &e.body),
        Expr::While(e) if is_true(&e.cond) => (&e.label, &e.body),
        Expr::ForLoop(e) if is_unending(&e.expr) => (&e.label, &e.body),
        _ => return false,
    };
    !breaks_of(label.as_ref(), body).0
}

fn is_true(condition: &Expr) -> bool {
    match node::bare(condition) {
        Expr::Lit(literal) => matches!(&literal.lit, syn::Lit::Bool(truth) if truth.value),
        _ => false,
    }
}

/// `listener.incoming()`, `0..`, `list.iter().cycle()`, `iter::repeat(…)`
fn is_unending(head: &Expr) -> bool {
    match node::bare(head) {
        Expr::MethodCall(call) => UNENDING.iter().any(|name| call.method == name),
        Expr::Call(call) => match node::bare(&call.func) {
            Expr::Path(path) => path
                .path
                .segments
                .last()
                .is_some_and(|last| REPEATING.iter().any(|name| last.ident == name)),
            _ => false,
        },
        Expr::Range(range) => range.start.is_some() && range.end.is_none(),
        _ => false,
    }
}

/// Whether a `break` leaves `looping`, and whether one does with a value.
fn breaks(looping: &ExprLoop) -> (bool, bool) {
    breaks_of(looping.label.as_ref(), &looping.body)
}

fn breaks_of(label: Option<&Label>, body: &Block) -> (bool, bool) {
    let label = label.map(|label| &label.name);
    let mut search = Breaks { label, depth: 0, any: false, valued: false };
    search.visit_block(body);
    (search.any, search.valued)
}

struct Breaks<'a> {
    label: Option<&'a Lifetime>,
    /// Loops between the one asked about and the place being visited.
    depth: usize,
    any: bool,
    valued: bool,
}

impl<'ast> Visit<'ast> for Breaks<'_> {
    fn visit_expr_break(&mut self, e: &'ast ExprBreak) {
        let ours = match (&e.label, self.label) {
            (None, _) => self.depth == 0,
            (Some(named), Some(own)) => named.ident == own.ident,
            (Some(_), None) => false,
        };
        if ours {
            self.any = true;
            self.valued |= e.expr.is_some();
        }
        visit::visit_expr_break(self, e);
    }

    fn visit_expr(&mut self, expr: &'ast Expr) {
        match expr {
            Expr::Loop(_) | Expr::While(_) | Expr::ForLoop(_) => {
                self.depth += 1;
                visit::visit_expr(self, expr);
                self.depth -= 1;
            }
            Expr::Closure(_) | Expr::Async(_) | Expr::Const(_) => {}
            _ => visit::visit_expr(self, expr),
        }
    }

    fn visit_item(&mut self, _: &'ast Item) {}
}

/// Whether a closure's body has `return VALUE` or `?` of its own.
pub(crate) fn has_valued_exit(body: &Expr) -> bool {
    let mut search = Exits(false);
    search.visit_expr(body);
    search.0
}

struct Exits(bool);

impl<'ast> Visit<'ast> for Exits {
    fn visit_expr_return(&mut self, e: &'ast ExprReturn) {
        self.0 |= e.expr.is_some();
        visit::visit_expr_return(self, e);
    }

    fn visit_expr_try(&mut self, _: &'ast ExprTry) {
        self.0 = true;
    }

    fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}

    fn visit_expr_async(&mut self, _: &'ast syn::ExprAsync) {}

    fn visit_item(&mut self, _: &'ast Item) {}
}

/// Whether a closure's body ends in an expression that may have a value.
pub(crate) fn has_tail_value(body: &Expr) -> bool {
    let block = |block: &Block| match block.stmts.last() {
        Some(Stmt::Expr(tail, None)) => has_tail_value(tail),
        _ => false,
    };
    match body {
        Expr::Block(e) => block(&e.block),
        Expr::Unsafe(e) => block(&e.block),
        Expr::Group(e) => has_tail_value(&e.expr),
        Expr::If(e) => {
            e.else_branch.as_ref().is_some_and(|(_, other)| has_tail_value(other))
                && block(&e.then_branch)
        }
        Expr::Match(e) => e.arms.iter().any(|arm| has_tail_value(&arm.body)),
        Expr::Tuple(e) => !e.elems.is_empty(),
        Expr::Binary(e) => !is_assignment(e.op),
        Expr::Loop(_)
        | Expr::While(_)
        | Expr::ForLoop(_)
        | Expr::Assign(_)
        | Expr::Macro(_)
        | Expr::Break(_)
        | Expr::Continue(_)
        | Expr::Return(_) => false,
        _ => true,
    }
}

/// Whether evaluating `expr` twice does nothing that evaluating it once does not.
pub(crate) fn is_place(expr: &Expr) -> bool {
    match expr {
        Expr::Path(_) => true,
        Expr::Field(e) => is_place(&e.base),
        Expr::Index(e) => is_place(&e.expr) && is_pure(&e.index),
        Expr::Unary(e) => matches!(e.op, syn::UnOp::Deref(_)) && is_place(&e.expr),
        Expr::Paren(e) => is_place(&e.expr),
        Expr::Group(e) => node::id(e).is_none() && is_place(&e.expr),
        _ => false,
    }
}

/// Whether evaluating `expr` cannot do or break anything.
pub(crate) fn is_pure(expr: &Expr) -> bool {
    match expr {
        Expr::Path(_) | Expr::Lit(_) => true,
        Expr::Field(e) => is_pure(&e.base),
        Expr::Reference(e) => is_pure(&e.expr),
        Expr::Paren(e) => is_pure(&e.expr),
        Expr::Cast(e) => is_pure(&e.expr),
        Expr::Unary(e) => is_pure(&e.expr),
        Expr::Group(e) => node::id(e).is_none() && is_pure(&e.expr),
        _ => false,
    }
}

/// Whether the first thing that `statement` does is the call in a node that `tests`.
pub(crate) fn begins(statement: &Stmt, tests: &dyn Fn(usize) -> bool) -> bool {
    match statement {
        Stmt::Local(local) => {
            local.init.as_ref().is_some_and(|init| begins_expr(&init.expr, tests))
        }
        Stmt::Expr(expr, _) => begins_expr(expr, tests),
        Stmt::Item(_) | Stmt::Macro(_) => false,
    }
}

/// The same of an expression.
pub(crate) fn begins_expr(expr: &Expr, tests: &dyn Fn(usize) -> bool) -> bool {
    let first = match expr {
        Expr::Group(e) => match node::id(e) {
            Some(id) => return tests(id) && has_pure_operands(&e.expr),
            None => &e.expr,
        },
        Expr::Paren(e) => &e.expr,
        Expr::Try(e) => &e.expr,
        Expr::Field(e) => &e.base,
        Expr::Cast(e) => &e.expr,
        Expr::Reference(e) => &e.expr,
        Expr::Unary(e) => &e.expr,
        Expr::Let(e) => &e.expr,
        Expr::Match(e) => &e.expr,
        Expr::If(e) => &e.cond,
        Expr::Index(e) => &e.expr,
        Expr::MethodCall(e) => &e.receiver,
        // Of `x += y` the right side is evaluated first, or the left: it depends on the types.
        Expr::Binary(e) if !is_assignment(e.op) => &e.left,
        Expr::Assign(e) if is_pure(&e.left) => &e.right,
        _ => return false,
    };
    begins_expr(first, tests)
}

fn has_pure_operands(call: &Expr) -> bool {
    match call {
        Expr::MethodCall(e) => is_pure(&e.receiver) && e.args.iter().all(is_pure),
        Expr::Call(e) => is_pure(&e.func) && e.args.iter().all(is_pure),
        _ => false,
    }
}

fn is_assignment(op: BinOp) -> bool {
    matches!(
        op,
        BinOp::AddAssign(_)
            | BinOp::SubAssign(_)
            | BinOp::MulAssign(_)
            | BinOp::DivAssign(_)
            | BinOp::RemAssign(_)
            | BinOp::BitXorAssign(_)
            | BinOp::BitAndAssign(_)
            | BinOp::BitOrAssign(_)
            | BinOp::ShlAssign(_)
            | BinOp::ShrAssign(_)
    )
}
