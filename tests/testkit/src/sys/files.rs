//! Opening, and what waits for the disk alone.

use super::{Arranged, Case, FromWord, arranged, buffer, case, close};
use std::ffi::CString;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use stopruntime::{Stopped, sys};

fn path(kind: &str) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("stop-tests-{kind}-{}-{count}", std::process::id());
    let path = std::env::temp_dir().join(name);
    // Of a process that had this number, and was killed.
    let _ = std::fs::remove_file(&path);
    path
}

/// A file on a disk, of this many bytes, which has no name any more.
pub(super) fn scratch(length: usize) -> File {
    let path = path("file");
    let mut options = File::options();
    let mut file = options.read(true).write(true).create_new(true).open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    file.write_all(&vec![b'x'; length]).unwrap();
    std::io::Seek::rewind(&mut file).unwrap();
    file
}

fn on_file(call: fn(i32) -> Result<i32, Stopped>) -> Arranged {
    let file = scratch(8);
    arranged(move || call(file.as_raw_fd()).map(i64::from_word), || ())
}

/// A FIFO in the file system; dropped, it is gone.
struct Fifo {
    path: PathBuf,
    name: CString,
}

impl Fifo {
    fn new() -> Fifo {
        let path = path("fifo");
        let name = CString::new(path.as_os_str().as_bytes()).unwrap();
        // SAFETY: a terminated path.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        Fifo { path, name }
    }
}

impl Drop for Fifo {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A FIFO waits for its other end (fifo(7)); fed by one that has both.
fn opening(call: fn(&Fifo) -> Result<i32, Stopped>) -> Arranged {
    let fifo = Arc::new(Fifo::new());
    let other = Arc::clone(&fifo);
    let both = Arc::new(std::sync::OnceLock::new());
    let opened = Arc::clone(&both);
    arranged(
        move || call(&fifo).map(close),
        move || {
            let file = File::options().read(true).write(true).open(&other.path).unwrap();
            opened.set(file).unwrap();
        },
    )
    .keeping(both)
}

/// What `open_by_handle_at` opens: the longest handle there is.
#[repr(C, align(8))]
struct Handle([u8; 8 + 128]);

/// The handle of a file, and a descriptor of its file system.
fn handle_of(fifo: &Fifo) -> (Handle, File) {
    let mut handle = Handle([0; 136]);
    let start = (&raw mut handle).cast::<libc::file_handle>();
    let mut mount = 0;
    // SAFETY: a handle with room for 128 bytes behind its two fields.
    let made = unsafe {
        (*start).handle_bytes = 128;
        libc::name_to_handle_at(libc::AT_FDCWD, fifo.name.as_ptr(), start, &raw mut mount, 0)
    };
    assert_eq!(made, 0, "{}", std::io::Error::last_os_error());
    (handle, File::open(fifo.path.parent().unwrap()).unwrap())
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("open", || {
            opening(made!(|fifo| sys::open_or_stop(fifo.name.as_ptr(), libc::O_RDONLY, 0)))
        }),
        case("openat", || {
            opening(made!(|fifo| {
                sys::openat_or_stop(libc::AT_FDCWD, fifo.name.as_ptr(), libc::O_RDONLY, 0)
            }))
        }),
        case("open(O_WRONLY)", || {
            opening(made!(|fifo| sys::open_or_stop(fifo.name.as_ptr(), libc::O_WRONLY, 0)))
        }),
        case("openat(O_WRONLY)", || {
            opening(made!(|fifo| {
                sys::openat_or_stop(libc::AT_FDCWD, fifo.name.as_ptr(), libc::O_WRONLY, 0)
            }))
        }),
        case("openat2", || {
            opening(made!(|fifo| {
                // All zeroes: for reading.
                let how: libc::open_how = std::mem::zeroed();
                let size = size_of::<libc::open_how>();
                sys::openat2_or_stop(libc::AT_FDCWD, fifo.name.as_ptr(), &raw const how, size)
            }))
        }),
        case("creat", || opening(made!(|fifo| sys::creat_or_stop(fifo.name.as_ptr(), 0o600)))),
        case("open_by_handle_at", || {
            opening(made!(|fifo| {
                let (mut handle, mount) = handle_of(fifo);
                let handle = (&raw mut handle).cast();
                sys::open_by_handle_at_or_stop(mount.as_raw_fd(), handle, libc::O_RDONLY)
            }))
        })
        // Without CAP_DAC_READ_SEARCH.
        .fails_with(libc::EPERM),
        case("fsync", || on_file(made!(|fd| sys::fsync_or_stop(fd)))).ends_by_itself(),
        case("fdatasync", || on_file(made!(|fd| sys::fdatasync_or_stop(fd)))).ends_by_itself(),
        case("syncfs", || on_file(made!(|fd| sys::syncfs_or_stop(fd)))).ends_by_itself(),
        case("sync", || on_file(made!(|_| sys::sync_or_stop().map(|()| 0)))).ends_by_itself(),
        case("sync_file_range", || {
            const ALL: u32 = libc::SYNC_FILE_RANGE_WAIT_BEFORE
                | libc::SYNC_FILE_RANGE_WRITE
                | libc::SYNC_FILE_RANGE_WAIT_AFTER;
            on_file(made!(|fd| sys::sync_file_range_or_stop(fd, 0, 8, ALL)))
        })
        .ends_by_itself(),
        case("msync", || {
            on_file(made!(|fd| {
                let (length, both) = (4096, libc::PROT_READ | libc::PROT_WRITE);
                let page = libc::mmap(core::ptr::null_mut(), length, both, libc::MAP_SHARED, fd, 0);
                assert_ne!(page, libc::MAP_FAILED);
                page.cast::<u8>().write(b'y');
                let result = sys::msync_or_stop(page, length, libc::MS_SYNC);
                libc::munmap(page, length);
                result
            }))
        })
        .ends_by_itself(),
        case("fallocate", || on_file(made!(|fd| sys::fallocate_or_stop(fd, 0, 0, 4096))))
            .ends_by_itself(),
        case("getrandom", || {
            on_file(made!(|_| {
                sys::getrandom_or_stop(buffer(), 8, 0).map(|length| length as i32)
            }))
        })
        .gives(8)
        .ends_by_itself(),
    ]
}
