//! `Read` and `Write` of std's types with a file descriptor.

use super::copy::{self, Copied};
use super::{ReadOrStop, WriteOrStop, raw};
use crate::stop::{self, Stopped};
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, PipeReader, PipeWriter};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::process::{ChildStderr, ChildStdin, ChildStdout};
use std::sync::Arc;

macro_rules! reader {
    ($($stream:ty => $read:expr, $ready:expr, $seeks:expr);* $(;)?) => {$(
        impl ReadOrStop for $stream {
            #[inline(always)]
            fn read_or_stop(&mut self, buffer: &mut [u8]) -> Result<io::Result<usize>, Stopped> {
                $read(self.as_raw_fd(), buffer)
            }

            #[inline(always)]
            fn read_vectored_or_stop(
                &mut self,
                buffers: &mut [IoSliceMut<'_>],
            ) -> Result<io::Result<usize>, Stopped> {
                raw::readv(self.as_raw_fd(), buffers)
            }

            fn ready_or_stop(&self) -> Result<io::Result<()>, Stopped> {
                $ready(self.as_raw_fd())
            }

            fn seeks(&self) -> bool {
                $seeks
            }

            fn copy_to_or_stop(&mut self, writer: &mut dyn WriteOrStop, limit: u64) -> Copied {
                let descriptor = self.as_raw_fd();
                copy::from_descriptor(descriptor, writer, limit)
                    .unwrap_or_else(|| copy::from_any(self, writer, limit))
            }
        }
    )*};
}

macro_rules! writer {
    ($($stream:ty => $write:expr),* $(,)?) => {$(
        impl WriteOrStop for $stream {
            #[inline(always)]
            fn write_or_stop(&mut self, data: &[u8]) -> Result<io::Result<usize>, Stopped> {
                $write(self.as_raw_fd(), data)
            }

            #[inline(always)]
            fn write_vectored_or_stop(
                &mut self,
                data: &[IoSlice<'_>],
            ) -> Result<io::Result<usize>, Stopped> {
                raw::writev(self.as_raw_fd(), data)
            }

            /// There is no buffer.
            fn flush_or_stop(&mut self) -> Result<io::Result<()>, Stopped> {
                stop::check()?;
                Ok(Ok(()))
            }

            fn room_or_stop(&mut self) -> Result<io::Result<()>, Stopped> {
                raw::write_ready(self.as_raw_fd())
            }

            fn write_now(&mut self, data: &[u8]) -> usize {
                raw::write_now(self.as_raw_fd(), data)
            }
        }
    )*};
}

reader! {
    TcpStream => |socket, buffer| raw::recv(socket, buffer, 0), raw::recv_ready, false;
    &TcpStream => |socket, buffer| raw::recv(socket, buffer, 0), raw::recv_ready, false;
    UnixStream => |socket, buffer| raw::recv(socket, buffer, 0), raw::recv_ready, false;
    &UnixStream => |socket, buffer| raw::recv(socket, buffer, 0), raw::recv_ready, false;
    File => raw::read, raw::read_ready, true;
    &File => raw::read, raw::read_ready, true;
    Arc<File> => raw::read, raw::read_ready, true;
    PipeReader => raw::read, raw::read_ready, false;
    &PipeReader => raw::read, raw::read_ready, false;
    ChildStdout => raw::read, raw::read_ready, false;
    ChildStderr => raw::read, raw::read_ready, false;
}

writer! {
    TcpStream => raw::send,
    &TcpStream => raw::send,
    UnixStream => raw::send,
    &UnixStream => raw::send,
    File => raw::write,
    &File => raw::write,
    Arc<File> => raw::write,
    PipeWriter => raw::write,
    &PipeWriter => raw::write,
    ChildStdin => raw::write,
    &ChildStdin => raw::write,
}
