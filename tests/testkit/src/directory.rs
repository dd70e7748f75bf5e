//! A place for files, sockets and FIFOs.

use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, io};

/// A directory that is gone when it is dropped.
#[derive(Debug)]
pub struct Directory(PathBuf);

impl Directory {
    /// An empty one.
    ///
    /// # Errors
    ///
    /// Of mkdir(2).
    pub fn new() -> io::Result<Directory> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("stop-tests-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        // Of a process that had this number, and was killed.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path)?;
        Ok(Directory(path))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The path of a file in it.
    #[must_use]
    pub fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A new FIFO. mknodat(2).
    ///
    /// # Errors
    ///
    /// Of that call.
    pub fn fifo(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.join(name);
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        Ok(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What is left in the temporary directory does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}
