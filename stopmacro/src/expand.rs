//! `Plan` to tokens. Nothing can fail here: `plan` has refused what cannot be.
//!
//! Generated tokens are hygienic (`mixed_site`) and lie where the user's call
//! lies, so that no name of the user's is shadowed, rustc points at the call,
//! and lints leave the generated parts alone.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote_spanned};
use syn::spanned::Spanned as _;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Arm, AttrStyle, Attribute, Block, Expr, ExprMatch, ExprMethodCall, Item, Stmt,
    parse_quote_spanned,
};

use crate::calls::{self, Operation, Traits};
use crate::plan::{Change, Plan, Step};
use crate::scope::Leave;
use crate::{imports, lock, marks, node};

/// The function with every node replaced.
pub(crate) fn expand(plan: Plan) -> TokenStream {
    let Plan { mut function, steps, traits, or } = plan;
    let mut writer = Writer { steps, or };
    writer.visit_block_mut(&mut function.block);
    function.block.stmts.splice(0..0, imports::statements(&traits)).for_each(drop);
    function.into_token_stream()
}

/// Tokens of ours at the place of one of the user's.
pub(crate) fn at(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}

pub(crate) struct Writer {
    steps: Vec<Step>,
    or: Option<Expr>,
}

impl Writer {
    /// What an error arm binds, and how it leaves.
    ///
    /// ```text
    /// _       => break '__stop_0
    /// stopped => return ::stopruntime::expansion::leave(stopped)
    /// _       => return EXPR
    /// ```
    pub(crate) fn leave(&self, leave: &Leave, span: Span) -> (TokenStream, TokenStream) {
        match leave {
            Leave::Break(label) => (quote_spanned!(span=> _), quote_spanned!(span=> break #label)),
            Leave::Return => (
                quote_spanned!(span=> stopped),
                quote_spanned!(span=> return ::stopruntime::expansion::leave(stopped)),
            ),
            Leave::Or => {
                let value = &self.or;
                (quote_spanned!(span=> _), quote_spanned!(span=> return #value))
            }
        }
    }

    /// The checkpoint of a loop.
    ///
    /// ```text
    /// Output: if let Err(_) = check() { break '__stop_0; }
    /// ```
    pub(crate) fn check(&self, leave: Option<&Leave>, span: Span) -> Option<TokenStream> {
        let (stopped, leave) = self.leave(leave?, span);
        Some(quote_spanned! {span=>
            if let ::core::result::Result::Err(#stopped) = ::stopruntime::expansion::check() {
                #leave;
            }
        })
    }

    /// ```text
    /// Input:  socket.recv(&mut buffer)
    /// Output: match socket.recv_or_stop(&mut buffer) {
    ///             Ok(value) => value,
    ///             Err(_) => break '__stop_0,
    ///             WALK
    ///         }
    /// Input:  read_frame(&socket)
    /// Output: match (match check() { Ok(()) => (), Err(_) => break '__stop_0 },
    ///                nested(read_frame(&socket))).1 { as above }
    /// ```
    fn call(&self, mut call: Expr, change: &Change, leave: &Leave) -> Expr {
        let span = at(calls::span(&call));
        let (stopped, mut leave) = self.leave(leave, span);
        let operation = match change {
            Change::By(operation) => *operation,
            Change::Wait { word, on } => return wait(call, word, on, &stopped, &leave),
        };
        let walk = match (&call, operation) {
            (Expr::MethodCall(call), Operation::Variant(names)) => Some(walk(call, names)),
            _ => None,
        };
        match (&mut call, operation) {
            (Expr::MethodCall(call), Operation::Variant(_)) => {
                or_stop(&mut call.method);
                lock::in_receiver(&mut call.receiver);
            }
            (Expr::Call(call), Operation::Variant(_)) => {
                if let Expr::Path(path) = &mut *call.func
                    && let Some(last) = path.path.segments.last_mut()
                {
                    or_stop(&mut last.ident);
                }
            }
            (Expr::Call(call), Operation::ThroughTrait(names)) => {
                call.args.first_mut().into_iter().for_each(lock::in_first);
                let name = names.first().map(|name| Ident::new(name, span));
                let used =
                    replace_path(&mut call.func, &quote_spanned!(span=> expansion::#name::), 1);
                leave = quote_spanned!(span=> { #used #leave });
            }
            (Expr::Call(call), Operation::Function(module)) => {
                call.args.iter_mut().for_each(lock::in_argument);
                let module = Ident::new(module, span);
                let used = replace_path(&mut call.func, &quote_spanned!(span=> #module::), 0);
                leave = quote_spanned!(span=> { #used #leave });
            }
            _ => {
                let check = quote_spanned!(span=> ::stopruntime::expansion::check());
                call = parse_quote_spanned!(span=> ::stopruntime::expansion::nested(#call));
                call = after(&check, call, &stopped, &leave, span);
            }
        }
        // Built as a tree and not as tokens, so that syn adds the parentheses
        // that `match … {}?;` needs at the start of a statement and no others.
        let mut result: ExprMatch = parse_quote_spanned! {span=>
            match () {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(#stopped) => #leave,
            }
        };
        *result.expr = call;
        result.arms.extend(walk);
        Expr::Match(result)
    }
}

/// An arm behind all others, so that rustc checks what is in it and nothing runs:
/// that the variant is found where the plain method would be, and not behind a
/// `Deref` of the user's. The receiver is only named, neither borrowed nor moved,
/// because no way leads there.
///
/// ```text
/// Input:  socket.recv(&mut buffer)
/// Output: result => {
///             never_run();
///             use ::stopruntime::expansion::{Otherwise as _, steps::RecvOrStop as _};
///             let _ = via(&socket, &result).step().step()…;
///         }
/// ```
pub(crate) fn walk(call: &ExprMethodCall, names: Traits) -> Arm {
    let span = at(call.method.span());
    let receiver = &call.receiver;
    let traits = names.iter().map(|name| Ident::new(name, span));
    // More pointers than one ever meets, one around the other.
    let steps = (0..6).map(|_| quote_spanned!(span=> .step()));
    parse_quote_spanned! {span=>
        #[allow(unreachable_code, unreachable_patterns, unused_imports, unused_variables)]
        result => {
            ::stopruntime::expansion::never_run();
            use ::stopruntime::expansion::{Otherwise as _, #(steps::#traits as _),*};
            let _ = ::stopruntime::expansion::via(&#receiver, &result)#(#steps)*;
        }
    }
}

/// ```text
/// Input:  port.read(&mut buffer)                                    (readable)
/// Output: (match readable(&port) { Ok(()) => (), Err(_) => break '__stop_0 },
///          port.read(&mut buffer)).1
/// ```
fn wait(call: Expr, word: &Ident, on: &Expr, stopped: &TokenStream, leave: &TokenStream) -> Expr {
    let place = at(on.span());
    let wait = quote_spanned!(place=> ::stopruntime::expansion::#word(&#on));
    after(&wait, call, stopped, leave, at(word.span()))
}

/// `call`, once `condition` is met.
///
/// A tuple and not a block, because temporaries of the call live to the end of
/// the user's statement only in an operand.
fn after(
    condition: &TokenStream,
    call: Expr,
    stopped: &TokenStream,
    leave: &TokenStream,
    span: Span,
) -> Expr {
    let mut result: syn::ExprTuple = parse_quote_spanned! {span=>
        (
            match #condition {
                ::core::result::Result::Ok(()) => (),
                ::core::result::Result::Err(#stopped) => #leave,
            },
        )
    };
    result.elems.push(call);
    let mut value: syn::ExprField = parse_quote_spanned!(span=> ().1);
    *value.base = Expr::Tuple(result);
    Expr::Field(value)
}

/// `name` becomes `name_or_stop`, at the user's place and with the user's hygiene.
pub(crate) fn or_stop(name: &mut Ident) {
    *name = format_ident!("{name}_or_stop", span = name.span());
}

/// A path of the user's becomes one into `stopruntime` that ends in the same name.
/// Returned is a statement that still names the user's path, without its last
/// `cut` segments, so that what it goes through does not become an unused import.
///
/// ```text
/// Input:  thread::sleep
/// Output: ::stopruntime::expansion::sleep_or_stop
///         use thread::sleep as _;
/// Input:  Read::read
/// Output: ::stopruntime::expansion::ReadOrStop::read_or_stop
///         use Read as _;
/// Input:  libc::read
/// Output: ::stopruntime::sys::read_or_stop
///         use libc::read as _;
/// ```
fn replace_path(func: &mut Expr, through: &TokenStream, cut: usize) -> TokenStream {
    let Expr::Path(path) = &*func else {
        return TokenStream::new();
    };
    let Some(last) = path.path.segments.last() else {
        return TokenStream::new();
    };
    let mut name = last.ident.clone();
    or_stop(&mut name);
    let span = at(name.span());
    let used = match &path.qself {
        Some(_) => quote_spanned!(span=> let _ = #path;),
        None => imports::used(&path.path, cut, span),
    };
    *func = parse_quote_spanned!(span=> ::stopruntime::#through #name);
    used
}

/// ```text
/// Input:  { BODY }                      LOOP
/// Output: { let _shield = shield(); BODY }   { let _shield = shield(); LOOP }
/// ```
pub(crate) fn shielded(expr: Expr) -> Expr {
    let span = at(expr.span());
    let guard: Stmt = parse_quote_spanned! {span=>
        let _shield = ::stopruntime::expansion::shield();
    };
    let insert = |block: &mut Block| block.stmts.insert(0, guard.clone());
    match expr {
        Expr::Block(mut block) => {
            insert(&mut block.block);
            Expr::Block(block)
        }
        Expr::Unsafe(mut block) => {
            insert(&mut block.block);
            Expr::Unsafe(block)
        }
        other => {
            let mut block: syn::ExprBlock = parse_quote_spanned!(span=> {});
            block.block.stmts = vec![guard, Stmt::Expr(other, None)];
            Expr::Block(block)
        }
    }
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
            Step::Call { change, leave } => self.call(inner, change, leave),
            Step::Loop(turn) => self.repetition(inner, turn),
            Step::Shield => shielded(inner),
        };
        if let Some(attributes) = marks::attributes(expr) {
            attributes.splice(0..0, outer).for_each(drop);
        }
    }

    /// Nested items are functions of their own.
    fn visit_item_mut(&mut self, _: &mut Item) {}
}
