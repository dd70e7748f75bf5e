//! The table: which call has which stop-checked variant.
//!
//! The macro sees names, not types. A marked call whose name is here becomes a
//! call of the same name with `_or_stop`; rustc then finds out, through the
//! extension trait of that row, whether the type can be stopped. A new call is
//! one new line.

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::{Expr, ExprCall, ExprMethodCall, ExprPath, Path};

/// A method: its name, how many arguments the variant takes besides the
/// receiver, and the traits in `stopruntime::private` that have the variant.
///
/// The count keeps namesakes apart: `handle.join()` waits, `path.join("x")` does not.
struct Method(&'static str, &'static [usize], Traits);

/// The traits to import for a method. More than one where std has the name both
/// in a trait and on a type (`BufRead::read_line`, `Stdin::read_line`).
pub(crate) type Traits = &'static [&'static str];

const METHODS: &[Method] = &[
    Method("accept", &[0], &["AcceptOrStop"]),
    Method("recv", &[0, 1], &["RecvOrStop"]),
    Method("recv_from", &[1], &["RecvFromOrStop"]),
    Method("peek", &[1], &["PeekOrStop"]),
    Method("peek_from", &[1], &["PeekFromOrStop"]),
    Method("send", &[1], &["SendOrStop"]),
    Method("send_to", &[2], &["SendToOrStop"]),
    Method("read", &[1], &["ReadOrStop"]),
    Method("read_vectored", &[1], &["ReadOrStop"]),
    Method("read_exact", &[1], &["ReadOrStop"]),
    Method("read_to_end", &[1], &["ReadOrStop"]),
    Method("read_to_string", &[1], &["ReadOrStop"]),
    Method("fill_buf", &[0], &["FillBufOrStop"]),
    Method("read_line", &[1], &["BufReadOrStop", "StdinOrStop"]),
    Method("read_until", &[2], &["BufReadOrStop"]),
    Method("write", &[1], &["WriteOrStop"]),
    Method("write_vectored", &[1], &["WriteOrStop"]),
    Method("write_all", &[1], &["WriteOrStop"]),
    Method("flush", &[0], &["WriteOrStop"]),
    Method("wait", &[0], &["WaitOrStop"]),
    Method("join", &[0], &["JoinOrStop"]),
];

/// Methods that return an iterator which blocks in `next`: for `for` loops only.
const ITERATORS: &[Method] = &[
    Method("incoming", &[0], &["IncomingOrStop"]),
    Method("lines", &[0], &["BufReadOrStop", "StdinOrStop"]),
    Method("split", &[1], &["BufReadOrStop"]),
    Method("bytes", &[0], &["BytesOrStop"]),
];

/// Associated functions without a receiver, called as `Type::name(…)`.
const ASSOCIATED: &[Method] = &[
    Method("connect", &[1], &["ConnectOrStop"]),
    Method("connect_timeout", &[2], &["ConnectTimeoutOrStop"]),
];

/// Free functions: the module they are usually named through, and their name.
const FUNCTIONS: &[(&str, &str)] = &[("thread", "sleep"), ("thread", "sleep_until")];

/// Traits of std that a method of the table may be called through
/// (`Read::read(&mut stream, &mut buffer)`), where ours takes their place.
const STD_TRAITS: &[&str] = &["Read", "BufRead", "Write"];

/// The trait of std that a user imports to call what a trait of ours has the
/// variants of.
pub(crate) const STD_IMPORTS: &[(&str, &str)] = &[
    ("ReadOrStop", "Read"),
    ("BytesOrStop", "Read"),
    ("WriteOrStop", "Write"),
    ("BufReadOrStop", "BufRead"),
    ("FillBufOrStop", "BufRead"),
];

/// Calls that must not be stopped half-way, and why.
const NEVER: &[(&str, &str)] = &[
    ("close", "a descriptor is closed even where `close` fails, so there is no call to repeat"),
    ("drop", "a destructor runs to its end"),
];

/// What a marked call becomes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Same path or receiver, `_or_stop` after the name, these traits imported.
    Variant(Traits),
    /// `Read::read(…)`: the same method of the first of these, by its full path.
    ThroughTrait(Traits),
    /// `thread::sleep(…)`: the function of that name in `private`.
    Function,
    /// No variant: called as it is; its error may carry a stop.
    Nested,
}

/// What the table has for `call`; `Nested` where it has nothing.
pub(crate) fn operation(call: &Expr) -> Operation {
    match call {
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

/// Why a call of this name cannot be marked, if it cannot.
pub(crate) fn never(name: &str) -> Option<&'static str> {
    NEVER.iter().find(|row| row.0 == name).map(|(_, reason)| *reason)
}

fn find(table: &[Method], name: &str, arguments: usize) -> Option<Traits> {
    table.iter().find(|row| row.0 == name && row.1.contains(&arguments)).map(|row| row.2)
}

fn path_operation(function: &ExprPath, arguments: usize) -> Operation {
    let mut segments = function.path.segments.iter().rev();
    let Some(name) = segments.next().map(|segment| segment.ident.to_string()) else {
        return Operation::Nested;
    };
    let owner = segments.next().map(|segment| segment.ident.to_string());
    let is_type = |name: &String| name.starts_with(char::is_uppercase);
    if function.qself.is_some() || owner.as_ref().is_some_and(is_type) {
        if let Some(found) = find(ASSOCIATED, &name, arguments) {
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
    let known = FUNCTIONS.iter().any(|(module, function)| {
        *function == name && owner.as_ref().is_none_or(|owner| owner == module)
    });
    if known { Operation::Function } else { Operation::Nested }
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
