//! What a call waits in, and what ends that wait besides a request.

mod deadlines;
mod futex_family;
mod futex_steps;
mod futex_wakeups;
mod interrupted;
mod park;
mod ppoll_edges;
mod ppoll_turns;
mod readiness;
