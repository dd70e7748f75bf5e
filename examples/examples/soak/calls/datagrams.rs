//! Numbered datagrams: each is received once and in order, or is still queued,
//! or the kernel says that it dropped it.

use super::Call;
use crate::bout::{Bout, Outcome};
use std::io::{self, ErrorKind};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use stopruntime::ext::{RecvFromOrStop, RecvOrStop, SendOrStop};

pub(super) const CALLS: &[Call] = &[
    Call::new("recv_from (UDP)", |bout| {
        udp(bout, None, |socket, datagram| {
            Ok(socket.recv_from_or_stop(datagram)?.map(|(length, _sender)| length))
        })
    }),
    Call::new("recv (UDP, SO_RCVTIMEO)", |bout| {
        udp(bout, Some(Duration::from_millis(4)), |socket, datagram| socket.recv_or_stop(datagram))
    }),
    Call::new("send, recv_from (Unix datagram)", |bout| {
        unix(
            bout,
            |socket, datagram| socket.send_or_stop(datagram),
            |socket, datagram| Ok(socket.recv_from_or_stop(datagram)?.map(|(length, _)| length)),
        )
    }),
];

/// The numbers that have come: the next, and what is counted of them.
#[derive(Default)]
struct Series {
    next: AtomicU64,
    /// Left out; the kernel may have dropped them.
    gaps: AtomicU64,
    /// Came again, or late.
    again: AtomicU64,
}

impl Series {
    fn enter(&self, datagram: [u8; 8]) {
        let (number, next) = (u64::from_ne_bytes(datagram), self.next());
        if number < next {
            self.again.fetch_add(1, Ordering::Relaxed);
        } else {
            self.gaps.fetch_add(number - next, Ordering::Relaxed);
            self.next.store(number + 1, Ordering::Relaxed);
        }
    }

    fn next(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    fn received(&self) -> u64 {
        self.next() - self.gaps.load(Ordering::Relaxed)
    }

    fn balance(&self, bout: &mut Bout, sent: u64, dropped: u64) {
        bout.tally.effects += self.received();
        bout.balance("datagrams", sent, self.received() + dropped);
        bout.balance("datagrams that came again", 0, self.again.load(Ordering::Relaxed));
    }
}

/// One receiver, fed by the controller.
struct Flow {
    receiver: Arc<UdpSocket>,
    sender: UdpSocket,
    sent: u64,
    series: Arc<Series>,
}

impl Flow {
    fn new(timeout: Option<Duration>) -> io::Result<Flow> {
        let receiver = UdpSocket::bind("127.0.0.1:0")?;
        receiver.set_read_timeout(timeout)?;
        let sender = UdpSocket::bind("127.0.0.1:0")?;
        sender.connect(receiver.local_addr()?)?;
        receiver.connect(sender.local_addr()?)?;
        Ok(Flow { receiver: Arc::new(receiver), sender, sent: 0, series: Arc::default() })
    }

    fn send(&mut self) -> io::Result<()> {
        // The queue never holds many: loopback drops what does not fit.
        if self.sent - self.series.next() < 16 {
            self.sender.send(&self.sent.to_ne_bytes())?;
            self.sent += 1;
        }
        Ok(())
    }
}

pub(super) fn udp(
    bout: &mut Bout,
    timeout: Option<Duration>,
    receive: fn(&UdpSocket, &mut [u8; 8]) -> Outcome<usize>,
) -> io::Result<()> {
    let mut flows = [Flow::new(timeout)?, Flow::new(timeout)?, Flow::new(timeout)?];
    while bout.goes_on() {
        let mut targets = Vec::new();
        for flow in &flows {
            let (socket, series) = (Arc::clone(&flow.receiver), Arc::clone(&flow.series));
            targets.push(bout.start(move |aside| {
                let mut datagram = [0; 8];
                while let Ok(result) = receive(&socket, &mut datagram) {
                    match result {
                        Ok(_) => series.enter(datagram),
                        Err(error)
                            if timeout.is_some() && error.kind() == ErrorKind::WouldBlock => {}
                        Err(error) => return Err(error),
                    }
                    aside.look();
                }
                Ok(())
            }));
        }
        for _ in 0..bout.random.u8(0..12) {
            bout.pause();
            let flow = bout.random.usize(0..flows.len());
            flows[flow].send()?;
        }
        bout.stop_all(targets);
    }
    if bout.gave_up() {
        return Ok(());
    }
    for flow in flows {
        flow.receiver.set_nonblocking(true)?;
        let mut datagram = [0; 8];
        while flow.receiver.recv(&mut datagram).is_ok() {
            flow.series.enter(datagram);
        }
        flow.series.balance(bout, flow.sent, dropped(&flow.receiver)?);
    }
    Ok(())
}

/// How many datagrams the kernel has dropped at this socket, for want of room
/// (`SO_MEMINFO`): a busy machine does, on loopback too.
fn dropped(socket: &UdpSocket) -> io::Result<u64> {
    const SO_MEMINFO: i32 = 55;
    const DROPS: usize = 8;
    let mut info = [0_u32; DROPS + 1];
    let mut length = libc::socklen_t::try_from(size_of_val(&info)).expect("it is short");
    // SAFETY: a buffer of that length.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_MEMINFO,
            (&raw mut info).cast(),
            &raw mut length,
        )
    };
    if result == 0 { Ok(info[DROPS].into()) } else { Err(io::Error::last_os_error()) }
}

/// Both ends are stopped: the queue is short, so the sender waits as well.
pub(super) fn unix(
    bout: &mut Bout,
    put: fn(&UnixDatagram, &[u8; 8]) -> Outcome<usize>,
    receive: fn(&UnixDatagram, &mut [u8; 8]) -> Outcome<usize>,
) -> io::Result<()> {
    let (sender, receiver) = UnixDatagram::pair()?;
    let (sender, receiver) = (Arc::new(sender), Arc::new(receiver));
    let (sent, series) = (Arc::new(AtomicU64::new(0)), Arc::<Series>::default());
    while bout.goes_on() {
        let mut targets = Vec::new();
        let alone = bout.random.u8(0..6);
        if alone != 0 {
            let (sender, sent) = (Arc::clone(&sender), Arc::clone(&sent));
            targets.push(bout.start(move |aside| {
                loop {
                    let number = sent.load(Ordering::Relaxed);
                    let Ok(result) = put(&sender, &number.to_ne_bytes()) else {
                        return Ok(());
                    };
                    result?;
                    sent.store(number + 1, Ordering::Relaxed);
                    aside.look();
                }
            }));
        }
        if alone != 1 {
            let (receiver, series) = (Arc::clone(&receiver), Arc::clone(&series));
            targets.push(bout.start(move |aside| {
                let mut datagram = [0; 8];
                while let Ok(result) = receive(&receiver, &mut datagram) {
                    result?;
                    series.enter(datagram);
                    aside.look();
                }
                Ok(())
            }));
        }
        bout.stop_all(targets);
    }
    if bout.gave_up() {
        return Ok(());
    }
    receiver.set_nonblocking(true)?;
    let mut datagram = [0; 8];
    while receiver.recv(&mut datagram).is_ok() {
        series.enter(datagram);
    }
    // A datagram sent by a call that said it was stopped comes twice: the next
    // thread sends the same number.
    series.balance(bout, sent.load(Ordering::Relaxed), 0);
    Ok(())
}
