//! Each weak ordering of the code of scopes, in a test as small as it can be: with the
//! ordering as the source has it, and without, where what must not happen does.
//!
//! The source's line is looked for, so that one that is weakened there is red here.

mod handed_over;
mod looked_for;

use std::fs;

/// That a source says this, spaces aside.
fn says(file: &str, text: &str) {
    let path = format!("{}/../../stopruntime/src/{file}", env!("CARGO_MANIFEST_DIR"));
    let source = fs::read_to_string(&path).unwrap();
    let without_spaces = |text: &str| text.split_whitespace().collect::<String>();
    assert!(without_spaces(&source).contains(&without_spaces(text)), "{file}: no {text:?}");
}
