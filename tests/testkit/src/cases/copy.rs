//! Copying from what is empty, and into what is full.

use super::ends::{fifo, tcp, unix};
use super::stream::reading;
use super::write::{LONG, narrow_tcp, writing};
use super::{Case, EARLY, Outcome, Progress, text};
use libc::{SYS_ppoll, SYS_recvfrom, SYS_sendto, SYS_write};
use rustix::fs::{MemfdFlags, memfd_create};
use std::fs::File;
use std::io::{self, BufReader, Seek, Write};
use stopruntime::ext::{ReadOrStop, WriteOrStop, copy_or_stop};

const SO_FAR: Progress = Progress::Exactly(EARLY);

pub(super) const CASES: &[Case] = &[
    Case::new("io::copy (from TcpStream)", &[SYS_recvfrom], || reading(tcp()?, EARLY, from))
        .with_progress(SO_FAR),
    Case::new("io::copy (from UnixStream)", &[SYS_recvfrom], || reading(unix()?, EARLY, from))
        .with_progress(SO_FAR),
    Case::new("io::copy (from BufReader)", &[SYS_recvfrom], || {
        let (reader, writer) = tcp()?;
        reading((BufReader::new(reader), writer), EARLY, from)
    })
    .with_progress(SO_FAR),
    // Nothing takes from a pipe what may have to stay in it: the wait is one for
    // its being readable.
    Case::new("io::copy (from PipeReader)", &[SYS_ppoll], || reading(io::pipe()?, EARLY, from))
        .with_progress(SO_FAR),
    Case::new("io::copy (from FIFO)", &[SYS_ppoll], || reading(fifo()?, EARLY, from))
        .with_progress(SO_FAR),
    Case::new("io::copy (to TcpStream)", &[SYS_sendto], || writing(narrow_tcp()?, LONG, to))
        .with_progress(Progress::Some),
    Case::new("io::copy (to UnixStream)", &[SYS_sendto], || writing(unix()?, LONG, to))
        .with_progress(Progress::Some),
    Case::new("io::copy (to PipeWriter)", &[SYS_write], || writing(io::pipe()?, LONG, to))
        .with_progress(Progress::Some),
];

fn from<R: ReadOrStop>(reader: &mut R) -> Outcome {
    let mut copy = Vec::new();
    let result = copy_or_stop(reader, &mut copy);
    Outcome::of_compound(result, |_| Ok(text(&copy)), || copy.clone())
}

/// From a file with this in it; one in memory, so that it is gone at once.
fn to<W: WriteOrStop>(writer: &mut W, data: &[u8]) -> Outcome {
    let file = || {
        let mut file = File::from(memfd_create("copied", MemfdFlags::CLOEXEC)?);
        file.write_all(data)?;
        file.rewind()?;
        Ok(file)
    };
    match file() {
        Ok(mut file) => {
            Outcome::of(copy_or_stop(&mut file, writer), |length| Ok(format!("{length} bytes")))
        }
        Err(error) => Outcome::Failed(error),
    }
}
