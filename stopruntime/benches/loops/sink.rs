//! A thread that takes datagrams in and counts them.

use super::measure::{self, eventfd, readable, thread_cpu};
use super::{COLUMNS, Figures, ROUND};
use std::fs::File;
use std::io;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use stopruntime::stoppable;

const SIZE: usize = 64;
/// A datagram of this size says that no more follow.
const END: usize = 1;
/// How many are taken from a full buffer, and how often a round.
const FILL: usize = 2_000;
const FILLS: u32 = 5;

type Sink = fn(&UdpSocket, &File) -> io::Result<u64>;

fn plain(socket: &UdpSocket, _: &File) -> io::Result<u64> {
    let mut buffer = [0; 2048];
    let mut count = 0;
    loop {
        let (length, _sender) = socket.recv_from(&mut buffer)?;
        if length == END {
            return Ok(count);
        }
        count += 1;
    }
}

#[stoppable]
fn ours(socket: &UdpSocket, _: &File) -> io::Result<u64> {
    let mut buffer = [0; 2048];
    let mut count = 0;
    loop {
        #[blocking]
        let (length, _sender) = socket.recv_from(&mut buffer)?;
        if length == END {
            return Ok(count);
        }
        count += 1;
    }
    Ok(count)
}

fn polled(socket: &UdpSocket, stop: &File) -> io::Result<u64> {
    let mut buffer = [0; 2048];
    let mut count = 0;
    while readable(socket, stop)? {
        let (length, _sender) = socket.recv_from(&mut buffer)?;
        if length == END {
            break;
        }
        count += 1;
    }
    Ok(count)
}

const SINKS: [Sink; COLUMNS.len()] = [plain, plain, ours, polled];

struct Pair {
    receiver: UdpSocket,
    sender: UdpSocket,
    stop: File,
}

impl Pair {
    fn new() -> io::Result<Pair> {
        let receiver = UdpSocket::bind("127.0.0.1:0")?;
        let sender = UdpSocket::bind("127.0.0.1:0")?;
        sender.connect(receiver.local_addr()?)?;
        enlarge(&receiver)?;
        Ok(Pair { receiver, sender, stop: eventfd()? })
    }

    /// The buffer is full before the sink starts, so that it never waits: the
    /// sink alone is measured.
    fn drain(&self, sink: Sink) -> io::Result<Figures> {
        let (mut count, mut wall, mut cpu) = (0, Duration::ZERO, Duration::ZERO);
        for _ in 0..FILLS {
            for _ in 0..FILL {
                self.sender.send(&[7; SIZE])?;
            }
            self.sender.send(&[7; END])?;
            let (start, before) = (Instant::now(), thread_cpu());
            count += sink(&self.receiver, &self.stop)?;
            wall += start.elapsed();
            cpu += thread_cpu().saturating_sub(before);
        }
        assert_eq!(count, FILL as u64 * u64::from(FILLS), "the buffer is too small");
        Ok(figures(count, wall, cpu))
    }

    /// A sender gives what it can for the time of a round.
    fn feed(&self, sink: Sink) -> io::Result<Figures> {
        let ended = AtomicBool::new(false);
        let start = Instant::now();
        std::thread::scope(|scope| {
            let sink = scope.spawn(|| {
                let before = thread_cpu();
                let count = sink(&self.receiver, &self.stop);
                let figures = count.map(|count| {
                    figures(count, start.elapsed(), thread_cpu().saturating_sub(before))
                });
                ended.store(true, Ordering::Relaxed);
                figures
            });
            while start.elapsed() < ROUND && !ended.load(Ordering::Relaxed) {
                for _ in 0..100 {
                    self.sender.send(&[7; SIZE])?;
                }
            }
            // More than once, as a full buffer drops it.
            while !ended.load(Ordering::Relaxed) {
                self.sender.send(&[7; END])?;
                std::thread::yield_now();
            }
            let figures = sink.join().expect("no panic")?;
            self.empty()?;
            Ok(figures)
        })
    }

    /// Takes out what came after the end.
    fn empty(&self) -> io::Result<()> {
        self.receiver.set_nonblocking(true)?;
        while self.receiver.recv(&mut [0; SIZE]).is_ok() {}
        self.receiver.set_nonblocking(false)
    }
}

fn figures(count: u64, wall: Duration, cpu: Duration) -> Figures {
    Figures {
        requests_per_second: count as f64 / wall.as_secs_f64(),
        cpu: cpu.as_secs_f64() * 1e6 / count as f64,
    }
}

/// Room for `FILL` datagrams, each of which counts with what the kernel keeps
/// for it. `SO_RCVBUFFORCE` (socket(7)) may go beyond the limit of the system.
fn enlarge(socket: &UdpSocket) -> io::Result<()> {
    let size: i32 = 8 << 20;
    for option in [libc::SO_RCVBUFFORCE, libc::SO_RCVBUF] {
        // SAFETY: an integer and its size.
        let set = unsafe {
            let length = size_of::<i32>() as libc::socklen_t;
            let value = (&raw const size).cast();
            libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, value, length)
        };
        if set == 0 {
            return Ok(());
        }
    }
    Err(io::Error::last_os_error())
}

pub(crate) fn drained() -> io::Result<[Vec<Figures>; COLUMNS.len()]> {
    all(Pair::drain)
}

pub(crate) fn fed() -> io::Result<[Vec<Figures>; COLUMNS.len()]> {
    all(Pair::feed)
}

fn all(way: fn(&Pair, Sink) -> io::Result<Figures>) -> io::Result<[Vec<Figures>; COLUMNS.len()]> {
    let pair = Pair::new()?;
    let [std, again, ours, polled] = SINKS;
    measure::rounds(&mut [
        &mut || way(&pair, std),
        &mut || way(&pair, again),
        &mut || way(&pair, ours),
        &mut || way(&pair, polled),
    ])
}
