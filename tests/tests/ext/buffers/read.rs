//! What is read through a buffer, up to a limit, from a chain, from memory.

#![allow(clippy::items_after_statements, reason = "what one test alone needs stands in it")]

use super::{READS, file, panics};
use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Cursor, IoSlice, IoSliceMut, Read, Seek, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use stop_tests::per_backend;
use stop_tests::started::start;
use stopruntime::ext::{BufReadOrStop, FillBufOrStop, ReadOrStop, WriteOrStop, copy_or_stop};
use stopruntime::{Stoppable, Stopped};

/// A reader that says that it has read one byte more than there is room for.
struct Lying;

impl Read for Lying {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(buffer.len() + 1)
    }
}

impl ReadOrStop for Lying {
    fn seeks(&self) -> bool {
        false
    }

    fn read_or_stop(&mut self, buffer: &mut [u8]) -> Result<io::Result<usize>, Stopped> {
        Ok(self.read(buffer))
    }

    fn ready_or_stop(&self) -> Result<io::Result<()>, Stopped> {
        Ok(Ok(()))
    }
}

const TEXT: &[u8] = b"0123456789abcdefghijklmnopqrstuv";

/// Reads past the buffer, and steps back into what was read before.
fn steps_back<R: Read + Seek>(
    stream: R,
    read: impl FnOnce(&mut BufReader<R>, &mut [u8]) -> usize,
) -> [u8; 2] {
    let mut reader = BufReader::with_capacity(4, stream);
    reader.fill_buf().unwrap();
    reader.consume(4);
    assert_eq!(read(&mut reader, &mut [0; 8]), 8);
    reader.seek_relative(-2).unwrap();
    let mut back = [0; 2];
    reader.read_exact(&mut back).unwrap();
    back
}

/// The same reads, plain and stop-checked, of two readers that are alike.
fn same_reads<R: Read + ReadOrStop>(what: &str, make: impl Fn() -> R) {
    let [mut plain, mut marked] = [make(), make()];
    let (mut one, mut two) = ([[0; 2], [0; 2]], [[0; 2], [0; 2]]);
    let [first, second] = &mut one;
    let read = plain.read_vectored(&mut [IoSliceMut::new(first), IoSliceMut::new(second)]);
    let [first, second] = &mut two;
    let mut parts = [IoSliceMut::new(first), IoSliceMut::new(second)];
    let stop_checked = marked.read_vectored_or_stop(&mut parts).unwrap();
    assert_eq!((stop_checked.unwrap(), two), (read.unwrap(), one), "{what}, vectored");
    let (mut one, mut two) = ([0; 3], [0; 3]);
    let read = plain.read_exact(&mut one).map_err(|error| error.kind());
    let stop_checked = marked.read_exact_or_stop(&mut two).unwrap().map_err(|error| error.kind());
    assert_eq!((stop_checked, two), (read, one), "{what}, exactly");
    let (mut one, mut two) = (String::from("text"), String::from("text"));
    let read = plain.read_to_string(&mut one).map_err(|error| error.kind());
    let stop_checked = marked.read_to_string_or_stop(&mut two).unwrap();
    assert_eq!((stop_checked.map_err(|error| error.kind()), two), (read, one), "{what}, a string");
    let (mut one, mut two) = (vec![7], vec![7]);
    let read = plain.read_to_end(&mut one).map_err(|error| error.kind());
    let stop_checked = marked.read_to_end_or_stop(&mut two).unwrap();
    assert_eq!((stop_checked.map_err(|error| error.kind()), two), (read, one), "{what}, the rest");
}

/// Lines and a text that is none: what is refused stays where it is.
const NO_TEXT: &[u8] = b"0123456\n89\xff and more";

