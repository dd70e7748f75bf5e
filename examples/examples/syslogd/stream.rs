//! Messages in a stream of bytes: RFC 6587, both ways it knows.
//!
//! *Octet counting:* `11 <13>message`. *Non-transparent framing:* a newline ends
//! the message. A sender may mix them: a message begins with `<`, a count with a
//! digit. A line that begins with a digit is a line nevertheless unless a space
//! and a `<` follow the count.

use std::ops::Range;

/// The longest message in bytes. A longer line is taken in pieces.
pub(crate) const LONGEST: usize = 64 * 1024;

/// What has been read and is not yet a whole message.
#[derive(Default)]
pub(crate) struct Framer {
    pending: Vec<u8>,
}

impl Framer {
    /// Adds what was read and hands over each message that is whole by it.
    pub(crate) fn feed<E>(
        &mut self,
        data: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.pending.extend_from_slice(data);
        let mut start = 0;
        while let Some(frame) = first(&self.pending[start..]) {
            take(&self.pending[start..][frame.message])?;
            start += frame.length;
        }
        self.pending.drain(..start);
        Ok(())
    }

    /// The beginning of a message that has no end yet.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.pending
    }

    /// The rest where the end of the stream makes a message of it: the end of
    /// a line, not the middle of a counted message.
    pub(crate) fn last_line(&self) -> Option<&[u8]> {
        (!matches!(count(&self.pending), Count::Of(..))).then_some(self.rest())
    }
}

struct Frame {
    message: Range<usize>,
    /// Bytes of the stream, the message's framing included.
    length: usize,
}

enum Count {
    /// As many bytes before the message, as many in it.
    Of(usize, usize),
    /// Too little has been read to tell.
    Unknown,
    /// The message is a line.
    None,
}

/// The first message of what has been read, if it is there to its end.
fn first(pending: &[u8]) -> Option<Frame> {
    match count(pending) {
        Count::Of(header, message) => {
            let length = header + message;
            (pending.len() >= length).then_some(Frame { message: header..length, length })
        }
        Count::Unknown => None,
        Count::None => {
            let newline = pending.iter().take(LONGEST).position(|byte| *byte == b'\n');
            match newline {
                Some(end) => Some(Frame { message: 0..end, length: end + 1 }),
                None if pending.len() < LONGEST => None,
                None => Some(Frame { message: 0..LONGEST, length: LONGEST }),
            }
        }
    }
}

fn count(pending: &[u8]) -> Count {
    let mut count = 0;
    for (position, &byte) in pending.iter().enumerate() {
        match byte {
            b'0' if position == 0 => return Count::None,
            b'0'..=b'9' if count <= LONGEST => count = count * 10 + usize::from(byte - b'0'),
            b' ' if position > 0 && count <= LONGEST => {
                return match pending.get(position + 1) {
                    Some(b'<') => Count::Of(position + 1, count),
                    Some(_) => Count::None,
                    None => Count::Unknown,
                };
            }
            _ => return Count::None,
        }
    }
    if pending.is_empty() { Count::None } else { Count::Unknown }
}
