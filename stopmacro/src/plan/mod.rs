//! `Input` to `Plan`: for each node what it becomes and where a stop goes from
//! there. Everything that can be refused is refused here, so that `expand`
//! need not fail.

mod answer;
pub(crate) mod flow;
mod marked;
mod receivers;
mod refuse;
mod scope;
mod step;
mod walk;

pub(crate) use scope::Leave;
pub(crate) use step::{Change, Marked, Plan, Step, Turn};

use crate::diag::Diag;
use crate::parse::Input;
use receivers::Receivers;
use scope::Scope;
use walk::{Decisions, Planner};

/// Whether a stop leaves the function from there, by its own `leave`.
fn uses_exit(step: &Step) -> bool {
    let is_exit = |leave: &Leave| matches!(leave, Leave::Function);
    match step {
        Step::Call(marked) => is_exit(&marked.leave),
        Step::Loop(turn) => turn.check.iter().chain(&turn.each).any(is_exit),
        Step::Shield => false,
    }
}

/// Decides about every node; what may not stand where it does is reported.
pub(crate) fn plan(input: Input, diag: &mut Diag) -> Plan {
    refuse::signature(&input.function, diag);
    let returns = !refuse::is_unit(&input.function.sig.output);
    let leave = match (&input.args.or, scope::type_of(&input.function.sig.output)) {
        (Some(_), _) => Leave::Or,
        (None, Some(_)) => Leave::Function,
        (None, None) => Leave::Return(None),
    };
    let scope = Scope::new(leave, returns, input.args.way);
    let receivers = Receivers::of(&input.function, &input.names);
    let mut planner = Planner::new(&input.nodes, scope, receivers, input.args.strict, diag);
    planner.block(&input.function.block, returns);
    let Decisions { steps, traits, stoppable } = planner.decisions;
    if !stoppable && diag.is_clean() {
        let name = &input.function.sig.ident;
        diag.error(
            name.span(),
            format!(
                "nothing in `{name}` can be stopped: mark its blocking calls with `#[blocking]`, \
                 a call of what stops by itself with `#[blocking(as_is)]`, a loop with `#[checkpoint]`, or take `#[stoppable]` away"
            ),
        );
    }
    let exit = scope::type_of(&input.function.sig.output).filter(|_| steps.iter().any(uses_exit));
    let (or, root) = (input.args.or, input.args.root);
    Plan { function: input.function, steps, traits, exit, or, root }
}