per_backend! {
    fn a_read_past_a_buffer_makes_it_forget() {
        let plain = steps_back(Cursor::new(TEXT), |reader, buffer| reader.read(buffer).unwrap());
        assert_eq!(&plain, b"ab");
        type Way<R> = fn(&mut BufReader<R>, &mut [u8]) -> usize;
        fn ways<R: ReadOrStop>() -> [Way<R>; 4] {
            [
                |reader, buffer| reader.read_or_stop(buffer).unwrap().unwrap(),
                |mut reader, buffer| (&mut reader).read_or_stop(buffer).unwrap().unwrap(),
                |reader, buffer| {
                    reader.read_exact_or_stop(buffer).unwrap().unwrap();
                    buffer.len()
                },
                |reader, buffer| {
                    let (first, second) = buffer.split_at_mut(2);
                    let mut parts = [IoSliceMut::new(first), IoSliceMut::new(second)];
                    reader.read_vectored_or_stop(&mut parts).unwrap().unwrap()
                },
            ]
        }
        for way in ways() {
            assert_eq!(steps_back(Cursor::new(TEXT), way), plain);
        }
        for way in ways() {
            assert_eq!(steps_back(file(TEXT), way), plain);
        }
        for way in ways() {
            assert_eq!(steps_back(Stoppable::new(file(TEXT)), way), plain);
        }
        for way in ways() {
            assert_eq!(steps_back(Box::new(Cursor::new(TEXT)), way), plain);
        }
    }

    fn a_reader_that_lies_panics_as_with_std() {
        let mut taken = Lying.take(4);
        assert_eq!(panics(|| taken.read_or_stop(&mut [0; 4])), panics(|| Lying.take(4).read(&mut [0; 4])));
        assert_eq!(taken.limit(), 4);
        panics(|| Lying.read_exact_or_stop(&mut [0; 4]));
        let mut buffer = vec![1];
        panics(|| Lying.read_to_end_or_stop(&mut buffer));
        assert_eq!(buffer, [1]);
        panics(|| copy_or_stop(&mut Lying.take(4), &mut io::sink()));
        panics(|| copy_or_stop(&mut Lying, &mut io::sink()));
    }

    fn memory_is_read_and_written_as_by_std() {
        for bytes in [TEXT, NO_TEXT, b"", b"short"] {
            same_reads("&[u8]", || bytes);
            same_reads("Cursor", || Cursor::new(bytes));
            same_reads("Empty", io::empty);
            same_reads("&mut &[u8]", || Box::new(bytes));
            same_reads("BufReader", || BufReader::with_capacity(3, Cursor::new(bytes)));
            same_reads("Chain", || (&bytes[..bytes.len() / 2]).chain(&bytes[bytes.len() / 2..]));
            same_reads("Take", || Cursor::new(bytes).take(9));
            // In two pieces, as a queue that has gone round is.
            same_reads("VecDeque", || {
                let mut queue = VecDeque::with_capacity(bytes.len() + 1);
                queue.extend([0; 3].iter().chain(bytes).take(bytes.len()));
                let gone = bytes.len().min(3);
                queue.drain(..gone);
                queue.extend(&bytes[bytes.len() - gone..]);
                queue
            });
        }
        let parts = [IoSlice::new(b"one"), IoSlice::new(b""), IoSlice::new(b"two")];
        let (mut vector, mut queue, mut room) = (Vec::new(), VecDeque::new(), [0; 5]);
        assert_eq!(vector.write_vectored_or_stop(&parts).unwrap().unwrap(), 6);
        assert_eq!(queue.write_vectored_or_stop(&parts).unwrap().unwrap(), 6);
        assert_eq!((&mut room[..]).write_vectored_or_stop(&parts).unwrap().unwrap(), 5);
        assert_eq!((vector.as_slice(), queue.make_contiguous() as &[u8], &room[..]), (&b"onetwo"[..], &b"onetwo"[..], &b"onetw"[..]));
        assert_eq!(Cursor::new(&mut room[..]).write_vectored_or_stop(&parts).unwrap().unwrap(), 5);
        assert_eq!(io::sink().write_vectored_or_stop(&parts).unwrap().unwrap(), 6);
        assert_eq!((&io::sink()).write_vectored_or_stop(&parts).unwrap().unwrap(), 6);
        assert_eq!(io::empty().write_vectored_or_stop(&parts).unwrap().unwrap(), 6);

        let mut sevens = [0; 4];
        io::repeat(7).read_exact_or_stop(&mut sevens).unwrap().unwrap();
        assert_eq!(sevens, [7; 4]);
        let mut copy = Vec::new();
        assert_eq!(copy_or_stop(&mut io::repeat(7).take(100_000), &mut copy).unwrap().unwrap(), 100_000);
        assert!(copy.iter().all(|byte| *byte == 7));
        let mut rest = &b"skipped, and kept"[..];
        assert_eq!(rest.skip_until_or_stop(b',').unwrap().unwrap(), 8);
        assert_eq!(rest, b" and kept");
    }

    fn a_limit_stays_where_it_begins() {
        let (mut plain, mut marked) = (Cursor::new(TEXT).take(9), Cursor::new(TEXT).take(9));
        plain.read_exact(&mut [0; 4]).unwrap();
        marked.read_exact_or_stop(&mut [0; 4]).unwrap().unwrap();
        // A `Take` that seeks has a field for it.
        assert_eq!(format!("{marked:?}"), format!("{plain:?}"));
        let (mut plain, mut marked) = (Stoppable::new(file(TEXT)).take(9), file(TEXT).take(9));
        assert_eq!(plain.read(&mut [0; 20]).unwrap(), 9);
        assert_eq!(marked.read_or_stop(&mut [0; 20]).unwrap().unwrap(), 9);
        assert_eq!(marked.limit(), plain.limit());
    }

    fn a_vector_that_is_large_enough_is_not_enlarged() {
        let (mut plain, mut marked) = (Vec::with_capacity(40), Vec::with_capacity(40));
        let text = [TEXT, &TEXT[..8]].concat();
        file(&text).take(40).read_to_end(&mut plain).unwrap();
        file(&text).read_to_end_or_stop(&mut marked).unwrap().unwrap();
        assert_eq!((&marked, marked.capacity()), (&plain, 40));
    }

    fn a_chain_does_not_go_back() {
        let mut first = file(b"first, ");
        let (second, mut other) = UnixStream::pair().unwrap();
        other.write_all(b"second").unwrap();
        let reader = first.try_clone().unwrap();
        let mut chain = Stoppable::new(reader).chain(Stoppable::new(second));
        let mut all = [0; 10];
        chain.read_exact_or_stop(&mut all).unwrap().unwrap();
        assert_eq!(&all, b"first, sec");
        first.write_all(b"too late").unwrap();
        first.rewind().unwrap();
        let reads = start(move || {
            let mut rest = Vec::new();
            let stopped = chain.read_to_end_or_stop(&mut rest);
            (stopped, rest, chain)
        });
        reads.wait_until_at_rest_in(&READS);
        let (stopped, rest, mut chain) = reads.stopped();
        assert_eq!((stopped.unwrap_err().progress(), &rest[..]), (3, &b"ond"[..]));
        other.write_all(b", all of it").unwrap();
        other.shutdown(Shutdown::Write).unwrap();
        let mut rest = Vec::new();
        assert_eq!(chain.read_to_end_or_stop(&mut rest).unwrap().unwrap(), 11);
        assert_eq!(rest, b", all of it");
        let mut lines = (&b"a\nb"[..]).chain(BufReader::new(Stoppable::new(&first)));
        let mut line = Vec::new();
        assert_eq!(lines.fill_buf_or_stop().unwrap().unwrap(), b"a\nb");
        lines.read_until_or_stop(b'\n', &mut line).unwrap().unwrap();
        lines.read_until_or_stop(b',', &mut line).unwrap().unwrap();
        assert_eq!(line, b"a\nbfirst,");
    }

    fn a_stoppable_file_has_a_position() {
        let mut file = Stoppable::new(file(TEXT));
        assert_eq!(file.seek(io::SeekFrom::End(-2)).unwrap(), 30);
        let mut end = String::new();
        file.read_to_string(&mut end).unwrap();
        assert_eq!((end.as_str(), file.stream_position().unwrap()), ("uv", 32));
    }
}
