//! `Read` and `Write` of std's types with a file descriptor.

use crate::ext::Outcome;
use crate::ext::io::copy::{self, Copied};
use crate::ext::io::read::copy_any;
use crate::ext::syscall;
use crate::ext::{ReadOrStop, WriteOrStop};
use crate::scope;
use std::fs::File;
use std::io::{IoSlice, IoSliceMut, PipeReader, PipeWriter};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::process::{ChildStderr, ChildStdin, ChildStdout};
use std::sync::Arc;

macro_rules! reader {
    ($($stream:ty => $read:expr, $ready:expr, $seeks:expr);* $(;)?) => {$(
        impl ReadOrStop for $stream {
            #[inline(always)]
            fn read_or_stop(&mut self, buffer: &mut [u8]) -> Outcome<usize> {
                $read(self.as_raw_fd(), buffer)
            }

            #[inline(always)]
            fn read_vectored_or_stop(
                &mut self,
                buffers: &mut [IoSliceMut<'_>],
            ) -> Outcome<usize> {
                syscall::readv(self.as_raw_fd(), buffers)
            }

            fn ready_or_stop(&self) -> Outcome<()> {
                $ready(self.as_raw_fd())
            }

            fn seeks(&self) -> bool {
                $seeks
            }

            fn copy_to_or_stop(&mut self, writer: &mut dyn WriteOrStop, limit: u64) -> Copied {
                let descriptor = self.as_raw_fd();
                copy::from_descriptor(descriptor, writer, limit)
                    .unwrap_or_else(|| copy_any(self, writer, limit))
            }
        }
    )*};
}

macro_rules! writer {
    ($($stream:ty => $write:expr),* $(,)?) => {$(
        impl WriteOrStop for $stream {
            #[inline(always)]
            fn write_or_stop(&mut self, data: &[u8]) -> Outcome<usize> {
                $write(self.as_raw_fd(), data)
            }

            #[inline(always)]
            fn write_vectored_or_stop(
                &mut self,
                data: &[IoSlice<'_>],
            ) -> Outcome<usize> {
                syscall::writev(self.as_raw_fd(), data)
            }

            /// There is no buffer.
            fn flush_or_stop(&mut self) -> Outcome<()> {
                scope::check()?;
                Ok(Ok(()))
            }

            fn room_or_stop(&mut self) -> Outcome<()> {
                syscall::write_ready(self.as_raw_fd())
            }

            fn write_now(&mut self, data: &[u8]) -> usize {
                syscall::write_now(self.as_raw_fd(), data)
            }
        }
    )*};
}

reader! {
    TcpStream => |socket, buffer| syscall::recv(socket, buffer, 0), syscall::recv_ready, false;
    &TcpStream => |socket, buffer| syscall::recv(socket, buffer, 0), syscall::recv_ready, false;
    UnixStream => |socket, buffer| syscall::recv(socket, buffer, 0), syscall::recv_ready, false;
    &UnixStream => |socket, buffer| syscall::recv(socket, buffer, 0), syscall::recv_ready, false;
    File => syscall::read, syscall::read_ready, true;
    &File => syscall::read, syscall::read_ready, true;
    Arc<File> => syscall::read, syscall::read_ready, true;
    PipeReader => syscall::read, syscall::read_ready, false;
    &PipeReader => syscall::read, syscall::read_ready, false;
    ChildStdout => syscall::read, syscall::read_ready, false;
    ChildStderr => syscall::read, syscall::read_ready, false;
}

writer! {
    TcpStream => syscall::send,
    &TcpStream => syscall::send,
    UnixStream => syscall::send,
    &UnixStream => syscall::send,
    File => syscall::write,
    &File => syscall::write,
    Arc<File> => syscall::write,
    PipeWriter => syscall::write,
    &PipeWriter => syscall::write,
    ChildStdin => syscall::write,
    &ChildStdin => syscall::write,
}
