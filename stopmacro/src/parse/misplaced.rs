//! Marks where they have no meaning.

use proc_macro2::Span;
use syn::ExprForLoop;
use syn::spanned::Spanned as _;

use super::{Reader, chain};
use crate::marks::{Blocking, Checkpoint, How, Marks, Ready};

impl Reader<'_> {
    /// `#[blocking] for … in …`: the place of the mark, unless it is wrong there.
    pub(super) fn each(&mut self, looping: &ExprForLoop, blocking: &Blocking) -> Option<Span> {
        if let Some(limit) = &blocking.within {
            self.diag.error(
                limit.span(),
                "`within` speaks of a call, not of a loop: mark the call in a `loop`, or put \
                 `stopruntime::within` around this one",
            );
            return None;
        }
        match &blocking.how {
            How::Plain => {}
            How::AsIs => {
                self.diag.error(
                    blocking.span,
                    "`as_is` speaks of a call, not of a loop: take `(as_is)` away",
                );
                return None;
            }
            How::Foreign { .. } | How::Unblock(_) => {
                self.diag.error(
                    blocking.span,
                    "`foreign`, `foreign_reset` and `unblock` speak of a call, not of a loop: make \
                     it a `loop` and mark the `next` in it",
                );
                return None;
            }
            How::Ready(Ready { word, .. }) => {
                self.diag.error(
                    word.span(),
                    format!(
                        "`{word}` waits before a call, not before each round of a loop: make it a \
                         `loop` with `#[blocking({word})]` on the call in it"
                    ),
                );
                return None;
            }
        }
        if let Some((adapter, source)) = chain::adapter(&looping.expr) {
            self.diag.error(
                adapter.span(),
                format!(
                    "`{adapter}` stands between the loop and `{source}`, which is what blocks: \
                     loop over `{source}` and do what `{adapter}` does in the body"
                ),
            );
            return None;
        }
        Some(blocking.span)
    }

    /// `#[checkpoint]` and `#[unstoppable]` where they have no meaning.
    pub(super) fn misplaced(&mut self, marks: &Marks, unstoppable_too: bool) {
        if let Some(Checkpoint { span, .. }) = marks.checkpoint {
            self.diag.error(
                span,
                "`#[checkpoint]` belongs above a loop: elsewhere call `stopruntime::check()`",
            );
        }
        if let Some(span) = marks.unstoppable
            && unstoppable_too
        {
            self.diag.error(
                span,
                "`#[unstoppable]` belongs above a block or a loop: put braces around what must \
                 not be stopped",
            );
        }
    }
}
