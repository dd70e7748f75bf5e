//! Two hundred connections with traffic, and what is known of each: what was
//! sent, and what has been taken, byte by byte in order.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

pub(crate) const COUNT: usize = 200;

struct Wire {
    near: UnixStream,
    far: UnixStream,
    sent: AtomicU64,
    taken: AtomicU64,
    /// Whether an event is to be expected of it.
    armed: AtomicBool,
    /// One writer at a time.
    turn: Mutex<()>,
}

pub(crate) struct Wires(Vec<Wire>);

impl Wires {
    pub(crate) fn new() -> Wires {
        let wire = |_| {
            let (near, far) = UnixStream::pair().unwrap();
            near.set_nonblocking(true).unwrap();
            far.set_nonblocking(true).unwrap();
            Wire {
                near,
                far,
                sent: AtomicU64::new(0),
                taken: AtomicU64::new(0),
                armed: AtomicBool::new(true),
                turn: Mutex::new(()),
            }
        };
        Wires((0..COUNT).map(wire).collect())
    }

    /// The descriptors to be watched, in order.
    pub(crate) fn descriptors(&self) -> impl Iterator<Item = RawFd> {
        self.0.iter().map(|wire| wire.near.as_raw_fd())
    }

    /// Sends up to this many bytes, each one more than the one before.
    pub(crate) fn send(&self, index: usize, length: usize) {
        let wire = &self.0[index];
        let _turn = wire.turn.lock().unwrap();
        let sent = wire.sent.load(Ordering::SeqCst);
        let bytes: Vec<u8> = (sent..).map(|number| number as u8).take(length).collect();
        match (&wire.far).write(&bytes) {
            Ok(written) => {
                wire.sent.fetch_add(written as u64, Ordering::SeqCst);
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    }

    /// Takes all there is; how much.
    pub(crate) fn take(&self, index: usize) -> u64 {
        let wire = &self.0[index];
        let before = wire.taken.load(Ordering::SeqCst);
        let mut taken = before;
        let mut buffer = [0; 256];
        loop {
            match (&wire.near).read(&mut buffer) {
                Ok(length) => {
                    assert_ne!(length, 0, "wire {index} has ended");
                    for byte in &buffer[..length] {
                        assert_eq!(*byte, taken as u8, "byte {taken} of wire {index}");
                        taken += 1;
                    }
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    break;
                }
            }
        }
        wire.taken.store(taken, Ordering::SeqCst);
        taken - before
    }

    /// An event that was armed for has come: once.
    pub(crate) fn disarm(&self, index: usize) {
        assert!(self.0[index].armed.swap(false, Ordering::SeqCst), "twice for wire {index}");
    }

    pub(crate) fn arm(&self, index: usize) {
        self.0[index].armed.store(true, Ordering::SeqCst);
    }

    /// The wires that have something left: sent, and taken.
    pub(crate) fn left(&self) -> Vec<(usize, u64, u64)> {
        let count = |count: &AtomicU64| count.load(Ordering::SeqCst);
        let counts = self.0.iter().map(|wire| (count(&wire.sent), count(&wire.taken))).enumerate();
        counts
            .filter(|(_, (sent, taken))| sent != taken)
            .map(|(index, (sent, taken))| (index, sent, taken))
            .collect()
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.iter().map(|wire| wire.taken.load(Ordering::SeqCst)).sum()
    }
}
