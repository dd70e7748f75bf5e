//! How likely a call is the one that a mark speaks of, by its name.

use syn::Expr;

use crate::calls::{self, Operation};
use crate::table::hints::{QUIET_METHODS, QUIET_TYPES, UNLIKELY};

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
                    // `MsgFlags::empty()`
                    [.., owner, _]
                        if call.args.is_empty() && owner.starts_with(char::is_uppercase) =>
                    {
                        return Some(Rank::Unlikely);
                    }
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
