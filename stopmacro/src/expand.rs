//! `Plan` to tokens. Nothing can fail here: `plan` has refused what cannot be.
//!
//! Generated tokens are hygienic (`mixed_site`) and lie where the user's call
//! lies, so that no name of the user's is shadowed, rustc points at the call,
//! and lints leave the generated parts alone.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Block, Expr, ExprForLoop, ExprLoop, ExprMatch, ExprWhile, Item, Label, Stmt,
    parse_quote_spanned,
};

use crate::calls::{self, Operation};
use crate::plan::{Change, Leave, Plan, Step, Turn};
use crate::{imports, node};

/// The function with every node replaced.
pub(crate) fn expand(plan: Plan) -> TokenStream {
    let Plan { mut function, steps, traits, or } = plan;
    let mut writer = Writer { steps, or };
    writer.visit_block_mut(&mut function.block);
    function.block.stmts.splice(0..0, imports::statements(&traits)).for_each(drop);
    function.into_token_stream()
}

/// Tokens of ours at the place of one of the user's.
fn at(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}

struct Writer {
    steps: Vec<Step>,
    or: Option<Expr>,
}

impl Writer {
    /// What an error arm binds, and how it leaves.
    ///
    /// ```text
    /// _       => break '__stop_0
    /// stopped => return ::stopruntime::private::leave(stopped)
    /// _       => return EXPR
    /// ```
    fn leave(&self, leave: &Leave, span: Span) -> (TokenStream, TokenStream) {
        match leave {
            Leave::Break(label) => (quote_spanned!(span=> _), quote_spanned!(span=> break #label)),
            Leave::Return => (
                quote_spanned!(span=> stopped),
                quote_spanned!(span=> return ::stopruntime::private::leave(stopped)),
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
    fn check(&self, leave: Option<&Leave>, span: Span) -> Option<TokenStream> {
        let (stopped, leave) = self.leave(leave?, span);
        Some(quote_spanned! {span=>
            if let ::core::result::Result::Err(#stopped) = ::stopruntime::private::check() {
                #leave;
            }
        })
    }

    /// ```text
    /// Input:  socket.recv(&mut buffer)
    /// Output: match socket.recv_or_stop(&mut buffer) {
    ///             Ok(value) => value,
    ///             Err(_) => break '__stop_0,
    ///         }
    /// ```
    fn call(&self, mut call: Expr, change: &Change, leave: &Leave) -> Expr {
        let span = at(calls::span(&call));
        let (stopped, mut leave) = self.leave(leave, span);
        let operation = match change {
            Change::By(operation) => *operation,
            Change::Wait { word, on } => return wait(&call, word, on, &stopped, &leave),
        };
        match (&mut call, operation) {
            (Expr::MethodCall(call), Operation::Variant(_)) => or_stop(&mut call.method),
            (Expr::Call(call), Operation::Variant(_)) => {
                if let Expr::Path(path) = &mut *call.func
                    && let Some(last) = path.path.segments.last_mut()
                {
                    or_stop(&mut last.ident);
                }
            }
            (Expr::Call(call), Operation::ThroughTrait(names)) => {
                let name = names.first().map(|name| Ident::new(name, span));
                let used = replace_path(&mut call.func, &quote_spanned!(span=> #name::), 1);
                leave = quote_spanned!(span=> { #used #leave });
            }
            (Expr::Call(call), Operation::Function) => {
                let used = replace_path(&mut call.func, &TokenStream::new(), 0);
                leave = quote_spanned!(span=> { #used #leave });
            }
            _ => call = parse_quote_spanned!(span=> ::stopruntime::private::nested(#call)),
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
        Expr::Match(result)
    }

    /// The node of a loop.
    fn repetition(&self, expr: Expr, turn: &Turn) -> Expr {
        let expr = match expr {
            Expr::Loop(expr) => self.endless(expr, turn),
            Expr::While(expr) => self.conditional(expr, turn),
            Expr::ForLoop(expr) => self.each(expr, turn),
            other => other,
        };
        if turn.shield { shielded(expr) } else { expr }
    }

    /// ```text
    /// Input:  loop { BODY }
    /// Output: '__stop_0: loop { CHECK BODY }
    /// ```
    fn endless(&self, mut expr: ExprLoop, turn: &Turn) -> Expr {
        let span = at(expr.loop_token.span);
        label(&mut expr.label, turn, span);
        if let Some(check) = self.check(turn.check.as_ref(), span) {
            expr.body.stmts.insert(0, parse_quote_spanned!(span=> #check));
        }
        Expr::Loop(expr)
    }

    /// The checkpoint comes before COND, which may take something from a queue.
    /// rustc itself turns `while` into this shape, so the lifetimes of
    /// temporaries are the same.
    ///
    /// ```text
    /// Input:  while COND { BODY }
    /// Output: '__stop_0: loop { CHECK if COND { BODY } else { break } }
    /// ```
    fn conditional(&self, mut expr: ExprWhile, turn: &Turn) -> Expr {
        let span = at(expr.while_token.span);
        label(&mut expr.label, turn, span);
        let Some(check) = self.check(turn.check.as_ref(), span) else {
            return Expr::While(expr);
        };
        let ExprWhile { attrs, label, cond, body, .. } = expr;
        let mut test: syn::ExprIf = parse_quote_spanned!(span=> if true {} else { break });
        test.cond = cond;
        test.then_branch = body;
        let mut result: ExprLoop = parse_quote_spanned!(span=> loop { #check });
        result.attrs = attrs;
        result.label = label;
        result.body.stmts.push(Stmt::Expr(Expr::If(test), None));
        Expr::Loop(result)
    }

    /// The checkpoint comes before `next`, which takes an item. The shape is
    /// again rustc's own.
    ///
    /// ```text
    /// Input:  for PAT in ITER { BODY }
    /// Output: match IntoIterator::into_iter(ITER) {
    ///             mut iter => '__stop_0: loop {
    ///                 CHECK
    ///                 let PAT = match Iterator::next(&mut iter) {
    ///                     Some(item) => item,
    ///                     None => break,
    ///                 };
    ///                 { BODY }
    ///             }
    ///         }
    /// ```
    ///
    /// With `#[blocking]`, `next` is stop-checked itself and there is no CHECK.
    fn each(&self, mut expr: ExprForLoop, turn: &Turn) -> Expr {
        let span = at(expr.for_token.span);
        label(&mut expr.label, turn, span);
        if turn.check.is_none() && turn.each.is_none() {
            return Expr::ForLoop(expr);
        }
        let check = self.check(turn.check.as_ref(), span);
        let ExprForLoop { attrs, label, pat, expr: head, body, .. } = expr;
        let head_span = at(match node::bare(&head) {
            Expr::MethodCall(call) => call.method.span(),
            other => other.span(),
        });
        let (iterator, next) = match &turn.each {
            None => (
                quote_spanned!(head_span=> ::core::iter::IntoIterator::into_iter(#head)),
                quote_spanned! {span=>
                    match ::core::iter::Iterator::next(&mut iter) {
                        ::core::option::Option::Some(item) => item,
                        ::core::option::Option::None => break,
                    }
                },
            ),
            Some(leave) => {
                let (stopped, leave) = self.leave(leave, head_span);
                (
                    stopping_iterator(*head, head_span),
                    quote_spanned! {head_span=>
                        match ::stopruntime::private::NextOrStop::next_or_stop(&mut iter) {
                            ::core::result::Result::Ok(::core::option::Option::Some(item)) => item,
                            ::core::result::Result::Ok(::core::option::Option::None) => break,
                            ::core::result::Result::Err(#stopped) => #leave,
                        }
                    },
                )
            }
        };
        Expr::Verbatim(quote_spanned! {span=>
            #(#attrs)*
            match #iterator {
                mut iter => #label loop {
                    #check
                    let #pat = #next;
                    #body
                }
            }
        })
    }
}

/// ```text
/// Input:  port.read(&mut buffer)                                    (readable)
/// Output: (match readable(&port) { Ok(()) => (), Err(_) => break '__stop_0 },
///          port.read(&mut buffer)).1
/// ```
///
/// A tuple and not a block, because temporaries of the call live to the end of
/// the user's statement only in an operand.
fn wait(call: &Expr, word: &Ident, on: &Expr, stopped: &TokenStream, leave: &TokenStream) -> Expr {
    let span = at(word.span());
    let place = at(on.span());
    let wait = quote_spanned!(place=> ::stopruntime::private::#word(&#on));
    parse_quote_spanned! {span=>
        (
            match #wait {
                ::core::result::Result::Ok(()) => (),
                ::core::result::Result::Err(#stopped) => #leave,
            },
            #call
        ).1
    }
}

/// ```text
/// Input:  listener.incoming()           receiver
/// Output: listener.incoming_or_stop()   ::stopruntime::private::into_iter_or_stop(receiver)
/// ```
fn stopping_iterator(head: Expr, span: Span) -> TokenStream {
    match head {
        Expr::MethodCall(mut call) if calls::iterator(&call).is_some() => {
            or_stop(&mut call.method);
            quote!(#call)
        }
        Expr::Paren(paren) => stopping_iterator(*paren.expr, span),
        head => quote_spanned!(span=> ::stopruntime::private::into_iter_or_stop(#head)),
    }
}

/// `name` becomes `name_or_stop`, at the user's place and with the user's hygiene.
fn or_stop(name: &mut Ident) {
    *name = format_ident!("{name}_or_stop", span = name.span());
}

/// A path of the user's becomes one into `private` that ends in the same name.
/// Returned is a statement that still names the user's path, without its last
/// `cut` segments, so that what it goes through does not become an unused import.
///
/// ```text
/// Input:  thread::sleep
/// Output: ::stopruntime::private::sleep_or_stop
///         use thread::sleep as _;
/// Input:  Read::read
/// Output: ::stopruntime::private::ReadOrStop::read_or_stop
///         use Read as _;
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
    *func = parse_quote_spanned!(span=> ::stopruntime::private::#through #name);
    used
}

/// Gives a loop the label that a stop breaks to, if it has none.
fn label(own: &mut Option<Label>, turn: &Turn, span: Span) {
    if own.is_none()
        && let Some(label) = &turn.label
    {
        *own = Some(parse_quote_spanned!(span=> #label:));
    }
}

/// ```text
/// Input:  { BODY }                      LOOP
/// Output: { let _shield = shield(); BODY }   { let _shield = shield(); LOOP }
/// ```
fn shielded(expr: Expr) -> Expr {
    let span = at(expr.span());
    let guard: Stmt = parse_quote_spanned! {span=>
        let _shield = ::stopruntime::private::shield();
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
        let inner = std::mem::replace(&mut *group.expr, Expr::PLACEHOLDER);
        *expr = match &self.steps[id] {
            Step::Call { change, leave } => self.call(inner, change, leave),
            Step::Loop(turn) => self.repetition(inner, turn),
            Step::Shield => shielded(inner),
        };
    }

    /// Nested items are functions of their own.
    fn visit_item_mut(&mut self, _: &mut Item) {}
}
