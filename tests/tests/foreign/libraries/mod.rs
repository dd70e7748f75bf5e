//! C libraries of the machine, stopped while they wait: what each says, and what it believes
//! of its connection afterwards. Those of Rust are in `tests/libraries`.

mod libpq;
mod others;

use crate::kit::LONG;
use core::ffi::{CStr, c_void};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;
use stop_tests::{POLL, RECV, thread_id, wait_until_blocked_in};
use stopruntime::Stopped;

/// A library of the machine; none if it is not there.
#[derive(Clone, Copy)]
struct Library(*mut c_void);

// SAFETY: a handle of dlopen(3), which any thread may use.
unsafe impl Send for Library {}

impl Library {
    fn open(name: &CStr) -> Option<Library> {
        // SAFETY: a library of the system's, which is never closed.
        let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
        if handle.is_null() {
            stop_tests::not_tested(&name.to_string_lossy(), "it is not installed");
            return None;
        }
        Some(Library(handle))
    }

    /// # Safety
    ///
    /// `F` is the type of this function of the library's.
    unsafe fn get<F: Copy>(self, name: &CStr) -> F {
        // SAFETY: a name, in a library that is open.
        let symbol = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        assert!(!symbol.is_null(), "{name:?}");
        // SAFETY: the caller's promise: a pointer to a function.
        unsafe { std::mem::transmute_copy(&symbol) }
    }
}

/// Stops `f`, a region of another thread's, when `ready` has something and the thread waits.
fn stopped_when<R: Send + 'static>(
    ready: &Receiver<()>,
    f: impl FnOnce() -> Result<R, Stopped> + Send + 'static,
) -> R {
    let (sender, receiver) = channel();
    let thread = stopruntime::thread::spawn(move || {
        sender.send(thread_id()).unwrap();
        f()
    });
    let id = receiver.recv().unwrap();
    ready.recv().unwrap();
    wait_until_blocked_in(id, &[POLL, libc::SYS_ppoll, RECV, libc::SYS_read]);
    let start = Instant::now();
    assert!(thread.request_stop());
    let result = thread.join().unwrap().expect("it had begun");
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
    result
}

/// A server that takes a connection, and then does this with it, and keeps it.
fn server(serve: impl FnOnce(&mut TcpStream) + Send + 'static) -> (u16, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        serve(&mut stream);
        sender.send(()).unwrap();
        // Until it is closed.
        while matches!(stream.read(&mut [0; 512]), Ok(1..)) {}
    });
    (port, receiver)
}

/// What a `PostgreSQL` server says before its first query, which it waits for.
fn greet(stream: &mut TcpStream) {
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut startup = vec![0; u32::from_be_bytes(length) as usize - 4];
    stream.read_exact(&mut startup).unwrap();
    // AuthenticationOk, ReadyForQuery.
    stream.write_all(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").unwrap();
    assert_ne!(stream.read(&mut [0; 512]).unwrap(), 0);
}
