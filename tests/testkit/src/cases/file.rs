//! Opening a FIFO whose other end is not open, and locking a file that is
//! locked.

use super::ends::Shared;
use super::stream::keeping;
use super::{Case, Fixture, MESSAGE, Outcome, expect, text};
use crate::Directory;
use libc::{SYS_flock, SYS_openat};
use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;
use stopruntime::Stopped;
use stopruntime::ext::{FileOrStop, LockOrStop, OpenOrStop};

pub(super) const CASES: &[Case] = &[
    Case::new("File::open (FIFO)", &[SYS_openat], || to_read(|path| File::open_or_stop(path))),
    Case::new("File::create (FIFO)", &[SYS_openat], || to_write(|path| File::create_or_stop(path))),
    Case::new("OpenOptions::open (FIFO)", &[SYS_openat], || {
        to_write(|path| OpenOptions::new().append(true).open_or_stop(path))
    }),
    Case::new("File::lock", &[SYS_flock], || locking(LockOrStop::lock_or_stop)).on_ppoll(&[]),
    Case::new("File::lock_shared", &[SYS_flock], || locking(FileOrStop::lock_shared_or_stop))
        .on_ppoll(&[]),
];

type Open = fn(&Path) -> Result<io::Result<File>, Stopped>;

fn a_fifo() -> io::Result<(Directory, PathBuf)> {
    let directory = Directory::new()?;
    let path = directory.fifo("fifo")?;
    Ok((directory, path))
}

/// The feed starts a writer, which waits for the reader that there will be.
fn to_read(open: Open) -> io::Result<Fixture> {
    fn message(mut file: File) -> io::Result<String> {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(text(&bytes))
    }
    let (directory, path) = a_fifo()?;
    let (there, plain) = (path.clone(), path.clone());
    let writer = Shared::new(None);
    let started = writer.clone();
    let fixture = Fixture {
        marked: Box::new(move || Outcome::of(open(&path), message)),
        feed: Box::new(move || {
            *writer.lock() = Some(thread::spawn(move || {
                OpenOptions::new().write(true).open(there)?.write_all(MESSAGE)
            }));
            Ok(text(MESSAGE))
        }),
        plain: Box::new(move |_| message(File::open(plain)?)),
        verify: Box::new(move |_| {
            let writer = started.lock().take().expect("fed before");
            writer.join().expect("writing does not panic")
        }),
        keep: Box::new(()),
    };
    Ok(keeping(fixture, directory))
}

/// The feed starts a reader, and goes on when that waits for a writer.
fn to_write(open: Open) -> io::Result<Fixture> {
    fn message(mut file: File) -> io::Result<String> {
        file.write_all(MESSAGE)?;
        Ok("written".into())
    }
    let (directory, path) = a_fifo()?;
    let (there, plain) = (path.clone(), path.clone());
    let reader = Shared::new(None);
    let started = reader.clone();
    let fixture = Fixture {
        marked: Box::new(move || Outcome::of(open(&path), message)),
        feed: Box::new(move || {
            let (sender, receiver) = std::sync::mpsc::channel();
            *reader.lock() = Some(thread::spawn(move || {
                let _ = sender.send(rustix::thread::gettid());
                let mut bytes = Vec::new();
                File::open(there)?.read_to_end(&mut bytes).map(|_| bytes)
            }));
            let thread = receiver.recv().map_err(io::Error::other)?.as_raw_nonzero().get();
            // Waits for a writer, or has one already and waits for what it writes.
            while reader.lock().as_ref().is_some_and(|reader| !reader.is_finished())
                && crate::blocked_in(thread).is_none()
            {
                thread::yield_now();
            }
            Ok("written".into())
        }),
        plain: Box::new(move |_| message(OpenOptions::new().write(true).open(plain)?)),
        verify: Box::new(move |_| {
            let reader = started.lock().take().expect("fed before");
            let bytes = reader.join().expect("reading does not panic")?;
            expect(bytes == MESSAGE, || format!("the reader got {:?}", text(&bytes)))
        }),
        keep: Box::new(()),
    };
    Ok(keeping(fixture, directory))
}

/// Another holds the lock until the feed.
fn locking(lock: fn(&File) -> Result<io::Result<()>, Stopped>) -> io::Result<Fixture> {
    let directory = Directory::new()?;
    let path = directory.join("file");
    let held = File::create(&path)?;
    flock(&held, FlockOperation::LockExclusive)?;
    let file = Shared::new(File::open(&path)?);
    let (plain, locked) = (file.clone(), file.clone());
    let holder = Shared::new(held);
    let other = holder.clone();
    let fixture = Fixture {
        marked: Box::new(move || Outcome::of(lock(&file.lock()), |()| Ok("locked".into()))),
        feed: Box::new(move || {
            flock(&*holder.lock(), FlockOperation::Unlock)?;
            Ok("locked".into())
        }),
        plain: Box::new(move |_| {
            flock(&*plain.lock(), FlockOperation::LockExclusive)?;
            Ok("locked".into())
        }),
        verify: Box::new(move |_| {
            let mine = FlockOperation::NonBlockingLockExclusive;
            let taken = flock(&*other.lock(), mine).is_err();
            flock(&*locked.lock(), FlockOperation::Unlock)?;
            let free = flock(&*other.lock(), mine).is_ok();
            expect(taken && free, || "not locked once".into())
        }),
        keep: Box::new(()),
    };
    Ok(keeping(fixture, directory))
}
