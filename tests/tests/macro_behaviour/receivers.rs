//! Whose method a marked call is: never one behind a `Deref` of the user's, and
//! always one behind a reference, a pointer or a guard of std's.

use crate::prelude::*;
use std::cell::LazyCell;
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, LazyLock, Mutex, RwLock};

/// Derefs to a stream and reads something else.
struct Decrypting(UnixStream);

impl Deref for Decrypting {
    type Target = UnixStream;

    fn deref(&self) -> &UnixStream {
        &self.0
    }
}

impl DerefMut for Decrypting {
    fn deref_mut(&mut self) -> &mut UnixStream {
        &mut self.0
    }
}

impl Read for Decrypting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = stopruntime::Stoppable::new(&self.0).read(buffer)?;
        buffer[..length].iter_mut().for_each(|byte| *byte ^= 0x20);
        Ok(length)
    }
}

#[stoppable]
fn plain_text(stream: &mut Decrypting) -> io::Result<Vec<u8>> {
    let mut buffer = [0; 8];
    #[blocking(as_is)]
    let length = stream.read(&mut buffer)?;
    Ok(buffer[..length].to_vec())
}

#[stoppable]
fn plain_text_once_readable(stream: &mut Decrypting) -> io::Result<Vec<u8>> {
    let mut buffer = [0; 8];
    #[blocking(readable = stream.0)]
    let length = stream.read(&mut buffer)?;
    Ok(buffer[..length].to_vec())
}

#[stoppable]
fn cipher_text(stream: &mut Decrypting) -> io::Result<Vec<u8>> {
    let mut buffer = [0; 8];
    #[blocking]
    let length = (**stream).read(&mut buffer)?;
    Ok(buffer[..length].to_vec())
}

/// A wrapper that has the variant: that one is taken.
struct Upper(Decrypting);

impl Deref for Upper {
    type Target = Decrypting;

    fn deref(&self) -> &Decrypting {
        &self.0
    }
}

impl DerefMut for Upper {
    fn deref_mut(&mut self) -> &mut Decrypting {
        &mut self.0
    }
}

impl Read for Upper {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.0.read(buffer)?;
        buffer[..length].make_ascii_uppercase();
        Ok(length)
    }
}

impl stopruntime::ext::ReadOrStop for Upper {
    fn read_or_stop(&mut self, buffer: &mut [u8]) -> Result<io::Result<usize>, Stopped> {
        stopruntime::check()?;
        Ok(self.read(buffer))
    }

    fn ready_or_stop(&self) -> Result<io::Result<()>, Stopped> {
        Ok(Ok(()))
    }
}

#[stoppable]
fn upper(stream: &mut Upper) -> io::Result<Vec<u8>> {
    let mut buffer = [0; 8];
    #[blocking]
    let length = stream.read(&mut buffer)?;
    Ok(buffer[..length].to_vec())
}

fn stream_with(text: &[u8]) -> UnixStream {
    let (reader, mut writer) = UnixStream::pair().unwrap();
    writer.write_all(text).unwrap();
    reader
}

#[stoppable]
#[allow(clippy::unused_io_amount, reason = "there is one byte")]
fn through_pointers(stream: UnixStream) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = [0];
    let mut boxed = Box::new(stream);
    #[blocking]
    boxed.read(&mut buffer)?;
    bytes.push(buffer[0]);
    let mut pinned = Pin::new(&mut *boxed);
    #[blocking]
    pinned.read(&mut buffer)?;
    bytes.push(buffer[0]);
    let locked = Mutex::new(boxed);
    let mut guard = locked.lock().unwrap();
    #[blocking]
    guard.read(&mut buffer)?;
    drop(guard);
    bytes.push(buffer[0]);
    let shared = Rc::new(RefCell::new(locked.into_inner().unwrap()));
    #[blocking]
    shared.borrow_mut().read(&mut buffer)?;
    bytes.push(buffer[0]);
    let lock = RwLock::new(Rc::into_inner(shared).unwrap().into_inner());
    let mut guard = lock.write().unwrap();
    #[allow(clippy::mut_mut, reason = "it is what is tested")]
    let guard = &mut &mut guard;
    #[blocking]
    guard.read(&mut buffer)?;
    bytes.push(buffer[0]);
    let ours = stopruntime::sync::Mutex::new(&mut **guard);
    blocking!(blocking!(ours.lock()).unwrap().read(&mut buffer))?;
    bytes.push(buffer[0]);
    Ok(bytes)
}

static SOCKET: LazyLock<UnixDatagram> = LazyLock::new(|| UnixDatagram::unbound().unwrap());

