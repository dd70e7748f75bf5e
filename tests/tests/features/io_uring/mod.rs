//! `io_uring` under requests: entries in are completions out, whatever is
//! stopped when.
//!
//! Where the kernel refuses rings (`ENOSYS`, `EPERM`) each test says so.

#![allow(unsafe_code)]

/// [`stop_tests::per_backend`], where the kernel has rings.
macro_rules! on_rings {
    ($($(#[$attribute:meta])* fn $name:ident() $body:block)*) => {$(
        $(#[$attribute])*
        #[test]
        fn $name() {
            fn body() $body
            if crate::io_uring::has_rings(stringify!($name)) {
                let name = concat!(module_path!(), "::", stringify!($name));
                stop_tests::run(name, &stop_tests::BACKENDS, body);
            }
        }
    )*};
}

mod calls;
mod random;
mod setups;
mod signals;
#[cfg(target_arch = "x86_64")]
mod steps;

use io_uring::types::Fd;
use io_uring::{IoUring, opcode, squeue};
use std::collections::BTreeSet;
use std::io::{PipeReader, PipeWriter, Write, pipe};
use std::os::fd::AsRawFd;
use stop_tests::not_tested;
use stop_tests::started::stopped_in;

const ENTER: [libc::c_long; 1] = [libc::SYS_io_uring_enter];

fn has_rings(test: &str) -> bool {
    match IoUring::new(2) {
        Ok(_) => true,
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM)) => {
            not_tested(test, format_args!("the kernel refuses rings: {error}"));
            false
        }
        Err(error) => panic!("io_uring_setup: {error}"),
    }
}

fn ring() -> IoUring {
    IoUring::new(8).unwrap()
}

/// Queues an entry.
fn push(ring: &mut IoUring, entry: &squeue::Entry) {
    // SAFETY: entries of these tests point to memory that is never freed, or
    // to none.
    unsafe { ring.submission().push(entry) }.unwrap();
}

fn nop(number: u64) -> squeue::Entry {
    opcode::Nop::new().build().user_data(number)
}

/// What has completed, by number, with its result.
fn completions(ring: &mut IoUring) -> Vec<(u64, i32)> {
    ring.completion().map(|entry| (entry.user_data(), entry.result())).collect()
}

/// A read that waits until it is fed.
struct Read {
    reader: PipeReader,
    writer: PipeWriter,
}

impl Read {
    fn new() -> Read {
        let (reader, writer) = pipe().unwrap();
        Read { reader, writer }
    }

    fn entry(&self, number: u64) -> squeue::Entry {
        let byte: &'static mut [u8; 1] = Box::leak(Box::new([0]));
        let read = opcode::Read::new(Fd(self.reader.as_raw_fd()), byte.as_mut_ptr(), 1);
        read.build().user_data(number)
    }

    fn feed(&self) {
        (&self.writer).write_all(b"x").unwrap();
    }
}

/// Runs in a thread until it sleeps in the call, then requests its stop.
fn stopped_while_it_waits<T: Send + 'static>(wait: impl FnOnce() -> T + Send + 'static) -> T {
    stopped_in(&ENTER, wait)
}

/// Asserts that these have completed, each once.
fn assert_each_once(completed: &[u64], expected: impl IntoIterator<Item = u64>) {
    let found: BTreeSet<u64> = completed.iter().copied().collect();
    assert_eq!(found.len(), completed.len(), "twice: {completed:?}");
    assert_eq!(found, expected.into_iter().collect());
}
