//! Opening FIFOs, and locks on files. What an open has opened shows among the
//! descriptors of the process; what a lock has locked, to another description.

use super::Call;
use crate::bout::{Bout, Outcome};
use rustix::fs::{FlockOperation, Mode, OFlags};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use stop_testkit::Directory;
use stopruntime::sys;

pub(super) const CALLS: &[Call] = &[
    Call::new("open (FIFO)", |bout| {
        let directory = Directory::new()?;
        let path = directory.fifo("fifo")?;
        open(bout, CString::new(path.into_os_string().into_encoded_bytes())?, open_or_stop);
        Ok(())
    }),
    // It never waits: a request finds it before or after.
    Call::new("open (file)", |bout| {
        open(bout, c"/dev/null".into(), open_or_stop);
        Ok(())
    }),
    Call::new("flock", |bout| flock(bout, flock_or_stop)).not_on_ppoll(),
];

fn open_or_stop(path: &CStr, access: OFlags) -> Outcome<OwnedFd> {
    let access = access.bits().cast_signed();
    // SAFETY: a string that outlives the call.
    let descriptor = unsafe { sys::open_or_stop(path.as_ptr(), access, 0)? };
    if descriptor < 0 {
        return Ok(Err(io::Error::last_os_error()));
    }
    // SAFETY: opened just now, and nothing else owns it.
    Ok(Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }))
}

fn flock_or_stop(file: &OwnedFd) -> Outcome<()> {
    // SAFETY: integers.
    let result = unsafe { sys::flock_or_stop(file.as_raw_fd(), libc::LOCK_EX)? };
    Ok(if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) })
}

/// Readers and writers, which wait for each other at a FIFO, and close at once.
pub(super) fn open(bout: &mut Bout, path: CString, open: fn(&CStr, OFlags) -> Outcome<OwnedFd>) {
    let path = Arc::new(path);
    let opened = Arc::new(AtomicU64::new(0));
    while bout.goes_on() {
        let mut targets = Vec::new();
        for _ in 0..bout.random.u8(2..5) {
            let (path, opened) = (Arc::clone(&path), Arc::clone(&opened));
            let access = if bout.random.bool() { OFlags::RDONLY } else { OFlags::WRONLY };
            targets.push(bout.start(move |aside| {
                loop {
                    let Ok(opened_one) = open(&path, access | OFlags::CLOEXEC) else {
                        return Ok(());
                    };
                    drop(opened_one?);
                    opened.fetch_add(1, Ordering::Relaxed);
                    aside.look();
                }
            }));
        }
        bout.stop_all(targets);
    }
    bout.tally.effects += opened.load(Ordering::Relaxed);
}

/// Several descriptions of one file; the one that has the lock is alone.
pub(super) fn flock(bout: &mut Bout, lock: fn(&OwnedFd) -> Outcome<()>) -> io::Result<()> {
    let directory = Directory::new()?;
    let path = directory.join("locked");
    let ours = File::create(&path)?;
    let open = || rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    let files = [Arc::new(open()?), Arc::new(open()?), Arc::new(open()?)];
    let held = Arc::new(AtomicBool::new(false));
    let (locked, clashes) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    while bout.goes_on() {
        let mut targets = Vec::new();
        for file in &files {
            let (file, held) = (Arc::clone(file), Arc::clone(&held));
            let (locked, clashes) = (Arc::clone(&locked), Arc::clone(&clashes));
            targets.push(bout.start(move |aside| {
                loop {
                    let Ok(result) = lock(&file) else { return Ok(()) };
                    result?;
                    clashes.fetch_add(held.swap(true, Ordering::AcqRel).into(), Ordering::Relaxed);
                    locked.fetch_add(1, Ordering::Relaxed);
                    aside.look();
                    held.store(false, Ordering::Release);
                    rustix::fs::flock(&*file, FlockOperation::Unlock)?;
                }
            }));
        }
        bout.stop_all(targets);
        if bout.gave_up() {
            return Ok(());
        }
        // A thread that was stopped does not hold it.
        let free = rustix::fs::flock(&ours, FlockOperation::NonBlockingLockExclusive).is_ok();
        bout.balance("locks that no thread holds", 0, u64::from(!free));
        rustix::fs::flock(&ours, FlockOperation::Unlock)?;
    }
    bout.tally.effects += locked.load(Ordering::Relaxed);
    bout.balance("locks held twice", 0, clashes.load(Ordering::Relaxed));
    Ok(())
}