#[stoppable]
fn through_shared_pointers(socket: UnixDatagram) -> io::Result<u8> {
    let mut buffer = [0];
    let socket = Arc::new(Box::new(socket));
    #[blocking]
    socket.recv(&mut buffer)?;
    let theirs = &Rc::new(&socket);
    #[blocking]
    theirs.recv(&mut buffer)?;
    let lazy = LazyCell::new(|| Arc::clone(theirs));
    #[blocking]
    lazy.recv(&mut buffer)?;
    let lock = RwLock::new(lazy);
    let guard = lock.read().unwrap();
    #[blocking]
    guard.recv(&mut buffer)?;
    // A closure borrows no more for the mark than without it.
    let also = &guard;
    let mut again = || -> io::Result<usize> {
        #[blocking]
        let length = guard.recv(&mut buffer)?;
        Ok(length)
    };
    assert_eq!(again()?, 1);
    also.set_nonblocking(true)?;
    SOCKET.set_nonblocking(true)?;
    let mut nothing = [0];
    #[blocking]
    let received = SOCKET.recv(&mut nothing);
    assert_eq!(received.unwrap_err().kind(), io::ErrorKind::WouldBlock);
    Ok(buffer[0])
}

stop_tests::on_backends! { stop_tests::BACKENDS;
    fn a_wrappers_own_method_is_the_one_that_is_called() {
        assert_eq!(plain_text(&mut Decrypting(stream_with(b"SECRET"))).unwrap(), b"secret");
        let waited = plain_text_once_readable(&mut Decrypting(stream_with(b"SECRET")));
        assert_eq!(waited.unwrap(), b"secret");
        assert_eq!(cipher_text(&mut Decrypting(stream_with(b"SECRET"))).unwrap(), b"SECRET");
        assert_eq!(upper(&mut Upper(Decrypting(stream_with(b"secret")))).unwrap(), b"SECRET");

        let (stream, _other) = UnixStream::pair().unwrap();
        let reading = waiting(move || plain_text(&mut Decrypting(stream)).map(drop));
        assert!(is_stopped(&reading.stop_and_join().unwrap().unwrap_err()));
    }

    fn pointers_and_guards_of_std_are_seen_through() {
        assert_eq!(through_pointers(stream_with(b"abcdef")).unwrap(), b"abcdef");
        assert_eq!(through_shared_pointers(datagrams(5).1).unwrap(), 4);
        let stopped = requested(|| through_pointers(stream_with(b"abcdef")).map(drop));
        assert!(is_stopped(&stopped.unwrap_err()));
        let stopped = requested(|| through_shared_pointers(datagrams(5).1));
        assert!(is_stopped(&stopped.unwrap_err()));
    }
}

/// With no more than the number of a descriptor.
struct Numbered(UnixDatagram);

impl std::os::fd::AsRawFd for Numbered {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.0.as_raw_fd()
    }
}

impl Numbered {
    fn take(&mut self) -> io::Result<usize> {
        self.0.recv(&mut [0])
    }
}

#[stoppable]
fn numbered(owned: &mut Numbered, shared: &Numbered) -> io::Result<usize> {
    #[blocking(readable)]
    let one = owned.take()?;
    #[blocking(readable = shared)]
    let other = shared.0.recv(&mut [0])?;
    Ok(one + other)
}

#[test]
fn a_number_of_a_descriptor_can_be_waited_for() {
    let ((_left, one), (_right, other)) = (datagrams(1), datagrams(1));
    let (mut one, other) = (Numbered(one), Numbered(other));
    assert_eq!(numbered(&mut one, &other).unwrap(), 2);
    let thread = waiting(move || numbered(&mut one, &other));
    assert!(is_stopped(&thread.stop_and_join().unwrap().unwrap_err()));
}

#[stoppable]
fn join_of_a_guard(guard: &thread::StopOnDrop<u8>) -> Option<u8> {
    #[blocking]
    let result = guard.join();
    result.ok()
}

#[test]
fn the_thread_of_a_guard_can_be_joined() {
    let guard = thread::spawn(|| 7).stop_on_drop();
    assert_eq!(join_of_a_guard(&guard), Some(7));
    drop(guard);
    let sleep = || stopruntime::ext::sleep_or_stop(Duration::MAX).is_err();
    let guard = thread::spawn(move || u8::from(sleep())).stop_on_drop();
    let (joiner, guard) = requested(move || (join_of_a_guard(&guard), guard));
    assert_eq!(joiner, None);
    assert_eq!(guard.stop_and_join().unwrap(), 1);
}
