//! What the plan says: for each node what it becomes, and where a stop goes from
//! there.

use std::collections::BTreeSet;

use syn::{Expr, ItemFn, Lifetime, Path, Type};

use super::scope::Leave;
use crate::calls::Operation;

/// The function and, for each node by its number, what to do with it.
pub(crate) struct Plan {
    pub(crate) function: ItemFn,
    pub(crate) steps: Vec<Step>,
    /// The extension traits to import, from `stopruntime::expansion`.
    pub(crate) traits: BTreeSet<&'static str>,
    /// The function's return type, if a stop leaves it by that.
    pub(crate) exit: Option<Box<Type>>,
    /// `or = EXPR`.
    pub(crate) or: Option<Expr>,
    /// `crate = PATH`.
    pub(crate) root: Option<Path>,
}

/// What becomes of a node.
pub(crate) enum Step {
    /// A marked call.
    Call(Box<Marked>),
    /// A loop.
    Loop(Turn),
    /// A block with requests held.
    Shield,
}

/// What becomes of a marked call.
pub(crate) struct Marked {
    pub(crate) change: Change,
    pub(crate) leave: Leave,
    /// `within = EXPR`.
    pub(crate) within: Option<Expr>,
    /// rustc has not looked at such a receiver in this function yet.
    pub(crate) new_receiver: bool,
}

/// How a marked call is made stop-checked.
pub(crate) enum Change {
    By(Operation),
    /// It stops by itself, and says so in what it returns.
    AsIs,
    /// Wait first (`readable` or `writable`, of that place), then call it unchanged; not at
    /// all if `ahead`, the receiver where `on` is another place, holds something.
    Wait {
        word: syn::Ident,
        on: Expr,
        ahead: Option<Box<Expr>>,
    },
    /// In a region of foreign code, which `resets` connections or not.
    Foreign {
        resets: bool,
    },
    /// While another thread would run this at a stop.
    Unblock(Box<Expr>),
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
