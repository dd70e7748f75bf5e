//! A place for the files of one test.

use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A directory that is gone when dropped.
pub struct Directory(PathBuf);

#[allow(clippy::new_without_default, reason = "it makes a directory")]
impl Directory {
    /// An empty one.
    pub fn new() -> Directory {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("stop-tests-files-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Directory(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of a file in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A new FIFO. mkfifo(3).
    pub fn fifo(&self, name: &str) -> PathBuf {
        let path = self.join(name);
        let text = std::ffi::CString::new(path.as_os_str().as_bytes()).unwrap();
        // SAFETY: a terminated path.
        assert_eq!(unsafe { libc::mkfifo(text.as_ptr(), 0o600) }, 0);
        path
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What is left in the temporary directory does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The status flags of an open file. `F_GETFL`, fcntl(2).
pub fn status_flags(file: &impl AsRawFd) -> i32 {
    // SAFETY: a query on a number.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFL) }
}

/// Whether a program that this process turns into would have it open.
pub fn is_inherited(file: &impl AsRawFd) -> bool {
    // SAFETY: a query on a number.
    unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFD) & libc::FD_CLOEXEC == 0 }
}

/// How many descriptors this process has.
pub fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}
