//! What a thread that is in these frames is to see.

use super::Game;
use std::cell::Cell;
use stopruntime::{Cause, Reason, Stopper};

/// What a scope is to the model.
pub(super) struct Node {
    /// None once it has been dropped: a child may stand under it, or code run.
    pub(super) handle: Option<Stopper>,
    pub(super) parent: Option<usize>,
    pub(super) requested: bool,
    pub(super) reason: Option<&'static str>,
    /// Its deadline: none, one to come, one that has passed.
    pub(super) late: Option<bool>,
}

/// What the thread is in, the innermost last.
pub(super) enum Frame {
    Run(usize),
    /// With a limit that is over, and whether that has stopped a call.
    Within(bool, Cell<bool>),
    Shield,
    Region,
}

pub(super) type Why = (Cause, Option<Reason>);

impl Game {
    pub(super) fn add(&mut self, handle: Stopper, parent: Option<usize>) {
        let handle = Some(handle);
        self.nodes.push(Node { handle, parent, requested: false, reason: None, late: None });
    }

    /// The scope and those above it.
    pub(super) fn upwards(&self, node: usize) -> impl Iterator<Item = &Node> {
        std::iter::successors(Some(node), |node| self.nodes[*node].parent).map(|at| &self.nodes[at])
    }

    pub(super) fn why(&self, node: usize) -> Option<Why> {
        self.upwards(node).find_map(|node| {
            if node.requested {
                return Some((Cause::Requested, node.reason.map(Reason::from)));
            }
            (node.late == Some(true)).then_some((Cause::Deadline, None))
        })
    }

    /// What stops the code at each frame that these are, from the inside, and the thread's
    /// own scope if they are all.
    pub(super) fn stops<'game>(
        &'game self,
        frames: &'game [Frame],
    ) -> impl DoubleEndedIterator<Item = (Option<&'game Cell<bool>>, Why)> {
        let own = (frames.len() == self.frames.len()).then(|| self.why(0)).flatten();
        let frames = frames.iter().rev().filter_map(|frame| match frame {
            Frame::Run(node) => self.why(*node).map(|why| (None, why)),
            Frame::Within(late, stopped) => {
                late.then_some((Some(stopped), (Cause::Deadline, None)))
            }
            Frame::Shield | Frame::Region => None,
        });
        frames.chain(own.map(|why| (None, why)))
    }

    /// The frames up to the innermost shield.
    pub(super) fn visible(&self) -> &[Frame] {
        let shield = self.frames.iter().rposition(|frame| matches!(frame, Frame::Shield));
        &self.frames[shield.map_or(0, |at| at + 1)..]
    }

    /// What the code has found to stop it; a limit that it is knows of it.
    pub(super) fn taken(&self) -> Option<Why> {
        // The outermost speaks.
        let (limit, why) = self.stops(self.visible()).next_back()?;
        if let Some(limit) = limit {
            limit.set(true);
        }
        Some(why)
    }

    pub(super) fn has_deadline(&self) -> bool {
        let frames = self.visible();
        let of = |node| self.upwards(node).any(|node| node.late.is_some());
        let own = frames.len() == self.frames.len() && of(0);
        own || frames.iter().any(|frame| match frame {
            Frame::Run(node) => of(*node),
            Frame::Within(..) => true,
            Frame::Shield | Frame::Region => false,
        })
    }
}
