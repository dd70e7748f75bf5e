//! The calls of [`File`] that wait: for the other end of a FIFO, for the disk,
//! for a lock.

use crate::ext::Outcome;
use crate::ext::sealed::Sealed;
use crate::ext::syscall;
use crate::scope::{self, Stopped};
use core::ffi::c_int;
use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Makes the calls of [`File`] that wait, stop-checked.
///
/// Opening a FIFO waits for its other end (fifo(7)). On
/// [`Backend::Ppoll`](crate::Backend::Ppoll) a lock that another holds is not
/// waited for: the call fails with `ENOTSUP` ([why](crate::sys#backends)).
///
/// The trait is [sealed](crate::ext).
///
/// # Examples
///
/// ```
/// use std::fs::File;
/// use stopruntime::Stopper;
/// use stopruntime::ext::FileOrStop;
///
/// let path = std::env::temp_dir().join(format!("stopruntime-{}", std::process::id()));
/// let file = File::create_or_stop(&path)??;
/// file.sync_all_or_stop()??;
/// Stopper::current().request_stop();
/// assert!(File::open_or_stop(&path).is_err());
/// # std::fs::remove_file(path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait FileOrStop: Sized + Sealed {
    /// Opens a file as [`File::open`] does, stop-checked. open(2).
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and nothing was opened.
    fn open_or_stop<P: AsRef<Path>>(path: P) -> Outcome<Self>;

    /// Opens a file as [`File::create`] does, stop-checked. open(2).
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested; nothing was opened, created or
    /// truncated.
    fn create_or_stop<P: AsRef<Path>>(path: P) -> Outcome<Self>;

    /// Creates a file as [`File::create_new`] does, stop-checked. open(2). It never
    /// waits, so this is only a checkpoint.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and nothing was created.
    fn create_new_or_stop<P: AsRef<Path>>(path: P) -> Outcome<Self>;

    /// Waits for the disk as [`File::sync_all`] does, stop-checked. fsync(2).
    ///
    /// Most file systems finish what they have begun: a stop is then seen by
    /// the next call.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested, and what was written may not be on the
    /// disk.
    fn sync_all_or_stop(&self) -> Outcome<()>;

    /// Waits for the disk as [`File::sync_data`] does, stop-checked. fdatasync(2).
    ///
    /// # Errors
    ///
    /// As [`sync_all_or_stop`](FileOrStop::sync_all_or_stop).
    fn sync_data_or_stop(&self) -> Outcome<()>;

    /// Waits for a shared lock as `File::lock_shared` (Rust 1.89) does,
    /// stop-checked. flock(2).
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and no lock was taken.
    fn lock_shared_or_stop(&self) -> Outcome<()>;
}

/// Takes a lock, stop-checked: `lock`.
///
/// For a [`File`] it is `File::lock` (Rust 1.89): flock(2), exclusive. For a mutex
/// see [`sync::Mutex`](crate::sync::Mutex); std's has no stop-checked form.
///
/// If the file is locked already and the new lock is of the other kind, the
/// kernel gives the old lock up before it waits for the new one (flock(2)). If
/// that wait is stopped, or cannot be made (`ENOTSUP` on
/// [`Backend::Ppoll`](crate::Backend::Ppoll)), the file is no longer locked at
/// all. A plain `lock` that fails leaves it in the same way, and no call of the
/// kernel's can take the old lock back for certain.
///
/// # Examples
///
/// ```
/// use std::fs::File;
/// use stopruntime::ext::LockOrStop;
///
/// let path = std::env::temp_dir().join(format!("stopruntime-lock-{}", std::process::id()));
/// let file = File::create(&path)?;
/// if let Ok(locked) = file.lock_or_stop() {
///     locked?;
/// }
/// # std::fs::remove_file(path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait LockOrStop {
    /// What the plain call returns.
    type Output;

    /// Waits for the lock.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and no lock was taken; of a file, a
    /// shared lock that was held may be gone.
    fn lock_or_stop(&self) -> Result<Self::Output, Stopped>;
}

impl FileOrStop for File {
    fn open_or_stop<P: AsRef<Path>>(path: P) -> Outcome<File> {
        open(path.as_ref(), libc::O_RDONLY)
    }

    fn create_or_stop<P: AsRef<Path>>(path: P) -> Outcome<File> {
        open(path.as_ref(), libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC)
    }

    fn create_new_or_stop<P: AsRef<Path>>(path: P) -> Outcome<File> {
        open(path.as_ref(), libc::O_RDWR | libc::O_CREAT | libc::O_EXCL)
    }

    fn sync_all_or_stop(&self) -> Outcome<()> {
        syscall::sync(libc::SYS_fsync, self)
    }

    fn sync_data_or_stop(&self) -> Outcome<()> {
        syscall::sync(libc::SYS_fdatasync, self)
    }

    fn lock_shared_or_stop(&self) -> Outcome<()> {
        syscall::flock(self, libc::LOCK_SH)
    }
}

impl LockOrStop for File {
    type Output = io::Result<()>;

    fn lock_or_stop(&self) -> Outcome<()> {
        syscall::flock(self, libc::LOCK_EX)
    }
}

fn open(path: &Path, flags: c_int) -> Outcome<File> {
    if let Ok(path) = CString::new(path.as_os_str().as_bytes()) {
        return syscall::open(&path, flags);
    }
    scope::check()?;
    let message = "file name contained an unexpected NUL byte";
    Ok(Err(io::Error::new(io::ErrorKind::InvalidInput, message)))
}
