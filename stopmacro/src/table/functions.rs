//! std's functions.

use super::Function;

pub(crate) const FUNCTIONS: &[Function] = &[
    ("thread", "park", 0),
    ("thread", "park_timeout", 1),
    ("thread", "sleep", 1),
    ("thread", "sleep_until", 1),
    ("io", "copy", 2),
];
