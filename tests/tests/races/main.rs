//! Requests that meet a thread at each instruction, at random, or at one instant.

mod held_requester;
mod left_behind;
mod own_rseq;
mod random_stops;
mod requester_steps;
mod same_instant;
mod scope_steps;
mod window_copies;
mod window_injected;
mod window_steps;
