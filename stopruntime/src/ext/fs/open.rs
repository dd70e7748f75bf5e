//! Opening by [`OpenOptions`], which do not tell what they hold.
//!
//! What waits for another process in `open` is a FIFO (fifo(7)). Everything else
//! is opened by std itself. For a FIFO the flags are found out by opening, with
//! the very same options, what never waits:
//!
//! | path | what is learnt |
//! |---|---|
//! | `/dev/null` | access mode and status flags, by `F_GETFL`; an error that the FIFO would give as well |
//! | `/dev/null/` | whether the options could create: `EISDIR` is for `O_CREAT` alone (open(2)) |
//!
//! Then the very FIFO that was looked at is opened by these flags, through
//! `/proc/self/fd` (proc(5)): no process can put something else in its place, which
//! would want the flags that are not known (`O_TRUNC`, `O_NOCTTY`, the mode).

use crate::ext::Outcome;
use crate::ext::sealed::Sealed;
use crate::ext::syscall;
use crate::scope;
use core::ffi::c_int;
use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

/// Opens a file, stop-checked: [`OpenOptions::open`].
///
/// Opening a FIFO waits for its other end, stop-checked; everything else is opened by
/// std after a checkpoint. A path that becomes a FIFO between the look at it and the call,
/// and a terminal that waits for its carrier, are not stop-checked here;
/// [`File::open`](crate::ext::FileOrStop) is, for both.
///
/// A FIFO is refused with `ENOTSUP` where `/proc` or `/dev/null` is missing, and
/// for options that `/dev/null` does not take (`O_DIRECT`; `O_NOATIME` without
/// privilege).
///
/// The trait is [sealed](crate::ext).
///
/// # Examples
///
/// ```
/// use std::fs::OpenOptions;
/// use stopruntime::ext::OpenOrStop;
///
/// let null = OpenOptions::new().write(true).open_or_stop("/dev/null")??;
/// # drop(null);
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait OpenOrStop: Sealed {
    /// Opens a file by these options.
    ///
    /// # Errors
    ///
    /// [`Stopped`](crate::Stopped): a stop is requested and nothing was opened or created.
    fn open_or_stop<P: AsRef<Path>>(&self, path: P) -> Outcome<File>;
}

impl OpenOrStop for OpenOptions {
    fn open_or_stop<P: AsRef<Path>>(&self, path: P) -> Outcome<File> {
        scope::check()?;
        let path = path.as_ref();
        match fifo(self, path) {
            Ok(Some((fifo, flags))) => {
                let again = format!("/proc/self/fd/{}", fifo.as_raw_fd());
                let again = CString::new(again).expect("digits");
                let opened = syscall::open(&again, flags)?;
                Ok(opened.map_err(|error| match error.kind() {
                    // There is no /proc.
                    ErrorKind::NotFound => unsupported(),
                    _ => error,
                }))
            }
            Ok(None) => Ok(self.open(path)),
            Err(error) => Ok(Err(error)),
        }
    }
}

/// The FIFO that opening waits for, not opened for reading or writing yet, and
/// the flags to open it by; `None` if std can open the path without waiting,
/// or opening it fails.
fn fifo(options: &OpenOptions, path: &Path) -> io::Result<Option<(File, c_int)>> {
    if !fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo()) {
        return Ok(None);
    }
    let Some((flags, creates)) = waiting_flags(options)? else { return Ok(None) };
    let nofollow = flags & libc::O_NOFOLLOW;
    let look = syscall::look(&CString::new(path.as_os_str().as_bytes())?, nofollow)?;
    // A symbolic link that is not followed; or something else by now.
    if !look.metadata()?.file_type().is_fifo() {
        return Ok(None);
    }
    if creates && is_protected(&look)? {
        return Err(io::Error::from_raw_os_error(libc::EACCES));
    }
    // The way through /proc is a symbolic link itself.
    Ok(Some((look, flags & !libc::O_NOFOLLOW)))
}

/// The flags by which these options open a FIFO, if that can wait, and whether
/// `O_CREAT` is among the options.
fn waiting_flags(options: &OpenOptions) -> io::Result<Option<(c_int, bool)>> {
    const NULL: &str = "/dev/null";
    if !fs::metadata(NULL).is_ok_and(|null| null.file_type().is_char_device()) {
        // The options might create it.
        return Err(unsupported());
    }
    let creates = match options.open("/dev/null/") {
        Err(error) if error.raw_os_error() == Some(libc::EISDIR) => true,
        Err(error) if error.raw_os_error() == Some(libc::ENOTDIR) => false,
        // Options that go with no path at all.
        Err(error) if error.kind() == ErrorKind::InvalidInput => return Ok(None),
        Err(error) => return Err(error),
        Ok(_) => return Err(unsupported()),
    };
    let flags = match options.open(NULL) {
        Ok(null) => syscall::status_flags(&null)?,
        // `create_new`, `O_DIRECTORY`: the FIFO would be refused in the same way.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EEXIST | libc::ENOTDIR)) => {
            return Ok(None);
        }
        Err(_) => return Err(unsupported()),
    };
    let never_waits =
        flags & (libc::O_NONBLOCK | libc::O_PATH) != 0 || flags & libc::O_ACCMODE == libc::O_RDWR;
    Ok((!never_waits).then_some((flags, creates)))
}

/// Whether the kernel would not open this FIFO by `O_CREAT`, which is not among the
/// flags that it is asked with: it belongs to another user, in a sticky directory
/// that others can write to. `fs.protected_fifos`, `proc_sys_fs(5)`.
fn is_protected(fifo: &File) -> io::Result<bool> {
    let level = match fs::read_to_string("/proc/sys/fs/protected_fifos") {
        Ok(level) => level.trim().parse::<u8>().unwrap_or(u8::MAX),
        // Before Linux 4.19.
        Err(error) if error.kind() == ErrorKind::NotFound => 0,
        Err(_) => u8::MAX,
    };
    let real =
        fs::read_link(format!("/proc/self/fd/{}", fifo.as_raw_fd())).map_err(|_| unsupported())?;
    let directory = fs::metadata(real.parent().unwrap_or(&real))?;
    let owner = fifo.metadata()?.uid();
    let writable_by = |who: u32| directory.mode() & who != 0;
    let watched = level >= 1 && writable_by(0o002) || level >= 2 && writable_by(0o020);
    let sticky = directory.mode() & libc::S_ISVTX != 0;
    Ok(watched && sticky && owner != directory.uid() && owner != syscall::effective_user())
}

fn unsupported() -> io::Error {
    io::Error::from_raw_os_error(libc::ENOTSUP)
}
