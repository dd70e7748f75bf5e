//! Rows of files.

use crate::callback::Step;
use crate::floor::syscall;
use crate::measure::{Buffer, Row, Source};
use crate::ways::{Way, eventfd};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use stopruntime::ext::{ReadOrStop, WriteOrStop};

/// The cheapest read there is.
pub(crate) struct Zero(File);

impl Zero {
    pub(crate) fn new() -> io::Result<Zero> {
        Ok(Zero(File::open("/dev/zero")?))
    }

    #[inline(always)]
    fn args(&self, buffer: &mut Buffer) -> [usize; 3] {
        [self.0.as_raw_fd() as usize, buffer.as_mut_ptr() as usize, 1]
    }
}

impl Row for Zero {
    const TURNS: u32 = 500;

    fn name(&self) -> String {
        "read /dev/zero, 1 byte".into()
    }

    fn source(&self) -> Source {
        Source::File
    }

    #[inline(always)]
    fn floor(&self, buffer: &mut Buffer) {
        // SAFETY: one writable byte.
        assert_eq!(unsafe { syscall(libc::SYS_read, self.args(buffer)) }, 1);
    }

    #[inline(always)]
    fn plain(&self, way: &impl Way, buffer: &mut Buffer) {
        let read = || (&self.0).read(&mut buffer[..1]).unwrap();
        assert_eq!(way.around(self.0.as_raw_fd(), libc::POLLIN, read), 1);
    }

    #[inline(always)]
    fn ours(&self, buffer: &mut Buffer) {
        assert_eq!((&self.0).read_or_stop(&mut buffer[..1]).unwrap().unwrap(), 1);
    }

    fn steps(&self, buffer: &mut Buffer) -> Vec<Step> {
        vec![Step::new(libc::SYS_read, self.args(buffer))]
    }
}

/// An eventfd raised and taken.
pub(crate) struct Event(File);

impl Event {
    pub(crate) fn new() -> io::Result<Event> {
        eventfd().map(Event)
    }

    #[inline(always)]
    fn write_args(&self) -> [usize; 3] {
        [self.0.as_raw_fd() as usize, (&raw const ONE) as usize, 8]
    }

    #[inline(always)]
    fn read_args(&self, buffer: &mut Buffer) -> [usize; 3] {
        [self.0.as_raw_fd() as usize, buffer.as_mut_ptr() as usize, 8]
    }
}

/// With an address that lasts.
static ONE: [u8; 8] = 1_u64.to_ne_bytes();

impl Row for Event {
    const TURNS: u32 = 300;

    fn name(&self) -> String {
        "eventfd, write + read".into()
    }

    fn source(&self) -> Source {
        Source::Descriptors(vec![self.0.as_raw_fd()])
    }

    #[inline(always)]
    fn floor(&self, buffer: &mut Buffer) {
        // SAFETY: eight readable bytes.
        assert_eq!(unsafe { syscall(libc::SYS_write, self.write_args()) }, 8);
        // SAFETY: eight writable bytes.
        assert_eq!(unsafe { syscall(libc::SYS_read, self.read_args(buffer)) }, 8);
    }

    #[inline(always)]
    fn plain(&self, way: &impl Way, buffer: &mut Buffer) {
        let descriptor = self.0.as_raw_fd();
        let write = || (&self.0).write(&ONE).unwrap();
        assert_eq!(way.around(descriptor, libc::POLLOUT, write), 8);
        let read = || (&self.0).read(&mut buffer[..8]).unwrap();
        assert_eq!(way.around(descriptor, libc::POLLIN, read), 8);
    }

    #[inline(always)]
    fn ours(&self, buffer: &mut Buffer) {
        assert_eq!((&self.0).write_or_stop(&ONE).unwrap().unwrap(), 8);
        assert_eq!((&self.0).read_or_stop(&mut buffer[..8]).unwrap().unwrap(), 8);
    }

    fn steps(&self, buffer: &mut Buffer) -> Vec<Step> {
        vec![
            Step::new(libc::SYS_write, self.write_args()),
            Step::new(libc::SYS_read, self.read_args(buffer)),
        ]
    }
}
