//! Pairs of connected ends, and what they are made with.

use crate::Directory;
use core::ops::RangeInclusive;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What the marked and the plain call share; they are never made at once.
pub(crate) struct Shared<T>(Arc<Mutex<T>>);

impl<T> Shared<T> {
    pub(crate) fn new(value: T) -> Shared<T> {
        Shared(Arc::new(Mutex::new(value)))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Shared<T> {
        Shared(Arc::clone(&self.0))
    }
}

/// The reading or accepting end first.
pub(super) fn tcp() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let other = TcpStream::connect(listener.local_addr()?)?;
    Ok((listener.accept()?.0, other))
}

pub(super) fn unix() -> io::Result<(UnixStream, UnixStream)> {
    UnixStream::pair()
}

/// Both ends of a FIFO that has no name any more.
pub(super) fn fifo() -> io::Result<(File, File)> {
    let directory = Directory::new()?;
    let path = directory.fifo("fifo")?;
    // Opened for both, neither end waits for the other (fifo(7)).
    let _both = OpenOptions::new().read(true).write(true).open(&path)?;
    Ok((File::open(&path)?, OpenOptions::new().write(true).open(&path)?))
}

/// Both sides of a terminal.
pub(super) fn terminal() -> io::Result<(Master, File)> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let name = ptsname(&master, Vec::new())?;
    let path = OsStr::from_bytes(name.as_bytes());
    let options = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOCTTY).clone();
    Ok((Master(master.into()), options.open(path)?))
}

/// The side that plays the person at the terminal.
pub(super) struct Master(File);

impl Master {
    pub(super) fn file(&self) -> &File {
        &self.0
    }
}

impl AsFd for Master {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Read for Master {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer) {
            // How a terminal says that no process has it open any more.
            Err(error) if error.raw_os_error() == Some(libc::EIO) => Ok(0),
            result => result,
        }
    }
}

/// A child that does not outlive its case.
pub(super) struct Reaped(pub(super) Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        // It has ended already, or is no longer wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A shell with its three streams piped.
pub(super) fn shell(script: &str) -> io::Result<Child> {
    Command::new("/bin/sh")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

/// A stream that a child was started with.
pub(super) fn piped<S>(stream: Option<S>) -> io::Result<S> {
    stream.ok_or_else(|| io::Error::other("the child has no such stream"))
}

/// Makes the calls of `f` non-blocking.
pub(super) fn nonblocking<F: AsFd, T>(
    end: &mut F,
    f: impl FnOnce(&mut F) -> io::Result<T>,
) -> io::Result<T> {
    let flags = fcntl_getfl(&*end)?;
    fcntl_setfl(&*end, flags | OFlags::NONBLOCK)?;
    let result = f(end);
    fcntl_setfl(&*end, flags)?;
    result
}

/// Writes until there is no room for a single byte more, and none comes while
/// the reader takes nothing; what was written.
pub(super) fn fill<R: AsFd, W: Write + AsFd>(reader: &R, writer: &mut W) -> io::Result<Vec<u8>> {
    nonblocking(writer, |writer| {
        let mut written = Vec::new();
        loop {
            let is_final = takes_no_more(reader, writer);
            for chunk in [4096, 1] {
                let chunk: Vec<u8> = pattern(b'a'..=b'z', chunk);
                loop {
                    match writer.write(&chunk) {
                        Ok(length) => written.extend_from_slice(&chunk[..length]),
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                        Err(error) => return Err(error),
                    }
                }
            }
            if is_final {
                return Ok(written);
            }
            std::thread::yield_now();
        }
    })
}

/// Whether the peer has taken what it is going to. An acknowledgement makes room
/// at the sender, and may come 40 ms later; with none due, and a window of
/// nothing, none comes. Of what is not TCP: always.
fn takes_no_more(reader: &impl AsFd, writer: &impl AsFd) -> bool {
    /// In `struct tcp_info` (linux/tcp.h).
    const UNACKNOWLEDGED: usize = 24;
    /// Likewise; since Linux 5.4.
    const WINDOW: usize = 228;
    let mut info = [0_u8; 256];
    let mut length: libc::socklen_t = 256;
    // SAFETY: a buffer, and its length.
    let result = unsafe {
        libc::getsockopt(
            writer.as_fd().as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    // What is due comes at once, not to keep the tests waiting.
    let at_once = socket2::SockRef::from(reader).set_tcp_quickack(true);
    let is_zero = |at: usize| info[at..at + 4] == [0; 4];
    let is_steady = || {
        // qemu-user 7.2 takes every option of TCP for an int.
        if (length as usize) < WINDOW + 4 {
            return probes_the_window(writer);
        }
        is_zero(UNACKNOWLEDGED) && is_zero(WINDOW)
    };
    result != 0 || at_once.is_ok() && is_steady()
}

/// Whether nothing but a window is waited for. Timer 4 in
/// /proc/net/tcp, proc(5): of a probe for a window, with nothing unacknowledged.
fn probes_the_window(writer: &impl AsFd) -> bool {
    let port_of = |address: io::Result<socket2::SockAddr>| {
        let address = address.ok().and_then(|address| address.as_socket_ipv4());
        format!(":{:04X}", address.map_or(0, |address| address.port()))
    };
    let socket = socket2::SockRef::from(writer);
    let ports = [port_of(socket.local_addr()), port_of(socket.peer_addr())];
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let mut rows = table.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
    let row =
        rows.find(|row| row.len() > 5 && (0..2).all(|end| row[1 + end].ends_with(&ports[end])));
    row.is_some_and(|row| row[5].starts_with("04:"))
}

/// So many bytes of which a missing or doubled one would be seen.
pub(super) fn pattern(letters: RangeInclusive<u8>, length: usize) -> Vec<u8> {
    let mut bytes = letters.collect::<Vec<u8>>().repeat(length / 26 + 1);
    bytes.truncate(length);
    bytes
}
