//! The examples, as programs.

mod drop_in;
mod example;
mod guide;
mod scopes;
mod syslogd;
