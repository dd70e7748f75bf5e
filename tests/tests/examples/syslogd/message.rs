//! Numbered messages, and what the file must hold of them.

use std::collections::BTreeMap;

/// As many datagrams as fit into a queue, so that none can be dropped.
pub(crate) const BATCH: usize = 100;

/// How many a sender of many sends, in whole batches: ten thousand, or the part
/// of them that is asked for.
pub(crate) fn lines() -> usize {
    let batches = usize::try_from(stop_tests::part_of(100)).expect("no more than that");
    batches * BATCH
}

/// How a message is told from the next one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Framing {
    /// By being a datagram.
    None,
    Newline,
    OctetCount,
}

/// The text of a sender's message: as long as its number makes it, so that a
/// torn or mixed-up one does not pass.
pub(crate) fn text(sender: &str, number: usize) -> String {
    let letters = ('a'..='z').cycle().skip(number % 26);
    let filler: String = letters.take(number * 37 % 211).collect();
    format!("{sender} {number} {filler}.")
}

/// The message as it is sent; every second one in the older format.
pub(crate) fn message(sender: &str, number: usize, framing: Framing) -> Vec<u8> {
    let text = text(sender, number);
    let message = if number.is_multiple_of(2) {
        format!("<13>1 2026-11-22T16:00:00Z host app 1 - - {text}")
    } else {
        format!("<13>Nov 22 16:00:00 host app[1]: {text}")
    };
    match framing {
        Framing::None => message,
        Framing::Newline => format!("{message}\n"),
        Framing::OctetCount => format!("{} {message}", message.len()),
    }
    .into_bytes()
}

/// How many messages of each sender are in the file (for `lossy`: one more than
/// its last one's number).
///
/// Panics unless each is there once, whole, after the one before it, and
/// nothing else is. Only of `lossy` some may be missing.
pub(crate) fn census(file: &str) -> BTreeMap<String, usize> {
    let mut next = BTreeMap::new();
    assert!(file.is_empty() || file.ends_with('\n'), "the last line has no end");
    for line in file.lines() {
        let (head, body) = line.split_once(": ").unwrap_or_else(|| panic!("not a line: {line}"));
        assert!(head.ends_with(" user.notice app[1]"), "{line}");
        let mut words = body.split(' ');
        let sender = words.next().unwrap_or_default();
        let next: &mut usize = next.entry(sender.to_owned()).or_default();
        if sender == "lossy" {
            let number = words.next().and_then(|number| number.parse().ok());
            *next = number.filter(|number| *number >= *next).expect("a later message");
        }
        assert_eq!(body, text(sender, *next), "message {next} of {sender} was expected");
        *next += 1;
    }
    next
}
