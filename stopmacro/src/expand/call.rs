//! The shape of a marked call.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Arm, Expr, ExprMatch, ExprMethodCall, Pat, Token, parse_quote_spanned, token};

use super::before::{after, behind};
use super::exit::{Exits, at, or_stop};
use super::words::{as_is, in_region, ready};
use super::{imports, lock};
use crate::calls::{self, Operation};
use crate::plan::{Change, Marked};
use crate::table::Traits;

/// ```text
/// Input:  socket.recv(&mut buffer)
/// Output: match (WALK, socket.recv_or_stop(&mut buffer)).1 {
///             Ok(value) => value,
///             Err(_) => break '__stop_0,
///         }
/// ```
pub(crate) fn call(
    exits: &Exits,
    mut call: Expr,
    Marked { change, leave, within, new_receiver }: &Marked,
    thrown: Option<&TokenStream>,
) -> Expr {
    let span = at(calls::span(&call));
    let (stopped, mut leave) = exits.leave(leave, span);
    let ours = exits.ours(span);
    let operation = match change {
        Change::By(operation) => *operation,
        Change::AsIs => {
            if let Some(limit) = within {
                let body = quote_spanned!(span=> ::core::result::Result::Ok(#call));
                call = value_of(limited(exits, limit, &body, span), &stopped, &leave, span);
            }
            return as_is(exits, call, &stopped, &leave);
        }
        Change::Wait { word, on, ahead } => {
            let wait = ready(exits, word, on, ahead.as_deref());
            let Some(limit) = within else {
                let call = in_region(exits, call, &stopped, &leave, false, span);
                return after(&wait, call, &stopped, &leave, at(word.span()));
            };
            let body = quote_spanned!(span=> match #wait {
                ::core::result::Result::Ok(()) => #ours::looked(#ours::foreign(|| #call)),
                ::core::result::Result::Err(stopped) => ::core::result::Result::Err(stopped),
            });
            return value_of(limited(exits, limit, &body, span), &stopped, &leave, span);
        }
        Change::Foreign { resets } => {
            let Some(limit) = within else {
                return in_region(exits, call, &stopped, &leave, *resets, span);
            };
            let region = Ident::new(if *resets { "foreign_reset" } else { "foreign" }, span);
            let body = quote_spanned!(span=> #ours::looked(#ours::#region(|| #call)));
            return value_of(limited(exits, limit, &body, span), &stopped, &leave, span);
        }
        Change::Unblock(way) => {
            let mut call: Expr =
                parse_quote_spanned!(span=> #ours::unblocked(|| { let _ = #way; }, || #call));
            if let Some(limit) = within {
                call = limited(exits, limit, &quote!(#call), span);
            }
            return value_of(call, &stopped, &leave, span);
        }
    };
    let mut walk = None;
    match (&mut call, operation) {
        (Expr::MethodCall(method), Operation::Variant(names)) => {
            // clippy is to see what is thrown away at each mark.
            if *new_receiver || thrown.is_some() {
                walk = Some((method.clone(), names));
            }
            or_stop(&mut method.method);
            lock::in_receiver(exits, &mut method.receiver);
        }
        (Expr::Call(call), Operation::Variant(_)) => {
            if let Expr::Path(path) = &mut *call.func
                && let Some(last) = path.path.segments.last_mut()
            {
                or_stop(&mut last.ident);
            }
        }
        (Expr::Call(call), Operation::ThroughTrait(names)) => {
            call.args.first_mut().into_iter().for_each(|first| lock::in_first(exits, first));
            let name = names.first().map(|name| Ident::new(name, span));
            let used = replace_path(&mut call.func, &quote_spanned!(span=> #ours::#name::), 1);
            leave = quote_spanned!(span=> { #used #leave });
        }
        (Expr::Call(call), Operation::Function(module)) => {
            call.args.iter_mut().for_each(|one| lock::in_argument(exits, one));
            let module = Ident::new(module, span);
            let runtime = exits.runtime(span);
            let through = quote_spanned!(span=> #runtime::#module::);
            let used = replace_path(&mut call.func, &through, 0);
            leave = quote_spanned!(span=> { #used #leave });
        }
        _ => {}
    }
    if let Some(limit) = within {
        call = limited(exits, limit, &quote!(#call), span);
    }
    if let Some((plain, names)) = walk {
        call = walked(exits, &plain, names, call, thrown);
    }
    value_of(call, &stopped, &leave, span)
}

/// The value of what may have stopped instead.
fn value_of(call: Expr, stopped: &TokenStream, leave: &TokenStream, span: Span) -> Expr {
    // Built as a tree and not as tokens, so that syn adds the parentheses that `match … {}?;`
    // needs at the start of a statement and no others; and by hand, because to parse what is
    // printed again at once took a third of the time of an expansion.
    let arm = |pat: TokenStream, body: &TokenStream| Arm {
        attrs: Vec::new(),
        pat: Pat::Verbatim(pat),
        fat_arrow_token: Token![=>](span),
        body: Box::new(Expr::Verbatim(body.clone())),
        comma: Some(Token![,](span)),
    };
    Expr::Match(ExprMatch {
        attrs: Vec::new(),
        match_token: Token![match](span),
        expr: Box::new(call),
        brace_token: token::Brace(span),
        arms: vec![
            arm(
                quote_spanned!(span=> ::core::result::Result::Ok(value)),
                &quote_spanned!(span=> value),
            ),
            arm(quote_spanned!(span=> ::core::result::Result::Err(#stopped)), leave),
        ],
    })
}

/// ```text
/// Input:  socket.recv(&mut buffer)                                  (within = LIMIT)
/// Output: limited(LIMIT, || socket.recv_or_stop(&mut buffer))
/// ```
fn limited(exits: &Exits, limit: &Expr, body: &TokenStream, span: Span) -> Expr {
    let ours = exits.ours(span);
    parse_quote_spanned!(span=> #ours::limited(#limit, || #body))
}

/// What rustc checks before the call, and nothing runs: that the variant is found where
/// the plain method would be, and not behind a `Deref` of the user's. The receiver may be
/// used as the call itself is about to use it, because no way leads on from there.
///
/// ```text
/// Input:  socket.recv(&mut buffer)
/// Output: (if false {
///             use ::stopruntime::expansion::{Otherwise as _, steps::RecvOrStop as _};
///             let _ = via(&socket).step().step()…;
///             never_run()
///         }, socket.recv_or_stop(&mut buffer)).1
/// ```
///
/// clippy looks at the plain statement too: that it does not look at the amount of bytes.
pub(crate) fn walked(
    exits: &Exits,
    plain: &ExprMethodCall,
    names: Traits,
    call: Expr,
    thrown: Option<&TokenStream>,
) -> Expr {
    let span = at(plain.method.span());
    let ours = exits.ours(span);
    let receiver = &plain.receiver;
    let traits = names.iter().map(|name| Ident::new(name, span));
    let thrown = thrown.map(|plain| quote_spanned!(span=> #[cfg(clippy)] { #plain; }));
    // More pointers than one ever meets, one around the other.
    let steps = (0..5).map(|_| quote_spanned!(span=> .step()));
    let walk = quote_spanned! {span=>
        if false {
            use #ours::{Otherwise as _, #(steps::#traits as _),*};
            let _ = #ours::via(&#receiver)#(#steps)*;
            #thrown
            #ours::never_run()
        }
    };
    behind(&walk, call, span)
}

/// A path of the user's becomes one into `stopruntime` that ends in the same name.
/// Returned is a statement that still names the user's path, without its last
/// `cut` segments, so that what it goes through does not become an unused import.
///
/// ```text
/// Input:  thread::sleep
/// Output: ::stopruntime::expansion::sleep_or_stop
///         let _ = thread::sleep;
/// Input:  Read::read
/// Output: ::stopruntime::expansion::ReadOrStop::read_or_stop
///         fn _used<T: Read + ?Sized>() {}
/// Input:  libc::read
/// Output: ::stopruntime::sys::read_or_stop
///         let _ = libc::read;
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
    // `io::copy` cannot be named alone, as it is generic.
    let is_generic = cut > 0 || last.ident == "copy";
    let used = match &path.qself {
        None if is_generic => imports::used(&path.path, cut, span),
        _ => quote_spanned!(span=> let _ = #path;),
    };
    *func = parse_quote_spanned!(span=> #through #name);
    used
}
