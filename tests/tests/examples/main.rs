//! The examples, as programs.

mod drop_in;
mod example;
mod scopes;
mod syslogd;
