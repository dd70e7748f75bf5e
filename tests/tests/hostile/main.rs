//! Hostile surroundings: signals without end, processors that change, stops of
//! the process, debuggers and other tools, sandboxes, jumps out of handlers,
//! forks at the wrong moment, panics at the wrong place, no room on the stack.
//! Nothing is lost, nothing hangs; where there is a limit, it is exactly the
//! one that is documented.
//!
//! What is as it is only on some machines (a tool, a right, a limit) is left
//! out where it is missing, and the output of the test says so: `NOT TESTED`.

mod aborts;
mod descriptors;
mod ends;
mod flows;
mod forks;
mod jumps;
mod many;
mod panics;
mod registration;
mod replaced;
mod stacks;
mod storms;
mod tools;
#[cfg(target_arch = "x86_64")]
mod traced;
