//! Reading from sockets, FIFOs, pipes and children.

use super::ends::{Reaped, Shared, fifo, piped, shell, tcp, unix};
use super::{
    AN_HOUR, Case, EARLY, Fixture, MESSAGE, Moved, Outcome, Progress, TakenBy, expect, text,
    until_not_interrupted,
};
use core::any::Any;
use libc::{SYS_read, SYS_recvfrom};
use std::io::{self, IoSliceMut, Read, Write};
use std::net::TcpStream;
use stopruntime::ext::{PeekOrStop, ReadOrStop};

const SO_FAR: Progress = Progress::Exactly(EARLY);

pub(super) const CASES: &[Case] = &[
    Case::new("TcpStream::read", &[SYS_recvfrom], || reading(tcp()?, 0, read)),
    Case::new("TcpStream::read (read timeout)", &[SYS_recvfrom], || {
        let (reader, writer) = tcp()?;
        reader.set_read_timeout(Some(AN_HOUR))?;
        reading((reader, writer), 0, |reader| until_not_interrupted(|| read(reader)))
    }),
    Case::new("TcpStream::read_vectored", &[SYS_read], || reading(tcp()?, 0, read_vectored)),
    Case::new("TcpStream::peek", &[SYS_recvfrom], || Ok(left_there(reading(tcp()?, 0, peek)?))),
    Case::new("Read::read_exact (TcpStream)", &[SYS_recvfrom], || {
        reading(tcp()?, EARLY, read_exact)
    })
    .with_progress(SO_FAR),
    Case::new("Read::read_to_end (TcpStream)", &[SYS_recvfrom], || {
        reading(tcp()?, EARLY, read_to_end)
    })
    .with_progress(SO_FAR),
    Case::new("Read::read_to_string (TcpStream)", &[SYS_recvfrom], || {
        reading(tcp()?, EARLY, read_to_string)
    })
    .with_progress(SO_FAR),
    Case::new("UnixStream::read", &[SYS_recvfrom], || reading(unix()?, 0, read)),
    Case::new("UnixStream::read_vectored", &[SYS_read], || reading(unix()?, 0, read_vectored)),
    Case::new("Read::read_exact (UnixStream)", &[SYS_recvfrom], || {
        reading(unix()?, EARLY, read_exact)
    })
    .with_progress(SO_FAR),
    Case::new("Read::read_to_end (UnixStream)", &[SYS_recvfrom], || {
        reading(unix()?, EARLY, read_to_end)
    })
    .with_progress(SO_FAR),
    Case::new("Read::read_to_string (UnixStream)", &[SYS_recvfrom], || {
        reading(unix()?, EARLY, read_to_string)
    })
    .with_progress(SO_FAR),
    Case::new("File::read (FIFO)", &[SYS_read], || reading(fifo()?, 0, read)),
    Case::new("File::read_vectored (FIFO)", &[SYS_read], || reading(fifo()?, 0, read_vectored)),
    Case::new("Read::read_to_end (FIFO)", &[SYS_read], || reading(fifo()?, EARLY, read_to_end))
        .with_progress(SO_FAR),
    Case::new("PipeReader::read", &[SYS_read], || reading(io::pipe()?, 0, read)),
    Case::new("Read::read_exact (PipeReader)", &[SYS_read], || {
        reading(io::pipe()?, EARLY, read_exact)
    })
    .with_progress(SO_FAR),
    Case::new("ChildStdout::read", &[SYS_read], || {
        let mut child = Reaped(shell("exec cat")?);
        let ends = (piped(child.0.stdout.take())?, piped(child.0.stdin.take())?);
        Ok(keeping(reading(ends, 0, read)?, child))
    }),
    Case::new("ChildStderr::read", &[SYS_read], || {
        let mut child = Reaped(shell("exec cat >&2")?);
        let ends = (piped(child.0.stderr.take())?, piped(child.0.stdin.take())?);
        Ok(keeping(reading(ends, 0, read)?, child))
    }),
];

