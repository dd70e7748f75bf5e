//! `Input` to `Plan`: for each node what it becomes and where a stop goes from
//! there. Everything that can be refused is refused here, so that `expand`
//! need not fail.

use std::collections::BTreeSet;

use proc_macro2::Span;
use quote::format_ident;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{
    Block, Expr, ExprClosure, Item, ItemFn, Lifetime, Local, ReturnType, Signature, Stmt, Type,
};

use crate::calls::{self, Operation};
use crate::diag::Diag;
use crate::flow;
use crate::marks::{Blocking, How, Ready};
use crate::node;
use crate::parse::{Input, Loop, Node};

/// The function and, for each node by its number, what to do with it.
pub(crate) struct Plan {
    pub(crate) function: ItemFn,
    pub(crate) steps: Vec<Step>,
    /// The extension traits to import, from `stopruntime::private`.
    pub(crate) traits: BTreeSet<&'static str>,
    /// `or = EXPR`.
    pub(crate) or: Option<Expr>,
}

/// What becomes of a node.
pub(crate) enum Step {
    /// A marked call.
    Call { change: Change, leave: Leave },
    /// A loop.
    Loop(Turn),
    /// A block with requests held.
    Shield,
}

/// How a marked call is made stop-checked.
pub(crate) enum Change {
    By(Operation),
    /// Wait first (`readable` or `writable`, of that place), then call it unchanged.
    Wait {
        word: syn::Ident,
        on: Expr,
    },
}

/// What a loop gets.
#[derive(Default)]
pub(crate) struct Turn {
    /// The label a stop breaks to: the user's, or one of ours. `None`: no break names it.
    pub(crate) label: Option<Lifetime>,
    /// The checkpoint of each round.
    pub(crate) check: Option<Leave>,
    /// The iterator of a `#[blocking] for`, stop-checked in `next`.
    pub(crate) each: Option<Leave>,
    /// Requests are held while the loop runs.
    pub(crate) shield: bool,
}

/// Where a stop goes.
#[derive(Clone)]
pub(crate) enum Leave {
    /// `break` out of the loop with this label.
    Break(Lifetime),
    /// `return leave(stopped)`.
    Return,
    /// `return EXPR`, as `or = EXPR` says.
    Or,
}

/// Decides about every node; what may not stand where it does is reported.
pub(crate) fn plan(input: Input, diag: &mut Diag) -> Plan {
    signature(&input.function, diag);
    let mut planner = Planner {
        nodes: &input.nodes,
        steps: input.nodes.iter().map(|_| Step::Shield).collect(),
        traits: BTreeSet::new(),
        strict: input.args.strict,
        scope: Scope::new(if input.args.or.is_some() { Leave::Or } else { Leave::Return }),
        used: true,
        shields: 0,
        stoppable: false,
        diag,
    };
    let returns = !is_unit(&input.function.sig.output);
    planner.block(&input.function.block, returns);
    let Planner { steps, traits, stoppable, .. } = planner;
    if !stoppable && diag.is_clean() {
        let name = &input.function.sig.ident;
        diag.error(
            name.span(),
            format!(
                "nothing in `{name}` can be stopped: mark its blocking calls with `#[blocking]`, \
                 a loop with `#[checkpoint]`, or take `#[stoppable]` away"
            ),
        );
    }
    Plan { function: input.function, steps, traits, or: input.args.or }
}

/// Refuses functions that a stop cannot leave.
fn signature(function: &ItemFn, diag: &mut Diag) {
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

fn is_unit(output: &ReturnType) -> bool {
    match output {
        ReturnType::Default => true,
        ReturnType::Type(_, kind) => {
            matches!(&**kind, Type::Tuple(tuple) if tuple.elems.is_empty())
        }
    }
}

/// What a stop can leave: the function, or one closure in it.
struct Scope {
    /// How the scope itself is left.
    leave: Leave,
    /// The loops around the place being visited, outermost first.
    loops: Vec<Frame>,
    /// The user's labels in force there, of loops and of blocks.
    labels: Vec<Lifetime>,
}

struct Frame {
    id: usize,
    label: Option<Lifetime>,
    /// How many labels were in force where the body begins.
    depth: usize,
    /// A `break` needs a value here, so a stop cannot be one.
    valued: bool,
    /// A stop breaks this loop.
    target: bool,
    /// A marked call is in it.
    marked: bool,
}

impl Scope {
    fn new(leave: Leave) -> Self {
        Self { leave, loops: Vec::new(), labels: Vec::new() }
    }
}

struct Planner<'a> {
    nodes: &'a [Node],
    steps: Vec<Step>,
    traits: BTreeSet<&'static str>,
    strict: bool,
    scope: Scope,
    /// Whether the value of the expression about to be visited is used.
    used: bool,
    /// How many `#[unstoppable]` are around.
    shields: usize,
    /// A marked call or a `#[checkpoint]` has been seen.
    stoppable: bool,
    diag: &'a mut Diag,
}

