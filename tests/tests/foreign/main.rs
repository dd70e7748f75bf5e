//! Foreign code is ended by a stop, in both ways and on every backend.

mod hazards;
mod kit;
mod plain;
mod random;
mod scopes;
