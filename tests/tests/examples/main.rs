//! The examples, as programs.

mod drop_in;
mod example;
mod guide;
mod httpd;
mod scopes;
mod syslogd;
