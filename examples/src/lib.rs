//! What the examples and the tests share: the table of all covered calls.

pub mod cases;
pub mod emulated;