/// A reading call. `early` bytes are there before it begins; the feed brings
/// the rest and the end.
pub(super) fn reading<R, W>(
    (reader, mut writer): (R, W),
    early: usize,
    mut call: impl FnMut(&mut R) -> Outcome + Send + 'static,
) -> io::Result<Fixture>
where
    R: Read + Send + 'static,
    W: Write + Send + 'static,
{
    writer.write_all(&MESSAGE[..early])?;
    let reader = Shared::new(reader);
    let (plain, end) = (reader.clone(), reader.clone());
    Ok(Fixture {
        marked: Box::new(move || call(&mut reader.lock())),
        feed: Box::new(move || {
            // Consumed and so closed: the reader sees the end.
            let mut writer = writer;
            writer.write_all(&MESSAGE[early..])?;
            Ok(text(MESSAGE))
        }),
        plain: Box::new(move |Moved { mut taken, .. }| {
            let mut rest = vec![0; MESSAGE.len().saturating_sub(taken.len())];
            plain.lock().read_exact(&mut rest)?;
            taken.extend(rest);
            Ok(text(&taken))
        }),
        verify: Box::new(move |_| {
            let mut more = Vec::new();
            end.lock().read_to_end(&mut more)?;
            expect(more.is_empty(), || format!("{:?} was left over", text(&more)))
        }),
        keep: Box::new(()),
    })
}

/// For calls that look and do not take.
fn left_there(fixture: Fixture) -> Fixture {
    let Fixture { marked, feed, plain, verify, keep } = fixture;
    let plain = Shared::new(Some(plain));
    let after = plain.clone();
    Fixture {
        marked,
        feed,
        plain: Box::new(move |moved| plain.lock().take().expect("made once")(moved)),
        verify: Box::new(move |taken_by| {
            if taken_by == TakenBy::Marked {
                let seen = after.lock().take().expect("not made yet")(Moved::default())?;
                expect(seen == text(MESSAGE), || format!("{seen:?} was left there"))?;
            }
            verify(taken_by)
        }),
        keep,
    }
}

pub(super) fn keeping(fixture: Fixture, keep: impl Any + Send) -> Fixture {
    Fixture { keep: Box::new(keep), ..fixture }
}

pub(super) fn read<R: ReadOrStop>(reader: &mut R) -> Outcome {
    let mut buffer = [0; 64];
    let result = reader.read_or_stop(&mut buffer);
    Outcome::of(result, |length| Ok(text(&buffer[..length])))
}

fn read_vectored<R: ReadOrStop>(reader: &mut R) -> Outcome {
    let (mut head, mut tail) = ([0; EARLY], [0; 64]);
    let mut buffers = [IoSliceMut::new(&mut head), IoSliceMut::new(&mut tail)];
    let result = reader.read_vectored_or_stop(&mut buffers);
    Outcome::of(result, |length| Ok(text(&[&head[..], &tail].concat()[..length])))
}

fn peek(stream: &mut TcpStream) -> Outcome {
    let mut buffer = [0; 64];
    let result = stream.peek_or_stop(&mut buffer);
    Outcome::of(result, |length| Ok(text(&buffer[..length])))
}

pub(super) fn read_exact<R: ReadOrStop>(reader: &mut R) -> Outcome {
    let mut buffer = [0; MESSAGE.len()];
    let result = reader.read_exact_or_stop(&mut buffer);
    let progress = result.as_ref().err().map_or(0, stopruntime::Stopped::progress);
    Outcome::of_compound(result, |()| Ok(text(&buffer)), || buffer[..progress].to_vec())
}

pub(super) fn read_to_end<R: ReadOrStop>(reader: &mut R) -> Outcome {
    let mut buffer = Vec::new();
    let result = reader.read_to_end_or_stop(&mut buffer);
    Outcome::of_compound(result, |_| Ok(text(&buffer)), || buffer.clone())
}

fn read_to_string<R: ReadOrStop>(reader: &mut R) -> Outcome {
    let mut buffer = String::new();
    let result = reader.read_to_string_or_stop(&mut buffer);
    Outcome::of_compound(result, |_| Ok(text(buffer.as_bytes())), || buffer.clone().into_bytes())
}
