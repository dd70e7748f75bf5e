//! How likely a call is the one that a mark speaks of, by its name.

use syn::Expr;

use crate::calls::{self, Operation};

/// Methods that turn a result over and never wait.
const QUIET_METHODS: &[&str] = &[
    "and_then",
    "as_bytes",
    "as_deref",
    "as_deref_mut",
    "as_mut",
    "as_mut_slice",
    "as_ref",
    "as_slice",
    "as_str",
    "borrow",
    "borrow_mut",
    "by_ref",
    "clone",
    "cloned",
    "code",
    "context",
    "copied",
    "err",
    "expect",
    "expect_err",
    "filter",
    "flatten",
    "inspect",
    "inspect_err",
    "into",
    "is_empty",
    "is_err",
    "is_err_and",
    "is_none",
    "is_ok",
    "is_ok_and",
    "is_some",
    "is_some_and",
    "kind",
    "len",
    "map",
    "map_err",
    "map_or",
    "map_or_else",
    "ok",
    "ok_or",
    "ok_or_else",
    "or",
    "or_else",
    "success",
    "to_owned",
    "to_string",
    "to_vec",
    "transpose",
    "trim",
    "try_into",
    "unwrap",
    "unwrap_err",
    "unwrap_or",
    "unwrap_or_default",
    "unwrap_or_else",
    "with_context",
    "wrap_err",
];

/// Methods and associated functions that seldom wait: the call that is meant
/// only if there is no other.
const UNLIKELY: &[&str] = &[
    "contains",
    "custom_flags",
    "default",
    "extend",
    "extend_from_slice",
    "first",
    "first_mut",
    "from",
    "get",
    "get_mut",
    "insert",
    "iter",
    "iter_mut",
    "last",
    "last_mut",
    "mode",
    "new",
    "options",
    "parse",
    "push",
    "push_back",
    "push_front",
    "push_str",
    "with_capacity",
];

/// Types whose associated functions never wait.
const QUIET_TYPES: &[&str] = &[
    "Arc",
    "Box",
    "Cell",
    "Cow",
    "Cursor",
    "Default",
    "Duration",
    "From",
    "Instant",
    "Into",
    "IoSlice",
    "IoSliceMut",
    "Ipv4Addr",
    "Ipv6Addr",
    "Option",
    "Path",
    "PathBuf",
    "Rc",
    "RefCell",
    "Result",
    "SocketAddr",
    "String",
    "Vec",
];

/// How likely a candidate is the call that is meant, most likely first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// In the table.
    Known,
    Likely,
    /// In the table, and waits for moments only.
    Momentary,
    Unlikely,
}

/// How likely `expr` itself is the blocking call; `None` if it is none.
pub(crate) fn rank(expr: &Expr) -> Option<Rank> {
    if calls::operation(expr) != Operation::Nested {
        return Some(if calls::is_momentary(expr) {
            Rank::Momentary
        } else if calls::seldom(expr) {
            // `BufReader::new(File::open(path)?).read_line(&mut line)`
            Rank::Likely
        } else {
            Rank::Known
        });
    }
    let name = match expr {
        Expr::MethodCall(call) if calls::iterator(call).is_some() => return None,
        Expr::MethodCall(call) if calls::is_setting(call) => return None,
        Expr::MethodCall(call) => {
            let name = call.method.to_string();
            if QUIET_METHODS.contains(&name.as_str()) {
                return None;
            }
            name
        }
        Expr::Call(call) => match &*call.func {
            // `let input = stdin().lock();`
            Expr::Path(_) if calls::is_standard_input(expr) => return None,
            Expr::Path(path) => {
                let names: Vec<String> =
                    path.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
                match names.as_slice() {
                    // `Ok(…)`, `Some(…)`, `Wrapper(…)`, `Event::Data(…)`
                    [.., last] if last.starts_with(char::is_uppercase) => return None,
                    [.., owner, _] if QUIET_TYPES.contains(&owner.as_str()) => return None,
                    [.., _, last] => last.clone(),
                    _ => return Some(Rank::Likely),
                }
            }
            _ => return Some(Rank::Likely),
        },
        _ => return None,
    };
    if UNLIKELY.contains(&name.as_str()) { Some(Rank::Unlikely) } else { Some(Rank::Likely) }
}
