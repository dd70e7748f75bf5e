//! Tokens to `Input`: the function with every place that matters numbered.
//!
//! ```text
//! Input:  loop { #[blocking] let n = socket.recv(&mut buffer)?; }
//! Output: ⟦1: loop { let n = ⟦0: socket.recv(&mut buffer)⟧?; }⟧
//! ```
//!
//! A mark that is not well formed, or not on a call, is reported here and
//! taken away; whether a well-formed one may stand where it does is for `plan`.

mod chain;
mod in_macro;
mod leftover;
mod misplaced;
mod not_a_function;
mod rank;
mod tails;
mod unread;

use proc_macro2::{Span, TokenStream};
use syn::parse::Parser as _;
use syn::spanned::Spanned as _;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, ExprMacro, Item, ItemFn, Stmt};

use crate::args::Args;
use crate::diag::Diag;
use crate::marks::{self, Blocking, Form, How, Marks, Way};
use crate::node;
use unread::Unread;

/// The function, the attribute's arguments, and what each numbered node is.
pub(crate) struct Input {
    pub(crate) args: Args,
    pub(crate) function: ItemFn,
    pub(crate) nodes: Vec<Node>,
    /// Names bound in statements that have not been read.
    pub(crate) names: Vec<String>,
}

/// A place in the tree that the plan decides about.
pub(crate) enum Node {
    /// A marked call.
    Call(Box<Blocking>),
    /// A loop, marked or not.
    Loop(Loop),
    /// A block under `#[unstoppable]`.
    Shield,
}

/// The marks on a loop.
pub(crate) struct Loop {
    /// `#[blocking]` on a `for`: its iterator blocks in `next`.
    pub(crate) blocking: Option<Span>,
    pub(crate) checkpoint: Option<Span>,
    pub(crate) unstoppable: bool,
    /// What the marks on it say that a stop leaves.
    pub(crate) way: Option<Way>,
}

impl Loop {
    /// The mark on it that stops it.
    pub(crate) fn form(&self) -> Form {
        if self.blocking.is_some() { Form::Statement } else { Form::Checkpoint }
    }
}

/// A reader of the item under the attribute; `None` once an error is reported.
pub(crate) type Parse = fn(Args, TokenStream, &mut Diag) -> Option<Input>;

/// Reads what a later stage asks about.
pub(crate) fn parse(args: Args, item: TokenStream, diag: &mut Diag) -> Option<Input> {
    // `strict` asks about each call.
    let short = if args.strict { None } else { shortened(item.clone()) };
    match short {
        Some(read) => Some(read.into_input(args, diag)),
        None => whole(args, item, diag),
    }
}

/// Reads all statements.
pub(crate) fn whole(args: Args, item: TokenStream, diag: &mut Diag) -> Option<Input> {
    match syn::parse2::<ItemFn>(item.clone()) {
        Ok(function) => Some(read(function, Unread::default())?.into_input(args, diag)),
        Err(error) => {
            diag.push(not_a_function::said(item).unwrap_or(error));
            None
        }
    }
}

/// What has been read, and the errors that were found.
struct Read {
    function: ItemFn,
    nodes: Vec<Node>,
    names: Vec<String>,
    errors: Diag,
}

impl Read {
    fn into_input(self, args: Args, diag: &mut Diag) -> Input {
        let Read { function, nodes, names, errors } = self;
        diag.append(errors);
        Input { args, function, nodes, names }
    }
}

/// Reads the statements that a stage asks about; `None` if all have to be read.
fn shortened(item: TokenStream) -> Option<Read> {
    let mut unread = Unread::default();
    let item = unread.take(item);
    read(syn::parse2(item).ok()?, unread)
}

/// `None` if what has not been read would be lost.
fn read(mut function: ItemFn, mut unread: Unread) -> Option<Read> {
    let mut errors = Diag::default();
    let mut reader = Reader { nodes: Vec::new(), unread: &mut unread, diag: &mut errors };
    reader.visit_block_mut(&mut function.block);
    let nodes = reader.nodes;
    leftover::report(&function.block, &mut errors);
    Some(Read { function, nodes, names: unread.names()?, errors })
}

struct Reader<'a> {
    nodes: Vec<Node>,
    unread: &'a mut Unread,
    diag: &'a mut Diag,
}

