//! What stands in a group, by its text: to go through its tokens one by one takes ten times
//! as long.

use crate::table::hints::STATEMENTS;

/// Words that a stage asks about.
const ASKED: [&str; 5] = ["blocking", "break", "checkpoint", "return", "unstoppable"];

/// Words of code of its own, which no stage visits: nothing could be put back there.
const OWN: [&str; 14] = [
    "async",
    "const",
    "enum",
    "extern",
    "fn",
    "impl",
    "macro_rules",
    "mod",
    "pub",
    "static",
    "struct",
    "trait",
    "type",
    "use",
];

/// Words before a `!` that is a negation.
const BEFORE_NOT: [&str; 5] = ["else", "if", "in", "match", "while"];

pub(super) fn is_own(word: &str) -> bool {
    OWN.contains(&word)
}

/// Whether no stage asks about this word.
pub(super) fn passes(word: &str) -> bool {
    !ASKED.contains(&word) && !OWN.contains(&word)
}

/// Whether no stage asks about anything in this text. What a literal says is taken for code.
pub(super) fn all_passes(text: &str) -> bool {
    let mut word = "";
    let mut rest = text;
    while let Some(first) = rest.bytes().next() {
        let length = rest.bytes().take_while(|byte| is_of_word(*byte)).count();
        if length > 0 {
            let (before, after) = rest.split_at(length);
            if !passes(before) {
                return false;
            }
            word = before;
            rest = after;
            continue;
        }
        let is_macro = first == b'!'
            && !rest.starts_with("!=")
            && !word.is_empty()
            && !BEFORE_NOT.contains(&word);
        // A comment that stands in a text is an attribute.
        let is_comment = rest.starts_with("//") || rest.starts_with("/*");
        if first == b'#' || first == b'?' || is_comment || is_macro && !STATEMENTS.contains(&word) {
            return false;
        }
        if !first.is_ascii_whitespace() {
            word = "";
        }
        rest = &rest[1..];
    }
    true
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}
