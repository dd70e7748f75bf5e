//! `httpd`: what it serves and refuses, and how it ends.

mod end;
mod files;
mod server;
