//! Writing into what is full.

use super::ends::{Reaped, Shared, fifo, fill, pattern, piped, shell, terminal, unix};
use super::stream::keeping;
use super::{AN_HOUR, Case, Fixture, Moved, Outcome, Progress, expect, until_not_interrupted};
use libc::{SYS_sendto, SYS_write};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use std::fs::File;
use std::io::{self, IoSlice, PipeWriter, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread;
use stopruntime::expansion::{Descriptor as _, Ready};
use stopruntime::ext::WriteOrStop;

pub(super) const CASES: &[Case] = &[
    Case::new("TcpStream::write", &[SYS_sendto], || writing(narrow_tcp()?, SHORT, write)),
    Case::new("TcpStream::write (write timeout)", &[SYS_sendto], || {
        let (reader, writer) = narrow_tcp()?;
        writer.set_write_timeout(Some(AN_HOUR))?;
        writing((reader, writer), SHORT, |writer, data| {
            until_not_interrupted(|| write(writer, data))
        })
    }),
    Case::new("TcpStream::write_vectored", &[SYS_write], || {
        writing(narrow_tcp()?, SHORT, write_vectored)
    }),
    Case::new("Write::write_all (TcpStream)", &[SYS_sendto], || {
        writing(narrow_tcp()?, LONG, write_all)
    })
    .with_progress(Progress::Some),
    Case::new("UnixStream::write", &[SYS_sendto], || writing(unix()?, SHORT, write)),
    Case::new("UnixStream::write_vectored", &[SYS_write], || {
        writing(unix()?, SHORT, write_vectored)
    }),
    Case::new("Write::write_all (UnixStream)", &[SYS_sendto], || writing(unix()?, LONG, write_all))
        .with_progress(Progress::Some),
    Case::new("File::write (FIFO)", &[SYS_write], || writing(fifo()?, SHORT, write)),
    Case::new("Write::write_all (FIFO)", &[SYS_write], || writing(fifo()?, LONG, write_all))
        .with_progress(Progress::Some),
    Case::new("Write::write_all (terminal)", &[SYS_write], || {
        writing(terminal()?, LONG, write_all)
    })
    .with_progress(Progress::Some)
    .not_counted_under_signals(),
    Case::new("PipeWriter::write", &[SYS_write], || writing(io::pipe()?, SHORT, write)),
    Case::new("PipeWriter::write_vectored", &[SYS_write], || {
        writing(io::pipe()?, SHORT, write_vectored)
    }),
    Case::new("Write::write_all (PipeWriter)", &[SYS_write], || {
        writing(io::pipe()?, LONG, write_all)
    })
    .with_progress(Progress::Some),
    Case::new("ChildStdin::write", &[SYS_write], || into_child(SHORT, write)),
    Case::new("Write::write_all (ChildStdin)", &[SYS_write], || into_child(LONG, write_all))
        .with_progress(Progress::Some),
];

/// Fits into one write and is put behind a full buffer.
const SHORT: usize = 11;
/// Is more than any buffer here takes; is put into an empty one.
pub(super) const LONG: usize = 1 << 20;

/// What a writer can be besides.
pub(super) trait Writer: WriteOrStop + AsFd + Send + 'static {}
impl Writer for TcpStream {}
impl Writer for UnixStream {}
impl Writer for File {}
impl Writer for PipeWriter {}
impl Writer for std::process::ChildStdin {}

/// A writing call. The feed empties the other end, until the writer is gone.
pub(super) fn writing<R, W>(
    (reader, mut writer): (R, W),
    length: usize,
    mut call: impl FnMut(&mut W, &[u8]) -> Outcome + Send + 'static,
) -> io::Result<Fixture>
where
    R: Read + AsFd + Send + 'static,
    W: Writer,
{
    let mut whole = if length == SHORT { fill(&reader, &mut writer)? } else { Vec::new() };
    let message: Vec<u8> = pattern(b'A'..=b'Z', length);
    whole.extend_from_slice(&message);
    let writer = Shared::new(writer);
    let plain = writer.clone();
    let (rest, expected) = (message.clone(), written(length));
    let emptied = Shared::new(None);
    let emptying = emptied.clone();
    Ok(Fixture {
        marked: Box::new(move || call(&mut writer.lock(), &message)),
        feed: Box::new(move || {
            *emptying.lock() = Some(thread::spawn(move || {
                let mut reader = reader;
                let mut all = Vec::new();
                reader.read_to_end(&mut all).map(|_| all)
            }));
            Ok(expected)
        }),
        plain: Box::new(move |Moved { progress, .. }| {
            plain.lock().write_all(&rest[progress..])?;
            Ok(written(rest.len()))
        }),
        verify: Box::new(move |_| {
            let reader = emptied.lock().take().expect("fed before");
            let all = reader.join().expect("reading does not panic")?;
            expect(all == whole, || {
                format!("the peer read {} bytes of {}, or others", all.len(), whole.len())
            })
        }),
        keep: Box::new(()),
    })
}

fn written(length: usize) -> String {
    format!("{length} bytes")
}

pub(super) fn write<W: WriteOrStop>(writer: &mut W, data: &[u8]) -> Outcome {
    Outcome::of(writer.write_or_stop(data), |length| Ok(written(length)))
}

fn write_vectored<W: WriteOrStop>(writer: &mut W, data: &[u8]) -> Outcome {
    let (head, tail) = data.split_at(data.len() / 2);
    let slices = [IoSlice::new(head), IoSlice::new(tail)];
    Outcome::of(writer.write_vectored_or_stop(&slices), |length| Ok(written(length)))
}

fn write_all<W: WriteOrStop>(writer: &mut W, data: &[u8]) -> Outcome {
    Outcome::of(writer.write_all_or_stop(data), |()| Ok(written(data.len())))
}

/// With buffers of a fixed size: those that grow by themselves would take more
/// after they had been full.
pub(super) fn narrow_tcp() -> io::Result<(TcpStream, TcpStream)> {
    const SIZE: usize = 16 << 10;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    // Before the connection, whose window is made from it (tcp(7)).
    socket2::SockRef::from(&listener).set_recv_buffer_size(SIZE)?;
    let writer = TcpStream::connect(listener.local_addr()?)?;
    socket2::SockRef::from(&writer).set_send_buffer_size(SIZE)?;
    Ok((listener.accept()?.0, writer))
}

/// Into a child that has been made to pause: the feed lets it go on, and reads
/// what it repeats.
fn into_child(
    length: usize,
    call: fn(&mut std::process::ChildStdin, &[u8]) -> Outcome,
) -> io::Result<Fixture> {
    let mut child = Reaped(shell("exec cat")?);
    let ends = (piped(child.0.stdout.take())?, piped(child.0.stdin.take())?);
    let pid = Pid::from_child(&child.0);
    kill_process(pid, Signal::STOP)?;
    // Until it has paused it might still read.
    waitpid(Some(pid), WaitOptions::UNTRACED)?;
    let fixture = writing(ends, length, call)?;
    let feed = fixture.feed;
    let feed = Box::new(move || {
        kill_process(pid, Signal::CONT)?;
        feed()
    });
    Ok(keeping(Fixture { feed, ..fixture }, child))
}

/// The wait of `#[blocking(writable)]`, then the plain call.
pub(super) fn when_writable() -> io::Result<Fixture> {
    writing(io::pipe()?, SHORT, |writer: &mut PipeWriter, data: &[u8]| {
        match (&&&Ready(writer)).writable() {
            Ok(()) => Outcome::of(Ok(writer.write(data)), |length| Ok(written(length))),
            Err(stopped) => Outcome::of(Err::<io::Result<()>, _>(stopped), |()| unreachable!()),
        }
    })
}
