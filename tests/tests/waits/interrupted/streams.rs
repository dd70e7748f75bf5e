//! Calls made of several: each single one may be interrupted.

use super::goes_on;
use std::io::{BufRead, BufReader, PipeReader, Read, Write, pipe};
use stopruntime::expansion::NextOrStop;
use stopruntime::ext::{BufReadOrStop, ReadOrStop, WriteOrStop};
use stopruntime::{Stoppable, Stopped, stoppable};

/// A reading call; fed with the rest of a line, and the end.
fn reads(name: &str, call: fn(PipeReader) -> Result<Vec<u8>, Stopped>) {
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"early ").unwrap();
    goes_on(
        name,
        move || call(reader).map(|bytes| String::from_utf8(bytes).unwrap()),
        || {
            writer.write_all(b"and late\n").unwrap();
            drop(writer);
            "early and late\n"
        },
    );
}

pub(super) fn read() {
    reads("read_exact", |mut reader| {
        let mut bytes = vec![0; 15];
        reader.read_exact_or_stop(&mut bytes)?.unwrap();
        Ok(bytes)
    });
    reads("read_to_end", |mut reader| {
        let mut bytes = Vec::new();
        reader.read_to_end_or_stop(&mut bytes)?.unwrap();
        Ok(bytes)
    });
    reads("bytes", |reader| {
        #[stoppable(break)]
        fn all(reader: PipeReader) -> Vec<u8> {
            let mut bytes = Vec::new();
            #[blocking]
            for byte in reader.bytes() {
                bytes.push(byte.unwrap());
            }
            bytes
        }
        Ok(all(reader))
    });
}

pub(super) fn read_buffered() {
    reads("read_until", |reader| {
        let mut bytes = Vec::new();
        BufReader::new(reader).read_until_or_stop(b'\n', &mut bytes)?.unwrap();
        Ok(bytes)
    });
    reads("read_until of a Stoppable", |reader| {
        let mut bytes = Vec::new();
        BufReader::new(Stoppable::new(reader)).read_until(b'\n', &mut bytes).unwrap();
        Ok(bytes)
    });
    reads("lines", |reader| {
        let mut lines = BufReader::new(reader).lines_or_stop();
        let mut bytes = Vec::new();
        while let Some(line) = lines.next_or_stop()? {
            bytes.extend(line.unwrap().bytes().chain([b'\n']));
        }
        Ok(bytes)
    });
}

/// More than a pipe holds; fed by a reader.
pub(super) fn write() {
    const MUCH: usize = 1 << 20;
    let (mut reader, mut writer) = pipe().unwrap();
    goes_on(
        "write_all",
        move || {
            writer.write_all_or_stop(&vec![b'x'; MUCH])?.unwrap();
            Ok("written".into())
        },
        || {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).unwrap();
            assert_eq!(bytes.len(), MUCH);
            "written"
        },
    );
}
