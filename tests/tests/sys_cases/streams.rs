//! Reading, writing, connecting, copying, locking files.

use super::{Arranged, Case, arranged, case, empty, fill, pipe, put};
use core::ptr::{null, null_mut};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use stopruntime::{Stopped, sys};

/// A call on the empty end of a pipe; fed by a byte.
macro_rules! reading {
    ($fd:ident => $call:expr) => {
        || {
            let (reader, writer) = pipe();
            arranged(
                move || {
                    let $fd = reader.as_raw_fd();
                    // SAFETY: buffers of the lengths given.
                    unsafe { $call }.map(i64::from_word)
                },
                move || {
                    put(&writer);
                    // The other end stays open until the process ends.
                    std::mem::forget(writer);
                },
            )
        }
    };
}

/// A call on the full end of a pipe; fed by emptying it.
macro_rules! writing {
    ($fd:ident => $call:expr) => {
        || {
            let (reader, writer) = pipe();
            fill(&writer);
            arranged(
                move || {
                    let $fd = writer.as_raw_fd();
                    // SAFETY: data of the lengths given.
                    unsafe { $call }.map(i64::from_word)
                },
                move || {
                    empty(&reader);
                    std::mem::forget(reader);
                },
            )
        }
    };
}

/// A call on an end of a datagram pair; fed by a datagram.
macro_rules! receiving {
    ($fd:ident => $call:expr) => {
        || {
            let (ours, theirs) = UnixDatagram::pair().unwrap();
            arranged(
                move || {
                    let $fd = ours.as_raw_fd();
                    // SAFETY: buffers of the lengths given.
                    unsafe { $call }.map(i64::from_word)
                },
                move || assert_eq!(theirs.send(b"x").unwrap(), 1),
            )
        }
    };
}

/// A call on a stream that takes no more; fed by emptying it.
macro_rules! sending {
    ($fd:ident => $call:expr) => {
        || {
            let (ours, theirs) = UnixStream::pair().unwrap();
            let (ours, theirs) = (OwnedFd::from(ours), OwnedFd::from(theirs));
            fill(&ours);
            arranged(
                move || {
                    let $fd = ours.as_raw_fd();
                    // SAFETY: data of the lengths given.
                    unsafe { $call }.map(i64::from_word)
                },
                move || {
                    empty(&theirs);
                    std::mem::forget(theirs);
                },
            )
        }
    };
}

/// One width for all results.
pub trait FromWord<T> {
    fn from_word(word: T) -> Self;
}

impl FromWord<i32> for i64 {
    fn from_word(word: i32) -> i64 {
        word.into()
    }
}

impl FromWord<isize> for i64 {
    fn from_word(word: isize) -> i64 {
        word as i64
    }
}

fn buffer() -> *mut libc::c_void {
    Box::into_raw(Box::new([0_u8; 8])).cast()
}

fn vector() -> *mut libc::iovec {
    Box::into_raw(Box::new(libc::iovec { iov_base: buffer(), iov_len: 1 }))
}

fn message() -> *mut libc::mmsghdr {
    // SAFETY: zeroed is a valid header.
    let mut header: libc::mmsghdr = unsafe { std::mem::zeroed() };
    header.msg_hdr.msg_iov = vector();
    header.msg_hdr.msg_iovlen = 1;
    Box::into_raw(Box::new(header))
}

const CURRENT: i64 = -1;

