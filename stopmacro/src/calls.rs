//! The table: which call has which stop-checked variant.
//!
//! The macro sees names, not types. A marked call whose name is here becomes a
//! call of the same name with `_or_stop`; rustc then finds out, through the
//! extension trait of that row, whether the type can be stopped. A new call is
//! one new line.

use proc_macro2::Span;
use syn::spanned::Spanned as _;
use syn::{Expr, ExprCall, ExprMethodCall, ExprPath, Lit, Path};

/// A method: its name, how many arguments the variant takes besides the
/// receiver, and the traits in `stopruntime::expansion` that have the variant.
///
/// The count keeps namesakes apart: `handle.join()` waits, `path.join("x")` does not.
struct Method(&'static str, &'static [usize], Traits);

/// The traits to import for a method. More than one where std has the name both
/// in a trait and on a type (`BufRead::read_line`, `Stdin::read_line`).
pub(crate) type Traits = &'static [&'static str];

const METHODS: &[Method] = &[
    Method("accept", &[0], &["AcceptOrStop"]),
    Method("recv", &[0], &["ReceiverOrStop"]),
    Method("recv", &[1], &["RecvOrStop"]),
    Method("recv_from", &[1], &["RecvFromOrStop"]),
    Method("peek", &[1], &["PeekOrStop"]),
    Method("peek_from", &[1], &["PeekFromOrStop"]),
    Method("recv_timeout", &[1], &["ReceiverOrStop"]),
    Method("recv_deadline", &[1], &["ReceiverOrStop"]),
    Method("send", &[1], &["SendOrStop", "SenderOrStop"]),
    Method("send_timeout", &[2], &["SenderOrStop"]),
    Method("send_deadline", &[2], &["SenderOrStop"]),
    Method("send_to", &[2], &["SendToOrStop"]),
    Method("read", &[1], &["ReadOrStop"]),
    Method("read_vectored", &[1], &["ReadOrStop"]),
    Method("read_exact", &[1], &["ReadOrStop"]),
    Method("read_to_end", &[1], &["ReadOrStop"]),
    Method("read_to_string", &[1], &["ReadOrStop"]),
    Method("fill_buf", &[0], &["FillBufOrStop"]),
    Method("read_line", &[1], &["BufReadOrStop", "StdinOrStop"]),
    Method("read_until", &[2], &["BufReadOrStop"]),
    Method("skip_until", &[1], &["BufReadOrStop"]),
    Method("write", &[1], &["WriteOrStop"]),
    Method("write_vectored", &[1], &["WriteOrStop"]),
    Method("write_all", &[1], &["WriteOrStop"]),
    Method("flush", &[0], &["WriteOrStop"]),
    Method("wait", &[0], &["WaitOrStop"]),
    Method("wait_with_output", &[0], &["WaitWithOutputOrStop"]),
    Method("output", &[0], &["OutputOrStop"]),
    Method("status", &[0], &["StatusOrStop"]),
    Method("join", &[0], &["JoinOrStop"]),
    Method("join_timeout", &[1], &[]),
    Method("open", &[1], &["OpenOrStop"]),
    Method("sync_all", &[0], &["FileOrStop"]),
    Method("sync_data", &[0], &["FileOrStop"]),
    Method("lock", &[0], &["LockOrStop"]),
    Method("lock_shared", &[0], &["FileOrStop"]),
    Method("submit_and_wait", &[1], &["SubmitAndWaitOrStop"]),
    Method("submit_with_args", &[2], &["SubmitWithArgsOrStop"]),
    // Those of `stopruntime::sync` are methods of the types themselves.
    Method("read", &[0], &["ReadWriteLockOrStop"]),
    Method("write", &[0], &["ReadWriteLockOrStop"]),
    Method("call_once", &[1], &["InitialiseOrStop"]),
    Method("call_once_force", &[1], &["InitialiseOrStop"]),
    Method("try_call_once", &[1], &[]),
    Method("get_or_init", &[1], &["InitialiseOrStop"]),
    Method("get_or_try_init", &[1], &[]),
    Method("set", &[1], &["InitialiseOrStop"]),
    Method("wait_force", &[0], &[]),
    Method("acquire", &[0], &[]),
    Method("acquire_many", &[1], &[]),
    Method("acquire_timeout", &[1], &[]),
    Method("wait", &[1], &[]),
    Method("wait_while", &[2], &[]),
    Method("wait_timeout", &[2], &[]),
    Method("wait_timeout_while", &[3], &[]),
];

