//! Readers and writers in memory: they never wait, so a call is std's own after
//! a look at the request.

use crate::ext::Outcome;
use crate::ext::io::copy::{self, Copied, Source};
use crate::ext::{ReadOrStop, WriteOrStop};
use crate::scope;
use std::collections::VecDeque;
use std::io::{self, Cursor, Empty, IoSlice, IoSliceMut, Read, Repeat, Sink, Write};

macro_rules! reader {
    ($([$($parameter:tt)*] $reader:ty => $copy:expr),* $(,)?) => {$(
        impl<$($parameter)*> ReadOrStop for $reader {
            fn read_or_stop(&mut self, buffer: &mut [u8]) -> Outcome<usize> {
                scope::check()?;
                Ok(self.read(buffer))
            }

            fn ready_or_stop(&self) -> Outcome<()> {
                scope::check().map(Ok)
            }

            fn read_vectored_or_stop(
                &mut self,
                buffers: &mut [IoSliceMut<'_>],
            ) -> Outcome<usize> {
                scope::check()?;
                Ok(self.read_vectored(buffers))
            }

            fn read_exact_or_stop(
                &mut self,
                buffer: &mut [u8],
            ) -> Outcome<()> {
                scope::check()?;
                Ok(self.read_exact(buffer))
            }

            fn read_to_end_or_stop(
                &mut self,
                buffer: &mut Vec<u8>,
            ) -> Outcome<usize> {
                scope::check()?;
                Ok(self.read_to_end(buffer))
            }

            fn read_to_string_or_stop(
                &mut self,
                buffer: &mut String,
            ) -> Outcome<usize> {
                scope::check()?;
                Ok(self.read_to_string(buffer))
            }

            fn copy_to_or_stop(&mut self, writer: &mut dyn WriteOrStop, limit: u64) -> Copied {
                $copy(self, writer, limit)
            }
        }
    )*};
}
reader! {
    [] &[u8] => copy::from_buffer,
    [T: AsRef<[u8]>] Cursor<T> => copy::from_buffer,
    [] Empty => copy::from_buffer,
    [] VecDeque<u8> => copy::from_buffer,
    [] Repeat => copy::by_pieces,
}

impl Source for Repeat {
    fn fetch(&mut self, piece: &mut [u8]) -> Outcome<usize> {
        self.read_or_stop(piece)
    }

    /// There is always more of it.
    fn settle(&mut self, _: &mut [u8], _: usize) -> io::Result<()> {
        Ok(())
    }
}

macro_rules! writer {
    ($([$($parameter:tt)*] $writer:ty),* $(,)?) => {$(
        impl<$($parameter)*> WriteOrStop for $writer {
            fn write_or_stop(&mut self, data: &[u8]) -> Outcome<usize> {
                scope::check()?;
                Ok(self.write(data))
            }

            fn flush_or_stop(&mut self) -> Outcome<()> {
                scope::check()?;
                Ok(self.flush())
            }

            fn write_now(&mut self, data: &[u8]) -> usize {
                self.write(data).unwrap_or(0)
            }

            fn write_vectored_or_stop(
                &mut self,
                data: &[IoSlice<'_>],
            ) -> Outcome<usize> {
                scope::check()?;
                Ok(self.write_vectored(data))
            }

            fn write_all_or_stop(&mut self, data: &[u8]) -> Outcome<()> {
                scope::check()?;
                Ok(self.write_all(data))
            }
        }
    )*};
}
writer! {
    [] Vec<u8>,
    [] VecDeque<u8>,
    [] &mut [u8],
    [] Cursor<&mut [u8]>,
    [] Cursor<&mut Vec<u8>>,
    [] Cursor<Vec<u8>>,
    [] Cursor<Box<[u8]>>,
    [const N: usize] Cursor<[u8; N]>,
    [] Sink,
    [] &Sink,
    [] Empty,
    [] &Empty,
}
