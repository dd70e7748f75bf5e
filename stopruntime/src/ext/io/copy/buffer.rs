//! Copying from a buffer, which keeps what is not taken from it.

use super::pieces::{Copied, up_to, write};
use crate::ext::WriteOrStop;
use crate::ext::io::fill_buf::FillBufOrStop;
use crate::scope;
use std::io::ErrorKind;

/// Copies what is in the buffer, and what comes into it.
pub(in crate::ext) fn from_buffer<B: FillBufOrStop + ?Sized>(
    reader: &mut B,
    writer: &mut dyn WriteOrStop,
    limit: u64,
) -> Copied {
    let mut bytes = 0;
    if limit == 0 {
        return Copied { bytes, end: scope::check().map(Ok) };
    }
    while bytes < limit {
        let (written, end) = match reader.fill_buf_or_stop() {
            Ok(Ok([])) => return Copied { bytes, end: Ok(Ok(())) },
            Ok(Ok(buffer)) => write(writer, &buffer[..up_to(buffer.len(), limit - bytes)]),
            Ok(Err(error)) if error.kind() == ErrorKind::Interrupted => continue,
            Ok(Err(error)) => (0, Ok(Err(error))),
            Err(stopped) => (0, Err(stopped)),
        };
        reader.consume(written);
        bytes += written as u64;
        if !matches!(end, Ok(Ok(()))) {
            return Copied { bytes, end };
        }
    }
    Copied { bytes, end: Ok(Ok(())) }
}