impl Reader<'_> {
    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Marks the one call in `expr`, or that in each of its tails.
    fn call(&mut self, expr: &mut Expr, blocking: Blocking) {
        if blocking.form == Form::Statement {
            match tails::tails(expr, matches!(blocking.how, How::Plain)) {
                Ok(None) => {}
                Ok(Some(tails)) => {
                    return tails.into_iter().for_each(|tail| self.call(tail, blocking.clone()));
                }
                Err(unclear) => return self.diag.error(blocking.span, unclear),
            }
        }
        let id = self.nodes.len();
        if chain::mark(expr, id, blocking.form, blocking.span, self.diag) {
            self.add(Node::Call(Box::new(blocking)));
        }
    }

    /// `blocking!(EXPR)` becomes EXPR with the one call in it marked.
    fn parentheses(&mut self, expr: &mut Expr) {
        let Expr::Macro(ExprMacro { mac, .. }) = expr else {
            return;
        };
        let mut blocking = Blocking {
            span: mac.path.span(),
            form: Form::Parentheses,
            how: How::Plain,
            way: None,
            within: None,
        };
        let call = |input: syn::parse::ParseStream<'_>| {
            marks::options_before(input, &mut blocking)?;
            if input.is_empty() {
                return Err(marks::empty(blocking.span));
            }
            input.parse()
        };
        match call.parse2(mac.tokens.clone()) {
            Ok(inner) => {
                *expr = inner;
                self.call(expr, blocking);
            }
            Err(error) => {
                self.diag.push(error);
                *expr = Expr::Verbatim(TokenStream::new());
            }
        }
    }

    /// A loop: its own marks are read, then it becomes a node.
    fn repetition(&mut self, expr: &mut Expr, marks: Marks) {
        let mut each = None;
        let mut way = marks.checkpoint.and_then(|checkpoint| checkpoint.way);
        if let Some(blocking) = marks.blocking {
            match expr {
                Expr::While(looping) => self.call(&mut looping.cond, blocking),
                Expr::ForLoop(looping) => {
                    way = way.or(blocking.way);
                    each = self.each(looping, &blocking);
                }
                _ => self.diag.error(
                    blocking.span,
                    "a `loop` is not a call: put the mark on the statement in it that blocks, or \
                     write `#[checkpoint]` to make the loop stop between two rounds",
                ),
            }
        }
        visit_mut::visit_expr_mut(self, expr);
        let id = self.add(Node::Loop(Loop {
            blocking: each,
            checkpoint: marks.checkpoint.map(|checkpoint| checkpoint.span),
            unstoppable: marks.unstoppable.is_some(),
            way,
        }));
        node::wrap(expr, id);
    }
}

impl VisitMut for Reader<'_> {
    fn visit_block_mut(&mut self, block: &mut Block) {
        for statement in &mut block.stmts {
            self.unread.put_back(statement);
            // Statements in parentheses are macros to syn; the mark is an expression.
            if let Stmt::Macro(call) = statement
                && call.mac.path.is_ident("blocking")
            {
                let expr = Expr::Macro(ExprMacro {
                    attrs: std::mem::take(&mut call.attrs),
                    mac: call.mac.clone(),
                });
                *statement = Stmt::Expr(expr, call.semi_token);
            }
            marks::lift(statement, self.diag);
            self.visit_stmt_mut(statement);
        }
    }

    /// Items have bodies of their own: `leftover` looks for stray marks there.
    fn visit_item_mut(&mut self, _: &mut Item) {}

    fn visit_stmt_macro_mut(&mut self, statement: &mut syn::StmtMacro) {
        let marks = marks::take(&mut statement.attrs, self.diag);
        self.misplaced(&marks, true);
        if let Some(blocking) = marks.blocking {
            let name = statement.mac.path.segments.last().map(|last| last.ident.to_string());
            self.diag.error(blocking.span, in_macro::instead(&name.unwrap_or_default()));
        }
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        let marks = marks::attributes(expr)
            .map_or_else(Marks::default, |attributes| marks::take(attributes, self.diag));
        match expr {
            Expr::Loop(_) | Expr::While(_) | Expr::ForLoop(_) => {
                return self.repetition(expr, marks);
            }
            Expr::Block(_) | Expr::Unsafe(_) if marks.unstoppable.is_some() => {
                self.misplaced(&marks, false);
                if let Some(blocking) = marks.blocking {
                    self.diag.error(
                        blocking.span,
                        "a block under `#[unstoppable]` holds no stoppable call: keep one of the two",
                    );
                }
                visit_mut::visit_expr_mut(self, expr);
                let id = self.add(Node::Shield);
                return node::wrap(expr, id);
            }
            Expr::Macro(call) if call.mac.path.is_ident("blocking") => {
                self.misplaced(&marks, true);
                if let Some(blocking) = marks.blocking {
                    self.diag.error(
                        blocking.span,
                        "this call is marked twice: keep `blocking!(…)` and take `#[blocking]` away",
                    );
                }
                self.parentheses(expr);
            }
            _ => {
                self.misplaced(&marks, true);
                if let Some(blocking) = marks.blocking {
                    self.call(expr, blocking);
                }
            }
        }
        let own_scope = match expr {
            Expr::Async(_) | Expr::Const(_) => true,
            Expr::Closure(closure) => closure.asyncness.is_some(),
            _ => false,
        };
        if !own_scope {
            visit_mut::visit_expr_mut(self, expr);
        }
    }
}
