//! What can be taken back, by the kind of file that a descriptor is.

use super::{Copied, Source, by_pieces, no_wait};
use crate::ext::Outcome;
use crate::ext::{WriteOrStop, syscall as stop_checked};
use crate::scope;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::{AsRawFd, RawFd};

/// Copies from this descriptor, if it can take back what was not written.
pub(in crate::ext) fn from_descriptor(
    descriptor: RawFd,
    writer: &mut dyn WriteOrStop,
    limit: u64,
) -> Option<Copied> {
    Some(match no_wait::kind(descriptor) {
        no_wait::Kind::Seekable => by_pieces(&mut Seekable(descriptor), writer, limit),
        no_wait::Kind::Stream => by_pieces(&mut Stream(descriptor), writer, limit),
        no_wait::Kind::Pipe => by_pieces(&mut Pipe::new(descriptor).ok()?, writer, limit),
        no_wait::Kind::Other => return None,
    })
}

/// A file with a position: read, and moved back.
struct Seekable(RawFd);

impl Source for Seekable {
    fn fetch(&mut self, piece: &mut [u8]) -> Outcome<usize> {
        stop_checked::read(self.0, piece)
    }

    fn settle(&mut self, piece: &mut [u8], written: usize) -> io::Result<()> {
        match piece.len() - written {
            0 => Ok(()),
            // mutant: unwritten-copy-kept-file
            left => no_wait::seek_back(self.0, left),
        }
    }
}

/// A stream socket: looked at, and then read.
struct Stream(RawFd);

impl Source for Stream {
    fn fetch(&mut self, piece: &mut [u8]) -> Outcome<usize> {
        // mutant: unwritten-copy-kept-socket
        stop_checked::recv(self.0, piece, libc::MSG_PEEK)
    }

    fn settle(&mut self, piece: &mut [u8], written: usize) -> io::Result<()> {
        // mutant: unwritten-copy-kept-socket-2
        no_wait::receive(self.0, &mut piece[..written])
    }
}

/// A pipe, and one of our own, which is nearly always empty: what is duplicated into
/// it is read from there.
struct Pipe {
    descriptor: RawFd,
    read: PipeReader,
    write: PipeWriter,
}

impl Pipe {
    /// Fails where there are no descriptors for it, and where a filter refuses
    /// the calls (seccomp(2)): tried with nothing, which they return at once.
    fn new(descriptor: RawFd) -> io::Result<Pipe> {
        let (read, write) = io::pipe()?;
        // mutant: pipe-copied-without-tee
        no_wait::duplicate(descriptor, write.as_raw_fd(), 0)?;
        // mutant: pipe-copied-without-splice
        no_wait::take(descriptor, write.as_raw_fd(), 0)?;
        Ok(Pipe { descriptor, read, write })
    }
}

impl Source for Pipe {
    fn fetch(&mut self, piece: &mut [u8]) -> Outcome<usize> {
        scope::check()?;
        loop {
            // mutant: unwritten-copy-kept-pipe
            let seen =
                match no_wait::duplicate(self.descriptor, self.write.as_raw_fd(), piece.len()) {
                    Ok(seen) => seen,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        if no_wait::is_nonblocking(self.descriptor) {
                            return Ok(Err(error));
                        }
                        if let Err(error) = stop_checked::wait_readable(self.descriptor)? {
                            return Ok(Err(error));
                        }
                        continue;
                    }
                    Err(error) => return Ok(Err(error)),
                };
            return Ok(self.read.read_exact(&mut piece[..seen]).map(|()| seen));
        }
    }

    fn settle(&mut self, piece: &mut [u8], written: usize) -> io::Result<()> {
        // mutant: unwritten-copy-kept-pipe-moved
        let mut taken = 0;
        while taken < written {
            let left = written - taken;
            match no_wait::take(self.descriptor, self.write.as_raw_fd(), left) {
                // Another reader was faster.
                Ok(0) => break,
                Ok(length) => {
                    self.read.read_exact(&mut piece[..length])?;
                    taken += length;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
