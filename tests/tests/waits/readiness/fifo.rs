//! A FIFO, in a newtype that only knows how to lend its descriptor. fifo(7).

use crate::readiness::phases::{Subject, phases, text};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use stop_tests::directory::Directory;
use stop_tests::per_backend;
use stopruntime::stoppable;

/// Opened for both, which does not wait.
struct Fifo(File);

impl AsFd for Fifo {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Fifo {
    fn new() -> Fifo {
        let directory = Directory::new().unwrap();
        let path = directory.fifo("fifo").unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        Fifo(file)
    }

    fn full() -> Fifo {
        let fifo = Fifo::new();
        (&fifo.0).write_all(&vec![b'.'; ROOM]).unwrap();
        fifo
    }

    fn take(&self) -> String {
        let mut buffer = [0; 64];
        let length = (&self.0).read(&mut buffer).unwrap();
        text(&buffer[..length])
    }

    fn put(&self) -> String {
        (&self.0).write(b"x").unwrap().to_string()
    }
}

/// What a pipe has room for (pipe(7), Linux).
const ROOM: usize = 65_536;

#[stoppable]
fn take(fifo: &Fifo) -> Option<String> {
    #[blocking(readable)]
    let text = fifo.take();
    Some(text)
}

#[stoppable]
fn put(fifo: &Fifo) -> Option<String> {
    #[blocking(writable)]
    let length = fifo.put();
    Some(length)
}

per_backend! {
    fn a_fifo_with_nothing_in_it() {
        phases(|| {
            Subject::new(Fifo::new(), take, Fifo::take, "hello", |fifo, _| {
                (&fifo.0).write_all(b"hello").unwrap();
            })
        });
    }

    fn a_fifo_that_is_full() {
        phases(|| {
            Subject::new(Fifo::full(), put, Fifo::put, "1", |fifo, _| {
                (&fifo.0).read_exact(&mut vec![0; ROOM]).unwrap();
            })
        });
    }
}
