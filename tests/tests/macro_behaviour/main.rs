//! What `#[stoppable]` does to control flow: nothing while no stop is requested,
//! and the documented way out once one is.

// These forms are what is tested here, not how one would write them.
#![allow(
    clippy::assign_op_pattern,
    clippy::match_single_binding,
    clippy::needless_pass_by_value,
    clippy::needless_return,
    clippy::unnecessary_wraps
)]

mod answers;
mod checkpoints;
mod closures;
mod errors;
mod foreign;
mod iterators;
mod limits;
mod loops;
mod methods;
mod nested;
mod positions;
mod quiet;
mod read_ahead;
mod receivers;
mod shields;
mod sleeping;
mod values;

/// What all of them use.
mod prelude {
    pub(crate) use std::cell::{Cell, RefCell};
    pub(crate) use std::collections::VecDeque;
    pub(crate) use std::io::{self, BufRead, BufReader, Read, Write};
    pub(crate) use std::net::{TcpListener, TcpStream, UdpSocket};
    pub(crate) use std::os::unix::net::{UnixDatagram, UnixStream};
    pub(crate) use std::time::{Duration, Instant};

    pub(crate) use stopruntime::{CarriesStop, Stopped, Stopper, is_stopped, stoppable, thread};

    /// Runs `body` in a thread that has been requested to stop before.
    pub(crate) fn requested<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
        thread::spawn(move || {
            Stopper::current().request_stop();
            body()
        })
        .join()
        .unwrap()
    }

    /// Runs `body` in a thread and returns once it waits for data.
    pub(crate) fn waiting<T: Send + 'static>(
        body: impl FnOnce() -> T + Send + 'static,
    ) -> thread::JoinHandle<T> {
        let (sender, receiver) = std::sync::mpsc::channel();
        let handle = thread::spawn(move || {
            sender.send(stop_tests::thread_id()).unwrap();
            body()
        });
        let waits = [
            libc::SYS_read,
            libc::SYS_recvfrom,
            libc::SYS_accept4,
            stop_tests::POLL,
            libc::SYS_ppoll,
            // std's own receive, in glibc of 32 bits.
            #[cfg(target_arch = "x86")]
            libc::SYS_socketcall,
        ];
        stop_tests::wait_until_blocked_in(receiver.recv().unwrap(), &waits);
        handle
    }

    /// Two ends, the second with `count` datagrams of one byte waiting.
    pub(crate) fn datagrams(count: u8) -> (UnixDatagram, UnixDatagram) {
        let (sender, receiver) = UnixDatagram::pair().unwrap();
        for number in 0..count {
            sender.send(&[number]).unwrap();
        }
        (sender, receiver)
    }

    /// Runs `body`, which requests its own stop, in a thread of its own.
    pub(crate) fn requested_after<T: Send + 'static>(
        body: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        thread::spawn(body).join().unwrap()
    }

    pub(crate) fn request() {
        Stopper::current().request_stop();
    }
}
