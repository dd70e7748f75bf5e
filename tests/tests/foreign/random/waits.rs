//! Sleeps, and waits for readiness, children and locks.

use super::{result, rounds};
use crate::both_ways;
use crate::kit::{CANCELED, errno};
use std::fs::File;
use std::io::{self, Read, pipe};
use std::os::fd::AsRawFd;
use std::time::Duration;
use stop_tests::dice::Dice;
use stop_tests::directory::Directory;

/// As `File::lock`.
fn lock(file: &File) -> io::Result<()> {
    // SAFETY: a number.
    match unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

both_ways! {
    fn sleeps() {
        rounds("thread::sleep", 120_000, || {
            std::thread::sleep(Duration::from_secs(3600));
            Err(CANCELED)
        });
    }

    fn short_sleeps() {
        let mut dice = Dice::of(99);
        rounds("many short sleeps", 120_000, || {
            std::thread::sleep(Duration::from_nanos(dice.below(30_000)));
            Ok(())
        });
    }

    fn polls() {
        let (reader, _writer) = pipe().unwrap();
        rounds("poll, then read", 120_000, || {
            let mut entry = libc::pollfd { fd: reader.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: one entry.
            if unsafe { libc::poll(&raw mut entry, 1, -1) } < 0 {
                return Err(errno());
            }
            result((&reader).read(&mut [0])).map(drop)
        });
    }

    fn children() {
        let mut child = std::process::Command::new("sleep").arg("3600").spawn().unwrap();
        rounds("Child::wait", 120_000, || result(child.wait()).map(drop));
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn fifos() {
        let directory = Directory::new().unwrap();
        let path = directory.fifo("fifo").unwrap();
        rounds("File::open of a FIFO", 120_000, || result(File::open(&path)).map(drop));
    }

    fn locks() {
        let path = std::env::temp_dir().join(format!("stop-foreign-lock-{}", std::process::id()));
        let holder = File::create(&path).unwrap();
        lock(&holder).unwrap();
        let file = File::open(&path).unwrap();
        rounds("flock", 120_000, || result(lock(&file)));
        std::fs::remove_file(&path).unwrap();
    }
}
