//! What becomes of a marked call.

use syn::Expr;

use super::step::{Change, Marked, Step};
use super::walk::Planner;
use super::{flow, refuse};
use crate::calls::{self, Operation};
use crate::marks::{Blocking, How, Ready, Way};

impl Planner<'_> {
    /// Decides about a marked call.
    pub(super) fn marked_call(&mut self, id: usize, blocking: &Blocking, call: &Expr) {
        if blocking.way == Some(Way::Break) && self.scope.is_outside() {
            self.diag.error(
                blocking.span,
                "there is no loop around this call that a stop could `break`: take `break` away",
            );
        }
        let within = blocking.within.clone();
        match &blocking.how {
            How::Unblock(way) => {
                refuse::unblock(way, self.diag);
                refuse::exits(call, "unblock", self.diag);
            }
            _ if within.is_some() => refuse::exits(call, "within", self.diag),
            _ => {}
        }
        self.scope.mark();
        let leave = self.leave(blocking.span);
        let mut new_receiver = true;
        let change = match &blocking.how {
            How::Plain => {
                let operation = calls::operation(call);
                refuse::unstoppable(call, blocking.form, self.diag);
                if let Operation::Variant(names) = operation {
                    self.decisions.traits.extend(names);
                    new_receiver = self.receivers.is_new(call, names);
                }
                Change::By(operation)
            }
            How::AsIs => Change::AsIs,
            How::Ready(ready) => {
                let ahead = match call {
                    Expr::MethodCall(call)
                        if ready.on.is_some()
                            && ready.word == "readable"
                            && flow::is_place(&call.receiver) =>
                    {
                        Some(call.receiver.clone())
                    }
                    _ => None,
                };
                let on = self.descriptor(ready, call);
                Change::Wait { word: ready.word.clone(), on, ahead }
            }
            How::Foreign { resets } => Change::Foreign { resets: *resets },
            How::Unblock(way) => Change::Unblock(way.clone()),
        };
        self.decisions.steps[id] =
            Step::Call(Box::new(Marked { change, leave, within, new_receiver }));
        self.parts(call);
    }

    /// What `readable` waits for: the operand of the option or the call's receiver.
    fn descriptor(&mut self, ready: &Ready, call: &Expr) -> Expr {
        if let Some(on) = &ready.on {
            return on.clone();
        }
        let word = &ready.word;
        match call {
            Expr::MethodCall(call) if flow::is_place(&call.receiver) => {
                return (*call.receiver).clone();
            }
            // The receiver is evaluated twice, so it must not do anything.
            Expr::MethodCall(call) => self.diag.push(syn::Error::new_spanned(
                &call.receiver,
                format!(
                    "`{word}` names this twice, so it must be a variable or a field: bind it with \
                     `let` first, or say `{word} = EXPR`"
                ),
            )),
            other => self.diag.error(
                word.span(),
                format!(
                    "`{}` has no receiver to wait for: say `{word} = EXPR`",
                    calls::name(other)
                ),
            ),
        }
        Expr::PLACEHOLDER
    }
}
