//! `Input` to `Plan`: for each node what it becomes and where a stop goes from
//! there. Everything that can be refused is refused here, so that `expand`
//! need not fail.

use std::collections::BTreeSet;

use syn::{Expr, ItemFn, Lifetime};

use crate::calls::Operation;
use crate::diag::Diag;
use crate::parse::Input;
use crate::planner::{Decisions, Planner};
use crate::refuse;
use crate::scope::{Leave, Scope};

/// The function and, for each node by its number, what to do with it.
pub(crate) struct Plan {
    pub(crate) function: ItemFn,
    pub(crate) steps: Vec<Step>,
    /// The extension traits to import, from `stopruntime::expansion`.
    pub(crate) traits: BTreeSet<&'static str>,
    /// `or = EXPR`.
    pub(crate) or: Option<Expr>,
}

/// What becomes of a node.
pub(crate) enum Step {
    /// A marked call.
    Call { change: Change, leave: Leave },
    /// A loop.
    Loop(Turn),
    /// A block with requests held.
    Shield,
}

/// How a marked call is made stop-checked.
pub(crate) enum Change {
    By(Operation),
    /// Wait first (`readable` or `writable`, of that place), then call it unchanged.
    Wait {
        word: syn::Ident,
        on: Expr,
    },
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

/// Decides about every node; what may not stand where it does is reported.
pub(crate) fn plan(input: Input, diag: &mut Diag) -> Plan {
    refuse::signature(&input.function, diag);
    let scope = Scope::new(if input.args.or.is_some() { Leave::Or } else { Leave::Return });
    let returns = !refuse::is_unit(&input.function.sig.output);
    let mut planner = Planner::new(&input.nodes, scope, input.args.strict, diag);
    planner.block(&input.function.block, returns);
    let Decisions { steps, traits, stoppable } = planner.decisions;
    if !stoppable && diag.is_clean() {
        let name = &input.function.sig.ident;
        diag.error(
            name.span(),
            format!(
                "nothing in `{name}` can be stopped: mark its blocking calls with `#[blocking]`, \
                 a loop with `#[checkpoint]`, or take `#[stoppable]` away"
            ),
        );
    }
    Plan { function: input.function, steps, traits, or: input.args.or }
}