pub fn cases() -> Vec<Case> {
    vec![
        case("read", reading!(fd => sys::read_or_stop(fd, buffer(), 1))),
        case("readv", reading!(fd => sys::readv_or_stop(fd, vector(), 1))),
        case("preadv2", reading!(fd => sys::preadv2_or_stop(fd, vector(), 1, CURRENT, 0))),
        case("write", writing!(fd => sys::write_or_stop(fd, buffer(), 1))),
        case("writev", writing!(fd => sys::writev_or_stop(fd, vector(), 1))),
        case("pwritev2", writing!(fd => sys::pwritev2_or_stop(fd, vector(), 1, CURRENT, 0))),
        case("recv", receiving!(fd => sys::recv_or_stop(fd, buffer(), 1, 0))),
        case(
            "recvfrom",
            receiving!(fd => sys::recvfrom_or_stop(fd, buffer(), 1, 0, null_mut(), null_mut())),
        ),
        case(
            "recvmsg",
            receiving!(fd => sys::recvmsg_or_stop(fd, &raw mut (*message()).msg_hdr, 0)),
        ),
        case("recvmmsg", receiving!(fd => sys::recvmmsg_or_stop(fd, message(), 1, 0, null_mut()))),
        case("send", sending!(fd => sys::send_or_stop(fd, buffer(), 1, 0))),
        case("sendto", sending!(fd => sys::sendto_or_stop(fd, buffer(), 1, 0, null(), 0))),
        case(
            "sendmsg",
            sending!(fd => sys::sendmsg_or_stop(fd, &raw const (*message()).msg_hdr, 0)),
        ),
        case("sendmmsg", sending!(fd => sys::sendmmsg_or_stop(fd, message(), 1, 0))),
        case("accept", || accepting(false)),
        case("accept4", || accepting(true)),
        case("splice", || {
            copying(|from, to| {
                // SAFETY: no offsets.
                unsafe { sys::splice_or_stop(from, null_mut(), to, null_mut(), 1, 0) }
            })
        })
        .not_on_ppoll(),
        case("tee", || {
            copying(|from, to| {
                // SAFETY: no pointers.
                unsafe { sys::tee_or_stop(from, to, 1, 0) }
            })
        })
        .not_on_ppoll(),
        case("vmsplice", writing!(fd => sys::vmsplice_or_stop(fd, vector(), 1, 0))).not_on_ppoll(),
        case("sendfile", writing!(fd => sys::sendfile_or_stop(fd, zeroes(), null_mut(), 1)))
            .not_on_ppoll(),
        case("flock", || {
            locking(|fd| {
                // SAFETY: no pointers.
                unsafe { sys::flock_or_stop(fd, libc::LOCK_EX) }
            })
        })
        .not_on_ppoll(),
        case("fcntl", || {
            locking_range(|fd, lock| {
                // SAFETY: the lock outlives the call.
                unsafe { sys::fcntl_or_stop(fd, libc::F_OFD_SETLKW, lock as usize) }
            })
        })
        .not_on_ppoll(),
        case("openat (FIFO)", opening).not_on_ppoll(),
        case("fsync", || {
            on_file(|fd| {
                // SAFETY: no pointers.
                unsafe { sys::fsync_or_stop(fd) }
            })
        })
        .ends_by_itself(),
        case("fdatasync", || {
            on_file(|fd| {
                // SAFETY: no pointers.
                unsafe { sys::fdatasync_or_stop(fd) }
            })
        })
        .ends_by_itself(),
        case("fallocate", || {
            on_file(|fd| {
                // SAFETY: no pointers.
                unsafe { sys::fallocate_or_stop(fd, 0, 0, 4096) }
            })
        })
        .ends_by_itself(),
        case("getrandom", || {
            arranged(
                || {
                    // SAFETY: eight writable bytes.
                    unsafe { sys::getrandom_or_stop(buffer(), 8, 0) }.map(i64::from_word)
                },
                || (),
            )
        })
        .ends_by_itself(),
        case("pread", || {
            on_file(|fd| {
                // SAFETY: eight writable bytes.
                unsafe { sys::pread_or_stop(fd, buffer(), 8, 0) as Result<isize, Stopped> }
                    .map(|length| length as i32)
            })
        })
        .ends_by_itself(),
        case("pwrite", || {
            on_file(|fd| {
                // SAFETY: eight readable bytes.
                unsafe { sys::pwrite_or_stop(fd, buffer(), 8, 0) }.map(|length| length as i32)
            })
        })
        .ends_by_itself(),
    ]
}

