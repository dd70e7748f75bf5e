//! What the table has for a call, and what the call is named in messages.

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::{Expr, ExprCall, ExprMethodCall, ExprPath, Lit, Path};

use crate::table::functions::FUNCTIONS;
use crate::table::hints::{
    BARE, GETTERS, MOMENTS, NEVER, OPTIONS, SELDOM, SETTINGS, STD_TRAITS, WITHOUT,
};
use crate::table::libc::LIBC;
use crate::table::methods::{ASSOCIATED, HEADS, ITERATORS, METHODS, OF_FILE};
use crate::table::{Method, Traits};

/// What a marked call becomes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Same path or receiver, `_or_stop` after the name, these traits imported.
    Variant(Traits),
    /// `Read::read(…)`: the same method of the first of these, by its full path.
    ThroughTrait(Traits),
    /// `thread::sleep(…)`: the function of that name in this module of `stopruntime`.
    Function(&'static str),
    /// No variant: called as it is; its error may carry a stop.
    Nested,
}

/// What the table has for `call`; `Nested` where it has nothing.
pub(crate) fn operation(call: &Expr) -> Operation {
    match call {
        Expr::MethodCall(call) if is_setting(call) => Operation::Nested,
        Expr::MethodCall(call) => find(METHODS, &call.method.to_string(), call.args.len())
            .map_or(Operation::Nested, Operation::Variant),
        Expr::Call(ExprCall { func, args, .. }) => match &**func {
            Expr::Path(path) => path_operation(path, args.len()),
            _ => Operation::Nested,
        },
        _ => Operation::Nested,
    }
}

/// Whether `call` returns an iterator that blocks in `next`, and the traits of its variant.
pub(crate) fn iterator(call: &ExprMethodCall) -> Option<Traits> {
    find(ITERATORS, &call.method.to_string(), call.args.len())
}

/// Whether `call` sets an option of `OpenOptions`, which never waits.
pub(crate) fn is_setting(call: &ExprMethodCall) -> bool {
    if !SETTINGS.iter().any(|name| call.method == name) {
        return false;
    }
    // A truth value is no buffer.
    if let Some(Expr::Lit(literal)) = call.args.first()
        && matches!(literal.lit, Lit::Bool(_))
    {
        return true;
    }
    let mut below = &*call.receiver;
    while let Expr::MethodCall(method) = below {
        below = &method.receiver;
    }
    let path = name(below);
    OPTIONS.iter().any(|begin| path.ends_with(begin))
}

/// [`iterator`], for the outermost call in the head of a marked loop.
pub(crate) fn head(call: &ExprMethodCall) -> Option<Traits> {
    iterator(call).or_else(|| find(HEADS, &call.method.to_string(), call.args.len()))
}

/// Why a call of this name cannot be marked, if it cannot.
pub(crate) fn never(name: &str) -> Option<&'static str> {
    NEVER.iter().find(|row| row.0 == name).map(|(_, reason)| *reason)
}

/// What to do instead of marking `call`, if it is one of std's that cannot be
/// stopped.
pub(crate) fn without(call: &Expr) -> Option<&'static str> {
    let (name, arguments) = match call {
        Expr::MethodCall(method) => (name(call), method.args.len()),
        Expr::Call(function) => {
            let path = name(call);
            let mut last = path.rsplitn(3, "::");
            let (function_name, module) = (last.next()?, last.next()?);
            (format!("{module}::{function_name}"), function.args.len())
        }
        _ => return None,
    };
    WITHOUT.iter().find(|row| row.0 == name && row.1 == arguments).map(|row| row.2)
}

fn find(table: &[Method], name: &str, arguments: usize) -> Option<Traits> {
    table.iter().find(|row| row.0 == name && row.1 == arguments).map(|row| row.2)
}

fn path_operation(function: &ExprPath, arguments: usize) -> Operation {
    let mut segments = function.path.segments.iter().rev();
    let Some(name) = segments.next().map(|segment| segment.ident.to_string()) else {
        return Operation::Nested;
    };
    let owner = segments.next().map(|segment| segment.ident.to_string());
    let is_type = |name: &String| name.starts_with(char::is_uppercase);
    if function.qself.is_some() || owner.as_ref().is_some_and(is_type) {
        let of_file = owner.as_ref().filter(|owner| *owner == "File");
        let found = of_file.and_then(|_| find(OF_FILE, &name, arguments));
        if let Some(found) = found.or_else(|| find(ASSOCIATED, &name, arguments)) {
            return Operation::Variant(found);
        }
        // The receiver is the first argument here.
        let Some(found) = arguments.checked_sub(1).and_then(|rest| find(METHODS, &name, rest))
        else {
            return Operation::Nested;
        };
        return match owner {
            Some(owner) if STD_TRAITS.contains(&owner.as_str()) => Operation::ThroughTrait(found),
            _ => Operation::Variant(found),
        };
    }
    if owner.as_deref() == Some("libc") {
        let found = LIBC.contains(&(&name, arguments));
        return if found { Operation::Function("sys") } else { Operation::Nested };
    }
    let found = FUNCTIONS.iter().any(|row| {
        let through = owner.as_ref().map_or(BARE.contains(&row.1), |owner| owner == row.0);
        row.1 == name && row.2 == arguments && through
    });
    if found { Operation::Function("expansion") } else { Operation::Nested }
}

/// Whether the table is sure that `call` blocks.
pub(crate) fn blocks(call: &Expr) -> bool {
    let getter = GETTERS.contains(&name(call).as_str());
    operation(call) != Operation::Nested && !seldom(call) && !is_momentary(call) && !getter
}

/// Whether `call` is one that seldom waits.
pub(crate) fn seldom(call: &Expr) -> bool {
    let name = name(call);
    SELDOM.contains(&name.rsplit("::").next().unwrap_or_default())
}

/// Whether `call` is a method that waits for moments only.
pub(crate) fn is_momentary(call: &Expr) -> bool {
    let Expr::MethodCall(call) = call else {
        return false;
    };
    MOMENTS.iter().any(|row| call.method == row.0 && call.args.len() == row.1)
}

/// Whether `call` takes a lock.
pub(crate) fn is_lock(call: &ExprMethodCall) -> bool {
    call.args.is_empty() && ["lock", "read", "write"].iter().any(|name| call.method == name)
}

/// Whether `call` is `stdin()`.
pub(crate) fn is_standard_input(call: &Expr) -> bool {
    matches!(call, Expr::Call(call) if call.args.is_empty())
        && name(call).rsplit("::").next() == Some("stdin")
}

/// The name of a call as the user wrote it, for messages.
pub(crate) fn name(call: &Expr) -> String {
    match call {
        Expr::MethodCall(call) => call.method.to_string(),
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => written(&path.path),
            _ => "(…)".to_owned(),
        },
        _ => String::new(),
    }
}

/// The smallest token that stands for a call: its method's or function's name.
pub(crate) fn span(call: &Expr) -> Span {
    match call {
        Expr::MethodCall(call) => call.method.span(),
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => path
                .path
                .segments
                .last()
                .map_or_else(|| path.span(), |segment| segment.ident.span()),
            func => func.span(),
        },
        other => other.span(),
    }
}

fn written(path: &Path) -> String {
    let names: Vec<String> =
        path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    names.join("::")
}
