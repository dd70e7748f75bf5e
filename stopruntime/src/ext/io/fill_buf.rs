//! A buffer that can be filled, stop-checked.

use crate::ext::Outcome;
use crate::scope;
use std::collections::VecDeque;
use std::io::{BufRead, Cursor, Empty};

/// Fills a buffer, stop-checked: [`BufRead::fill_buf`].
///
/// [`BufReadOrStop`](crate::ext::BufReadOrStop) is made from it.
///
/// # Examples
///
/// ```
/// use std::io::{BufReader, Write, pipe};
/// use stopruntime::ext::FillBufOrStop;
///
/// let (reader, mut writer) = pipe()?;
/// writer.write_all(b"data")?;
/// assert_eq!(BufReader::new(reader).fill_buf_or_stop()??, b"data");
/// # Ok::<(), std::io::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be stopped while it fills its buffer",
    label = "this read has no stop-checked form",
    note = "use a `BufReader` over one of std's streams or over `stopruntime::Stoppable`"
)]
pub trait FillBufOrStop: BufRead {
    /// Returns the bytes in the buffer, and reads if there are none.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested and nothing was read.
    fn fill_buf_or_stop(&mut self) -> Outcome<&[u8]>;

    /// Puts what was read last before what is in the buffer, if it can.
    #[doc(hidden)]
    fn take_back(&mut self, _part: &[u8]) -> bool {
        false
    }
}

macro_rules! forwarded {
    ($($reader:ty),*) => {$(
        impl<B: FillBufOrStop + ?Sized> FillBufOrStop for $reader {
            fn fill_buf_or_stop(&mut self) -> Outcome<&[u8]> {
                (**self).fill_buf_or_stop()
            }

            fn take_back(&mut self, part: &[u8]) -> bool {
                (**self).take_back(part)
            }
        }
    )*};
}
forwarded!(&mut B, Box<B>);

macro_rules! never_waiting {
    ($([$($parameter:tt)*] $reader:ty),*) => {$(
        impl<$($parameter)*> FillBufOrStop for $reader {
            fn fill_buf_or_stop(&mut self) -> Outcome<&[u8]> {
                scope::check()?;
                Ok(self.fill_buf())
            }
        }
    )*};
}
never_waiting!([] &[u8], [T: AsRef<[u8]>] Cursor<T>, [] Empty, [] VecDeque<u8>);
