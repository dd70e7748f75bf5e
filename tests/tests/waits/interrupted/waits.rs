//! Calls that wait for another thread or process.

use super::goes_on;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc as plain_mpsc};
use stop_tests::full_listener;
use stopruntime::ext::{AcceptOrStop, ConnectOrStop, JoinOrStop, WaitOrStop};
use stopruntime::sync::{Condvar, Mutex, Semaphore, mpsc};
use stopruntime::thread;

pub(super) fn accept() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    goes_on(
        "TcpListener::accept",
        move || Ok(listener.accept_or_stop()?.unwrap().1.ip().to_string()),
        || {
            drop(TcpStream::connect(address).unwrap());
            "127.0.0.1"
        },
    );
    let path = std::env::temp_dir().join(format!("stop-tests-interrupted-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path).unwrap();
    goes_on(
        "UnixListener::accept",
        move || Ok(format!("{:?}", listener.accept_or_stop()?.unwrap().1)),
        || {
            drop(UnixStream::connect(&path).unwrap());
            "(unnamed)"
        },
    );
    std::fs::remove_file(path).unwrap();
}

/// To a listener whose queue is full. The attempt goes on by itself when there
/// is room, a second later or so.
pub(super) fn connect() {
    let (listener, _filler) = full_listener();
    let address = listener.local_addr().unwrap();
    goes_on(
        "TcpStream::connect",
        move || {
            let stream = TcpStream::connect_or_stop(address)?.unwrap();
            Ok(stream.peer_addr().unwrap().ip().to_string())
        },
        || {
            drop(listener.accept().unwrap());
            "127.0.0.1"
        },
    );
}

pub(super) fn for_a_child() {
    let mut command = Command::new("cat");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    // Not left to the call, which closes it before it waits.
    let input = child.stdin.take();
    goes_on(
        "Child::wait",
        move || Ok(child.wait_or_stop()?.unwrap().to_string()),
        || {
            drop(input);
            "exit status: 0"
        },
    );
}

pub(super) fn for_a_thread() {
    let (gate, opened) = plain_mpsc::channel::<()>();
    let ends = thread::spawn(move || {
        opened.recv().unwrap_err();
        "ended"
    });
    goes_on(
        "JoinHandle::join",
        move || Ok(ends.join_or_stop()?.unwrap().into()),
        || {
            drop(gate);
            "ended"
        },
    );
}

pub(super) fn for_what_is_held() {
    let lock = Arc::new(Mutex::new("locked"));
    let theirs = Arc::clone(&lock);
    let held = lock.lock().unwrap();
    goes_on(
        "Mutex::lock",
        move || Ok((*theirs.lock_or_stop()?.unwrap()).into()),
        || {
            drop(held);
            "locked"
        },
    );
    let permits = Arc::new(Semaphore::new(0));
    let theirs = Arc::clone(&permits);
    goes_on(
        "Semaphore::acquire",
        move || {
            drop(theirs.acquire_or_stop()?);
            Ok("acquired".into())
        },
        || {
            permits.release();
            "acquired"
        },
    );
}

pub(super) fn for_what_is_sent() {
    let pair = Arc::new((Mutex::new(""), Condvar::new()));
    let theirs = Arc::clone(&pair);
    goes_on(
        "Condvar::wait_while",
        move || {
            let guard = theirs.0.lock().unwrap();
            let guard = theirs.1.wait_while_or_stop(guard, |word| word.is_empty())?;
            Ok((*guard.unwrap()).into())
        },
        || {
            *pair.0.lock().unwrap() = "notified";
            pair.1.notify_one();
            "notified"
        },
    );
    let (sender, receiver) = mpsc::channel::<String>();
    goes_on(
        "Receiver::recv",
        move || Ok(receiver.recv_or_stop()?.unwrap()),
        || {
            sender.send("sent".into()).unwrap();
            "sent"
        },
    );
}
