//! What the thread does: calls, in scopes and shields.

/// The scopes, a bit each: the thread's own, two others, and one with a deadline.
pub(crate) const ROOT: u8 = 1;
pub(crate) const A: u8 = 2;
pub(crate) const B: u8 = 4;
pub(crate) const DEADLINE: u8 = 8;
/// One whose cell another thread takes when it has been left, for a scope under `A`.
pub(crate) const REUSED: u8 = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Marked,
    /// Sleeps for a while, as a call that is never restarted.
    Unmarked,
    /// Looks at the scopes if the flag is 1, and settles nothing.
    Checkpoint,
    /// Enters this scope.
    Open(u8),
    Close,
    Shield,
    Unshield,
    /// The thread ends, and another one takes its record.
    Reborn,
}

use Op::{Checkpoint, Close, Marked, Open, Reborn, Shield, Unmarked, Unshield};

/// Programs, each with its name and what is stopped while it runs.
pub(crate) const PROGRAMS: [(&str, &[Op], [u8; 3]); 15] = [
    ("two calls", &[Marked, Unmarked, Marked, Unmarked], [ROOT, ROOT, 0]),
    ("a scope", &[Open(A), Marked, Close, Unmarked, Marked, Unmarked], [A, ROOT, 0]),
    ("nested", &[Open(A), Open(B), Marked, Close, Marked, Close, Unmarked], [A, B, 0]),
    (
        "shield",
        &[Open(A), Shield, Open(B), Marked, Close, Unshield, Marked, Close, Unmarked],
        [A, B, 0],
    ),
    (
        "shield and thread",
        &[Open(A), Shield, Open(B), Marked, Close, Unshield, Marked, Close, Unmarked],
        [ROOT, B, 0],
    ),
    ("shield left", &[Open(A), Shield, Marked, Unshield, Close, Marked, Unmarked], [A, ROOT, 0]),
    (
        "deadline, then scope",
        &[Open(DEADLINE), Marked, Close, Unmarked, Open(A), Marked, Close, Unmarked],
        [A, 0, DEADLINE],
    ),
    (
        "deadline in scope",
        &[Open(A), Open(DEADLINE), Marked, Close, Marked, Close, Unmarked],
        [A, 0, DEADLINE],
    ),
    (
        "deadline and shield",
        &[Open(DEADLINE), Shield, Marked, Unshield, Marked, Close, Unmarked],
        [ROOT, 0, DEADLINE],
    ),
    (
        "record reused",
        &[Open(A), Marked, Close, Reborn, Open(B), Marked, Close, Unmarked],
        [A, B, 0],
    ),
    (
        "one after the other",
        &[Open(A), Marked, Close, Open(B), Marked, Close, Marked, Unmarked],
        [A, B, 0],
    ),
    ("two requesters", &[Open(A), Marked, Unmarked, Marked, Close, Unmarked], [A, A, 0]),
    (
        "checkpoint after a shield",
        &[Open(A), Shield, Marked, Unshield, Close, Checkpoint, Marked, Unmarked],
        [A, ROOT, 0],
    ),
    (
        "checkpoint between scopes",
        &[Open(A), Open(B), Unmarked, Close, Checkpoint, Marked, Close, Unmarked],
        [B, A, 0],
    ),
    (
        "cell reused",
        &[Open(A), Close, Checkpoint, Open(REUSED), Close, Marked, Unmarked],
        [A, ROOT, 0],
    ),
];

/// What is open before an operation, from the outermost on; a shield is 0.
pub(crate) fn open_at(program: &[Op], op: usize) -> impl Iterator<Item = u8> {
    let mut open = [0_u8; 8];
    open[0] = ROOT;
    let mut count = 1;
    for op in &program[..op] {
        match op {
            Open(scope) => {
                open[count] = *scope;
                count += 1;
            }
            Shield => {
                open[count] = 0;
                count += 1;
            }
            Close | Unshield => count -= 1,
            Marked | Unmarked | Checkpoint | Reborn => {}
        }
    }
    open.into_iter().take(count)
}

/// What is visible before an operation: open, with no shield inside of it.
pub(crate) fn visible_at(program: &[Op], op: usize) -> u8 {
    open_at(program, op).fold(0, |visible, scope| if scope == 0 { 0 } else { visible | scope })
}

/// What is open, shields or not.
pub(crate) fn all_at(program: &[Op], op: usize) -> u8 {
    open_at(program, op).fold(0, |all, scope| all | scope)
}

/// Behind the scope or the shield that begins here.
pub(crate) fn behind(program: &[Op], mut op: usize) -> usize {
    let mut depth = 0;
    loop {
        match program[op] {
            Open(_) | Shield => depth += 1,
            Close | Unshield => depth -= 1,
            Marked | Unmarked | Checkpoint | Reborn => {}
        }
        op += 1;
        if depth == 0 {
            return op;
        }
    }
}
