//! Bytes through pipes and sockets: both ends are stopped and go on in another
//! thread, and what was read is what was written, byte for byte.

use super::Call;
use crate::aside::Aside;
use crate::bout::Bout;
use socket2::SockRef;
use std::io::{self, PipeWriter, Read};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use stopruntime::ext::{ReadOrStop, WriteOrStop};

pub(super) const CALLS: &[Call] = &[
    Call::new("read, write (pipe)", |bout| {
        let (reader, writer) = io::pipe()?;
        // A page: full soon, so that the writer waits as well.
        let _ = rustix::pipe::fcntl_setpipe_size(&reader, 4096);
        soak(
            bout,
            vec![Direction::new(reader.into(), writer.into())],
            |_writer: &PipeWriter| Ok(()),
        )
    }),
    Call::new("read, write (TCP)", |bout| {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let near = TcpStream::connect(listener.local_addr()?)?;
        let far = listener.accept()?.0;
        drop(listener);
        both_ways(bout, near, far, |end| end.shutdown(Shutdown::Write))
    }),
    Call::new("read, write (Unix stream)", |bout| {
        let (near, far) = UnixStream::pair()?;
        both_ways(bout, near, far, |end| end.shutdown(Shutdown::Write))
    }),
];

pub(super) fn both_ways<S: AsFd + Send + Sync + 'static>(
    bout: &mut Bout,
    near: S,
    far: S,
    finish: fn(&S) -> io::Result<()>,
) -> io::Result<()>
where
    for<'a> &'a S: ReadOrStop + WriteOrStop,
{
    for end in [&near, &far] {
        SockRef::from(end).set_send_buffer_size(8 * 1024)?;
        SockRef::from(end).set_recv_buffer_size(8 * 1024)?;
    }
    let (near, far) = (Arc::new(near), Arc::new(far));
    let there = Direction::new(Arc::clone(&far), Arc::clone(&near));
    let back = Direction::new(near, far);
    soak(bout, vec![there, back], finish)
}

/// How many bytes an end has moved, and their running checksum. One thread at a
/// time works at an end.
#[derive(Default)]
struct Ledger {
    bytes: AtomicU64,
    sum: AtomicU64,
}

impl Ledger {
    fn enter(&self, bytes: &[u8]) {
        let sum = bytes.iter().fold(self.sum.load(Ordering::Relaxed), |sum, byte| {
            (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        self.sum.store(sum, Ordering::Relaxed);
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    }

    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn sum(&self) -> u64 {
        self.sum.load(Ordering::Relaxed)
    }
}

/// One direction: its ends and their ledgers.
pub(super) struct Direction<R, W> {
    reader: Arc<R>,
    writer: Arc<W>,
    read: Arc<Ledger>,
    written: Arc<Ledger>,
}

impl<R, W> Direction<R, W> {
    pub(super) fn new(reader: Arc<R>, writer: Arc<W>) -> Direction<R, W> {
        Direction { reader, writer, read: Arc::default(), written: Arc::default() }
    }
}

const LONGEST: usize = 1024;

/// The byte at this place of the stream: its neighbours differ.
const fn byte_at(place: u64) -> u8 {
    (place.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

fn read_on<R>(end: &R, ledger: &Ledger, aside: &mut Aside) -> io::Result<()>
where
    for<'a> &'a R: ReadOrStop,
{
    let mut buffer = [0; LONGEST];
    loop {
        let length = aside.random().usize(1..LONGEST);
        let mut end = end;
        let Ok(result) = end.read_or_stop(&mut buffer[..length]) else { return Ok(()) };
        ledger.enter(&buffer[..result?]);
        aside.look();
    }
}

fn write_on<W>(end: &W, ledger: &Ledger, aside: &mut Aside) -> io::Result<()>
where
    for<'a> &'a W: WriteOrStop,
{
    let mut buffer = [0; LONGEST];
    loop {
        let length = aside.random().usize(1..LONGEST);
        let place = ledger.bytes();
        for (byte, place) in buffer[..length].iter_mut().zip(place..) {
            *byte = byte_at(place);
        }
        let mut end = end;
        let Ok(result) = end.write_or_stop(&buffer[..length]) else { return Ok(()) };
        ledger.enter(&buffer[..result?]);
        aside.look();
    }
}

pub(super) fn soak<R, W>(
    bout: &mut Bout,
    directions: Vec<Direction<R, W>>,
    finish: fn(&W) -> io::Result<()>,
) -> io::Result<()>
where
    R: Send + Sync + 'static,
    W: Send + Sync + 'static,
    for<'a> &'a R: ReadOrStop,
    for<'a> &'a W: WriteOrStop,
{
    while bout.goes_on() {
        let mut targets = Vec::new();
        for direction in &directions {
            // One of the ends alone, now and then: it blocks.
            let alone = bout.random.u8(0..6);
            if alone != 0 {
                let (end, ledger) = (Arc::clone(&direction.reader), Arc::clone(&direction.read));
                targets.push(bout.start(move |aside| read_on(&*end, &ledger, aside)));
            }
            if alone != 1 {
                let (end, ledger) = (Arc::clone(&direction.writer), Arc::clone(&direction.written));
                targets.push(bout.start(move |aside| write_on(&*end, &ledger, aside)));
            }
        }
        bout.stop_all(targets);
    }
    if bout.gave_up() {
        return Ok(());
    }
    for direction in &directions {
        finish(&direction.writer)?;
    }
    for Direction { reader, writer, read, written } in directions {
        // A pipe ends with its last writer.
        drop(writer);
        let mut buffer = [0; LONGEST];
        loop {
            let length = (&*reader).read(&mut buffer)?;
            if length == 0 {
                break;
            }
            read.enter(&buffer[..length]);
        }
        bout.tally.effects += written.bytes();
        bout.balance("bytes read", written.bytes(), read.bytes());
        if read.bytes() == written.bytes() && read.sum() != written.sum() {
            bout.tally.missing += 1;
            bout.tally.note("the bytes read are not the bytes written");
        }
    }
    Ok(())
}