impl Planner<'_> {
    /// Where a stop goes from here, and that it is a place a stop may go from.
    fn leave(&mut self, mark: Span) -> Leave {
        self.stoppable = true;
        if self.shields > 0 {
            self.diag.error(
                mark,
                "nothing stops inside `#[unstoppable]`: move the call out of it or take this mark \
                 away",
            );
        }
        let outermost = match self.scope.loops.first_mut() {
            Some(outermost) if !outermost.valued => outermost,
            _ => return self.scope.leave.clone(),
        };
        outermost.target = true;
        let Some(label) = outermost.label.clone() else {
            return Leave::Break(generated(outermost.id));
        };
        let mut inner = self.scope.labels[outermost.depth..].iter();
        if let Some(same) = inner.find(|inner| inner.ident == label.ident) {
            self.diag.error(
                same.span(),
                "this label hides that of the outermost loop, which a stop leaves: give one of \
                 them another name",
            );
        }
        Leave::Break(label)
    }

    fn marked_call(&mut self, id: usize, blocking: &Blocking, call: &Expr) {
        for frame in &mut self.scope.loops {
            frame.marked = true;
        }
        let leave = self.leave(blocking.span);
        let change = match &blocking.how {
            How::Plain => {
                let operation = calls::operation(call);
                if let Operation::Variant(names) = operation {
                    self.traits.extend(names);
                }
                Change::By(operation)
            }
            How::AsIs => Change::By(Operation::Nested),
            How::Ready(ready) => {
                Change::Wait { word: ready.word.clone(), on: self.descriptor(ready, call) }
            }
        };
        self.steps[id] = Step::Call { change, leave };
        self.parts(call);
    }

    /// What `readable` waits for: the operand of the option or the call's receiver.
    fn descriptor(&mut self, ready: &Ready, call: &Expr) -> Expr {
        if let Some(on) = &ready.on {
            return on.clone();
        }
        let word = &ready.word;
        match call {
            Expr::MethodCall(call) if flow::is_place(&call.receiver) => {
                return (*call.receiver).clone();
            }
            // The receiver is evaluated twice, so it must not do anything.
            Expr::MethodCall(call) => self.diag.push(syn::Error::new_spanned(
                &call.receiver,
                format!(
                    "`{word}` names this twice, so it must be a variable or a field: bind it with \
                     `let` first, or say `{word} = EXPR`"
                ),
            )),
            other => self.diag.error(
                word.span(),
                format!(
                    "`{}` has no receiver to wait for: say `{word} = EXPR`",
                    calls::name(other)
                ),
            ),
        }
        Expr::PLACEHOLDER
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
        self.shields += usize::from(marks.unstoppable);
        let label = label.as_ref().map(|label| label.name.clone());
        self.scope.labels.extend(label.clone());
        let depth = self.scope.labels.len();
        self.scope.loops.push(Frame { id, label, depth, valued, target: false, marked: false });
        let each = marks.blocking.map(|mark| {
            for frame in &mut self.scope.loops {
                frame.marked = true;
            }
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
        let tested = self.tested(expr);
        let marked = self.scope.loops.last().is_some_and(|frame| frame.marked);
        let due = marks.checkpoint.is_some() || marked && !tested;
        let check =
            (due && each.is_none() && self.shields == 0).then(|| self.leave(Span::call_site()));
        self.shields -= usize::from(marks.unstoppable);
        let Some(frame) = self.scope.loops.pop() else {
            return;
        };
        self.scope.labels.truncate(frame.depth - usize::from(frame.label.is_some()));
        let ours = frame.target.then(|| generated(id));
        self.steps[id] = Step::Loop(Turn {
            label: frame.label.or(ours),
            check,
            each,
            shield: marks.unstoppable,
        });
    }

    /// The head of a `for`; in a marked one the outermost call is accounted for.
    fn head(&mut self, head: &Expr, marked: bool) {
        match node::bare(head) {
            Expr::MethodCall(call) if marked => {
                if let Some(names) = calls::iterator(call) {
                    self.traits.extend(names);
                }
                self.parts(head);
            }
            _ => self.visit_expr(head),
        }
    }

    /// Whether each round of the loop begins with a marked call that tests the
    /// flag itself, so that a checkpoint before it would be one test too many.
    fn tested(&self, expr: &Expr) -> bool {
        let tests = |id: usize| match &self.steps[id] {
            Step::Call { change, .. } => match change {
                Change::By(operation) => *operation != Operation::Nested,
                Change::Wait { on, .. } => flow::is_pure(on),
            },
            _ => false,
        };
        match expr {
            Expr::Loop(e) => e.body.stmts.first().is_some_and(|first| flow::begins(first, &tests)),
            Expr::While(e) => flow::begins_expr(&e.cond, &tests),
            _ => false,
        }
    }

    /// The statements of a block whose value is `used`.
    fn block(&mut self, block: &Block, used: bool) {
        let last = block.stmts.len().saturating_sub(1);
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
    fn parts(&mut self, expr: &Expr) {
        self.used = true;
        visit::visit_expr(self, expr);
    }

    fn closure(&mut self, closure: &ExprClosure) {
        let used = match &closure.output {
            // Without a type, what the closure returns is what its exits say;
            // if it has none, a stop makes it `()`.
            ReturnType::Default => flow::has_valued_exit(&closure.body),
            output @ ReturnType::Type(..) => !is_unit(output),
        };
        let outer = std::mem::replace(&mut self.scope, Scope::new(Leave::Return));
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
            other if calls::operation(other) != Operation::Nested => {
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

/// The label given to an outermost loop that has none.
fn generated(id: usize) -> Lifetime {
    let ident = format_ident!("__stop_{id}", span = Span::mixed_site());
    Lifetime { apostrophe: Span::mixed_site(), ident }
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
                let depth = self.scope.labels.len();
                let label = e.label.as_ref().map(|label| label.name.clone());
                self.scope.labels.extend(label);
                self.block(&e.block, used);
                self.scope.labels.truncate(depth);
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
