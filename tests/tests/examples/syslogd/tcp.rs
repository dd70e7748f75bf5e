//! A TCP sender that knows what of it has been acknowledged.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::syslogd::daemon::wait_until;
use crate::syslogd::message::{Framing, message};

pub(crate) struct TcpSender {
    pub(crate) name: String,
    framing: Framing,
    stream: TcpStream,
    /// Bytes for which `write` has returned.
    written: AtomicUsize,
}

impl TcpSender {
    pub(crate) fn connect(address: SocketAddr, name: String, framing: Framing) -> TcpSender {
        let stream = TcpStream::connect(address).expect("syslogd accepts");
        TcpSender { name, framing, stream, written: AtomicUsize::new(0) }
    }

    /// Sends these messages, in pieces that end anywhere; fewer if the
    /// connection does not last that long.
    pub(crate) fn send(&self, numbers: Range<usize>) {
        let mut pending = Vec::new();
        for number in numbers.clone() {
            pending.extend(message(&self.name, number, self.framing));
            let keep = if number + 1 == numbers.end { 0 } else { number % 97 };
            while pending.len() > keep {
                let piece = (pending.len() - keep).min(1 + number * 53 % 1500);
                let Ok(length) = (&self.stream).write(&pending[..piece]) else {
                    return;
                };
                self.written.fetch_add(length, Ordering::SeqCst);
                pending.drain(..length);
            }
        }
    }

    /// Sends the first half of a message.
    pub(crate) fn send_half_of(&self, number: usize) {
        let message = message(&self.name, number, self.framing);
        let half = &message[..message.len() / 2];
        (&self.stream).write_all(half).expect("there is room for it");
        self.written.fetch_add(half.len(), Ordering::SeqCst);
    }

    /// How many whole messages the other side's kernel has acknowledged by now,
    /// at least: they are in its receive queue, or read. tcp(7), SIOCOUTQ.
    pub(crate) fn acknowledged(&self) -> usize {
        // In this order: what is written in between counts as unacknowledged.
        let written = self.written.load(Ordering::SeqCst);
        let bytes = written.saturating_sub(self.unacknowledged());
        let mut end = 0;
        let ends = (0..).map(|number| {
            end += message(&self.name, number, self.framing).len();
            end
        });
        ends.take_while(|end| *end <= bytes).count()
    }

    fn unacknowledged(&self) -> usize {
        let mut count: libc::c_int = 0;
        // SAFETY: an open socket, and TIOCOUTQ (SIOCOUTQ) writes one int.
        let outcome =
            unsafe { libc::ioctl(self.stream.as_raw_fd(), libc::TIOCOUTQ, &raw mut count) };
        assert_eq!(outcome, 0, "the queue's length can be asked for");
        count.unsigned_abs() as usize
    }

    /// Waits until all that was sent has been acknowledged.
    pub(crate) fn wait_for_acknowledgement(&self) {
        wait_until("all is acknowledged", || self.unacknowledged() == 0);
    }
}