/// A descriptor of endless zeroes that `sendfile` can take from.
fn zeroes() -> i32 {
    let file = scratch();
    file.set_len(4096).unwrap();
    let fd = file.as_raw_fd();
    std::mem::forget(file);
    fd
}

fn accepting(four: bool) -> Arranged {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    arranged(
        move || {
            let fd = listener.as_raw_fd();
            // SAFETY: no address is asked for.
            let new = unsafe {
                if four {
                    sys::accept4_or_stop(fd, null_mut(), null_mut(), libc::SOCK_CLOEXEC)
                } else {
                    sys::accept_or_stop(fd, null_mut(), null_mut())
                }
            }?;
            Ok(new.into())
        },
        move || std::mem::forget(TcpStream::connect(address).unwrap()),
    )
}

fn copying(call: fn(i32, i32) -> Result<isize, Stopped>) -> Arranged {
    let (from, feed) = pipe();
    let (rest, to) = pipe();
    arranged(
        move || {
            let result = call(from.as_raw_fd(), to.as_raw_fd());
            drop(rest);
            result.map(i64::from_word)
        },
        move || {
            put(&feed);
            std::mem::forget(feed);
        },
    )
}

fn scratch() -> std::fs::File {
    // SAFETY: a terminated name.
    let fd = unsafe { libc::memfd_create(c"stop-tests".as_ptr(), libc::MFD_CLOEXEC) };
    assert!(fd >= 0);
    // SAFETY: made just now.
    unsafe { std::os::fd::FromRawFd::from_raw_fd(fd) }
}

fn on_file(call: fn(i32) -> Result<i32, Stopped>) -> Arranged {
    let file = scratch();
    arranged(move || call(file.as_raw_fd()).map(i64::from_word), || ())
}

/// The same file opened twice, so that the locks meet.
fn locking(call: fn(i32) -> Result<i32, Stopped>) -> Arranged {
    let file = scratch();
    let again = std::fs::File::open(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap();
    // SAFETY: no pointers.
    assert_eq!(unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX) }, 0);
    let keep = file.try_clone().unwrap();
    std::mem::forget(keep);
    arranged(
        move || call(again.as_raw_fd()).map(i64::from_word),
        move || {
            // SAFETY: no pointers.
            assert_eq!(unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_UN) }, 0);
        },
    )
}

fn locking_range(call: fn(i32, *const libc::flock) -> Result<i32, Stopped>) -> Arranged {
    // SAFETY: zeroed is a valid lock.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = libc::F_WRLCK as i16;
    let file = scratch();
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let again = std::fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    // SAFETY: the lock outlives the call.
    assert_eq!(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const lock) }, 0);
    let keep = file.try_clone().unwrap();
    std::mem::forget(keep);
    arranged(
        move || call(again.as_raw_fd(), &raw const lock).map(i64::from_word),
        move || {
            lock.l_type = libc::F_UNLCK as i16;
            // SAFETY: the lock outlives the call.
            let done = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const lock) };
            assert_eq!(done, 0);
        },
    )
}

fn opening() -> Arranged {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("stop-tests-fifo-{}-{count}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let other = path.clone();
    let text = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
    // SAFETY: a terminated path.
    assert_eq!(unsafe { libc::mkfifo(text.as_ptr(), 0o600) }, 0);
    arranged(
        move || {
            // SAFETY: a terminated path.
            let result =
                unsafe { sys::openat_or_stop(libc::AT_FDCWD, text.as_ptr(), libc::O_RDONLY, 0) };
            let _ = std::fs::remove_file(path);
            result.map(i64::from_word)
        },
        move || {
            let both = std::fs::OpenOptions::new().read(true).write(true).open(&other).unwrap();
            std::mem::forget(both);
        },
    )
}
