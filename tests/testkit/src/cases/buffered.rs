//! Reading through a buffer.

use super::ends::{tcp, unix};
use super::stream::reading;
use super::{Case, EARLY, Moved, Outcome, Progress, text};
use libc::SYS_recvfrom;
use std::io::{self, BufRead, BufReader, Read};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use stopruntime::expansion::NextOrStop;
use stopruntime::ext::{BufReadOrStop, FillBufOrStop};
use stopruntime::{Stoppable, is_stopped};

const SO_FAR: Progress = Progress::Exactly(EARLY);

pub(super) const CASES: &[Case] = &[
    Case::new("BufReader<TcpStream>::fill_buf", &[SYS_recvfrom], || {
        reading(buffered(tcp()?), 0, fill_buf)
    }),
    Case::new("BufReader<TcpStream>::read", &[SYS_recvfrom], || {
        reading(buffered(tcp()?), 0, super::stream::read)
    }),
    Case::new("BufReader<TcpStream>::read_line", &[SYS_recvfrom], || {
        reading(buffered(tcp()?), EARLY, read_line)
    })
    .with_progress(SO_FAR),
    Case::new("BufReader<TcpStream>::read_until", &[SYS_recvfrom], || {
        reading(buffered(tcp()?), EARLY, read_until)
    })
    .with_progress(SO_FAR),
    // The loop over `lines` drops the part of a line, so there is none.
    Case::new("BufReader<TcpStream>::lines", &[SYS_recvfrom], || {
        reading(buffered(tcp()?), 0, next_line)
    }),
    Case::new("BufReader<UnixStream>::read_line", &[SYS_recvfrom], || {
        reading(buffered(unix()?), EARLY, read_line)
    })
    .with_progress(SO_FAR),
    Case::new("BufReader<Stoppable<TcpStream>>::read_line", &[SYS_recvfrom], || {
        reading(stoppable(tcp()?), EARLY, read_line_as_it_is::<TcpStream>)
    })
    .with_progress(SO_FAR),
    Case::new("BufReader<Stoppable<UnixStream>>::read_line", &[SYS_recvfrom], || {
        reading(stoppable(unix()?), EARLY, read_line_as_it_is::<UnixStream>)
    })
    .with_progress(SO_FAR),
];

fn buffered<R: Read, W>((reader, writer): (R, W)) -> (BufReader<R>, W) {
    (BufReader::new(reader), writer)
}

fn stoppable<R, W>((reader, writer): (R, W)) -> (BufReader<Stoppable<R>>, W)
where
    Stoppable<R>: Read,
{
    (BufReader::new(Stoppable::new(reader)), writer)
}

fn fill_buf<R: FillBufOrStop>(reader: &mut R) -> Outcome {
    let mut length = 0;
    let result = reader.fill_buf_or_stop();
    let outcome = Outcome::of(result, |available| {
        length = available.len();
        Ok(text(available))
    });
    reader.consume(length);
    outcome
}

fn read_line<R: BufReadOrStop>(reader: &mut R) -> Outcome {
    let mut line = String::new();
    let result = reader.read_line_or_stop(&mut line);
    Outcome::of_compound(result, |_| Ok(text(line.as_bytes())), || line.clone().into_bytes())
}

fn read_until<R: BufReadOrStop>(reader: &mut R) -> Outcome {
    let mut bytes = Vec::new();
    let result = reader.read_until_or_stop(b'\n', &mut bytes);
    Outcome::of_compound(result, |_| Ok(text(&bytes)), || bytes.clone())
}

fn next_line<R: Read>(reader: &mut BufReader<R>) -> Outcome
where
    BufReader<R>: FillBufOrStop,
{
    of_next(NextOrStop::next_or_stop(&mut reader.lines_or_stop()))
}

/// What a loop over lines gets.
pub(super) fn of_next(next: Result<Option<io::Result<String>>, stopruntime::Stopped>) -> Outcome {
    let next = next.map(|line| line.unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into())));
    Outcome::of(next, Ok)
}

/// std's own `read_line`, to which the stop is an error.
fn read_line_as_it_is<S>(reader: &mut BufReader<Stoppable<S>>) -> Outcome
where
    Stoppable<S>: Read,
{
    let mut line = String::new();
    match reader.read_line(&mut line) {
        Ok(_) => Outcome::Completed(text(line.as_bytes())),
        Err(error) if is_stopped(&error) => {
            Outcome::Stopped(Moved { progress: line.len(), taken: line.into_bytes() })
        }
        Err(error) => Outcome::Failed(error),
    }
}