/// Methods that return an iterator which blocks in `next`: for `for` loops only.
const ITERATORS: &[Method] = &[
    Method("incoming", &[0], &["IncomingOrStop"]),
    Method("lines", &[0], &["BufReadOrStop", "StdinOrStop"]),
    Method("split", &[1], &["BufReadOrStop"]),
    Method("bytes", &[0], &["BytesOrStop"]),
];

/// Methods that count as iterators only in the head of a marked loop: `iter` of
/// a channel's receiver blocks in `next`, and every collection has one.
const HEADS: &[Method] = &[Method("iter", &[0], &["IterOrStop"])];

/// Associated functions without a receiver, called as `Type::name(…)`.
const ASSOCIATED: &[Method] = &[
    Method("connect", &[1], &["ConnectOrStop"]),
    Method("connect_timeout", &[2], &["ConnectTimeoutOrStop"]),
];

/// The same for `File` alone: many types have an `open` or a `create`.
const OF_FILE: &[Method] = &[
    Method("open", &[1], &["FileOrStop"]),
    Method("create", &[1], &["FileOrStop"]),
    Method("create_new", &[1], &["FileOrStop"]),
];

/// A free function: the module it is named through, its name, how many arguments
/// the variant takes, and the module of `stopruntime` that has the variant.
struct Function(&'static str, &'static str, usize, &'static str);

const FUNCTIONS: &[Function] = &[
    Function("thread", "park", 0, "expansion"),
    Function("thread", "park_timeout", 1, "expansion"),
    Function("thread", "sleep", 1, "expansion"),
    Function("thread", "sleep_until", 1, "expansion"),
    Function("io", "copy", 2, "expansion"),
    Function("libc", "accept", 3, "sys"),
    Function("libc", "accept4", 4, "sys"),
    Function("libc", "aio_suspend", 3, "sys"),
    Function("libc", "clock_nanosleep", 4, "sys"),
    Function("libc", "connect", 3, "sys"),
    Function("libc", "copy_file_range", 6, "sys"),
    Function("libc", "creat", 2, "sys"),
    Function("libc", "epoll_pwait", 5, "sys"),
    Function("libc", "epoll_pwait2", 5, "sys"),
    Function("libc", "epoll_wait", 4, "sys"),
    Function("libc", "fallocate", 4, "sys"),
    Function("libc", "fcntl", 3, "sys"),
    Function("libc", "fdatasync", 1, "sys"),
    Function("libc", "flock", 2, "sys"),
    Function("libc", "fsync", 1, "sys"),
    Function("libc", "getrandom", 3, "sys"),
    Function("libc", "ioctl", 3, "sys"),
    Function("libc", "lockf", 3, "sys"),
    Function("libc", "mq_receive", 4, "sys"),
    Function("libc", "mq_send", 4, "sys"),
    Function("libc", "mq_timedreceive", 5, "sys"),
    Function("libc", "mq_timedsend", 5, "sys"),
    Function("libc", "msgrcv", 5, "sys"),
    Function("libc", "msgsnd", 4, "sys"),
    Function("libc", "msync", 3, "sys"),
    Function("libc", "nanosleep", 2, "sys"),
    Function("libc", "open", 3, "sys"),
    Function("libc", "open_by_handle_at", 3, "sys"),
    Function("libc", "openat", 4, "sys"),
    Function("libc", "openat2", 4, "sys"),
    Function("libc", "pause", 0, "sys"),
    Function("libc", "poll", 3, "sys"),
    Function("libc", "ppoll", 4, "sys"),
    Function("libc", "pread", 4, "sys"),
    Function("libc", "preadv", 4, "sys"),
    Function("libc", "preadv2", 5, "sys"),
    Function("libc", "pselect", 6, "sys"),
    Function("libc", "pwrite", 4, "sys"),
    Function("libc", "pwritev", 4, "sys"),
    Function("libc", "pwritev2", 5, "sys"),
    Function("libc", "read", 3, "sys"),
    Function("libc", "readv", 3, "sys"),
    Function("libc", "recv", 4, "sys"),
    Function("libc", "recvfrom", 6, "sys"),
    Function("libc", "recvmmsg", 5, "sys"),
    Function("libc", "recvmsg", 3, "sys"),
    Function("libc", "select", 5, "sys"),
    Function("libc", "semop", 3, "sys"),
    Function("libc", "semtimedop", 4, "sys"),
    Function("libc", "send", 4, "sys"),
    Function("libc", "sendfile", 4, "sys"),
    Function("libc", "sendmmsg", 4, "sys"),
    Function("libc", "sendmsg", 3, "sys"),
    Function("libc", "sendto", 6, "sys"),
    Function("libc", "sigsuspend", 1, "sys"),
    Function("libc", "sigtimedwait", 3, "sys"),
    Function("libc", "sigwait", 2, "sys"),
    Function("libc", "sigwaitinfo", 2, "sys"),
    Function("libc", "sleep", 1, "sys"),
    Function("libc", "splice", 6, "sys"),
    Function("libc", "sync", 0, "sys"),
    Function("libc", "sync_file_range", 4, "sys"),
    Function("libc", "syncfs", 1, "sys"),
    Function("libc", "tcdrain", 1, "sys"),
    Function("libc", "tee", 4, "sys"),
    Function("libc", "usleep", 1, "sys"),
    Function("libc", "vmsplice", 4, "sys"),
    Function("libc", "wait", 1, "sys"),
    Function("libc", "wait3", 3, "sys"),
    Function("libc", "wait4", 4, "sys"),
    Function("libc", "waitid", 4, "sys"),
    Function("libc", "waitpid", 3, "sys"),
    Function("libc", "write", 3, "sys"),
    Function("libc", "writev", 3, "sys"),
];

/// Functions that are taken for what they are also without the path: `use
/// std::thread::sleep` is common, and so is a `read` or `park` of the user's own.
const BARE: &[&str] = &["sleep", "sleep_until"];

/// Calls that wait only for some of their commands or files: `strict` lets them
/// be, and others beside them are more likely the ones that are meant.
const SELDOM: &[&str] =
    &["create", "create_new", "fcntl", "ioctl", "lock_shared", "open", "sync_all", "sync_data"];

/// Methods, with the number of their arguments, that wait for moments only, and
/// often for the sake of another call: `list.lock().unwrap().recv()` waits in
/// `recv`. `strict` lets them be as well.
const MOMENTS: &[(&str, usize)] = &[
    ("lock", 0),
    ("read", 0),
    ("write", 0),
    ("call_once", 1),
    ("call_once_force", 1),
    ("try_call_once", 1),
    ("get_or_init", 1),
    ("get_or_try_init", 1),
    ("set", 1),
];

/// Names that are mostly a getter's: `strict` lets them be.
const GETTERS: &[&str] = &["status"];

/// The methods of `OpenOptions` that set one, and where such options begin.
const SETTINGS: &[&str] = &["append", "create", "create_new", "read", "truncate", "write"];
const OPTIONS: &[&str] = &["OpenOptions::new", "File::options"];

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

/// Calls of std that block and have no stop-checked form, with the number of
/// their arguments: marked, they would pass for calls of the user's own and wait
/// unstoppably.
const WITHOUT: &[(&str, usize, &str)] = &[
    ("fs::copy", 2, "open both files and mark `io::copy`"),
    ("fs::read", 1, "mark `File::open` and the file's `read_to_end`"),
    ("fs::read_to_string", 1, "mark `File::open` and the file's `read_to_string`"),
    ("fs::write", 2, "mark `File::create` and the file's `write_all`"),
];

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
    let row = FUNCTIONS.iter().find(|row| {
        let through = owner.as_ref().map_or(BARE.contains(&row.1), |owner| owner == row.0);
        row.1 == name && row.2 == arguments && through
    });
    row.map_or(Operation::Nested, |row| Operation::Function(row.3))
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{ASSOCIATED, FUNCTIONS, ITERATORS, METHODS, OF_FILE};

    /// The text of all files in a directory of the runtime, and below.
    fn source(directory: &str) -> String {
        let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stopruntime/src");
        text(&runtime.join(directory))
    }

    fn text(path: &Path) -> String {
        if path.is_file() {
            return fs::read_to_string(path).unwrap();
        }
        fs::read_dir(path).unwrap().map(|entry| text(&entry.unwrap().path())).collect()
    }

    /// A row that the runtime does not answer would be an error at the user's call.
    #[test]
    fn the_runtime_has_every_row() {
        let (expansion, ext) =
            (source("expansion"), ["ext", "sync", "thread", "uring"].map(source).concat());
        for row in [METHODS, ITERATORS, ASSOCIATED, OF_FILE].into_iter().flatten() {
            assert!(ext.contains(&format!("fn {}_or_stop", row.0)), "{}", row.0);
            for name in row.2 {
                assert!(expansion.contains(name), "{name}");
            }
        }
        let sys = source("sys");
        for row in FUNCTIONS {
            let module = if row.3 == "sys" { &sys } else { &expansion };
            assert!(module.contains(&format!("{}_or_stop", row.1)), "{}", row.1);
        }
    }
}
