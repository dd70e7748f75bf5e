//! The stop signal and the process around it: handlers, masks, calls that are not
//! marked.

mod earlier_flags;
mod earlier_handler;
mod foreign_handlers;
mod signals_merged;
mod silence;
mod strays;
mod undisturbed;
mod undisturbed_traced;
mod without_system_calls;
