//! What stands between a caller and a stream, or in place of one, does under a
//! mark what std's own does: buffers, lines, limits, chains, memory. And what a
//! buffer holds when a stop comes is not lost.

#![allow(clippy::items_after_statements, reason = "what one test alone needs stands in it")]

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{
    self, BufRead, BufReader, BufWriter, Cursor, IoSlice, IoSliceMut, LineWriter, Read, Seek, Write,
};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use stop_tests::per_backend;
use stop_tests::started::start;
use stopruntime::ext::{BufReadOrStop, FillBufOrStop, ReadOrStop, WriteOrStop, copy_or_stop};
use stopruntime::{Stoppable, Stopped, Stopper, is_stopped, shield, stoppable};

/// The calls in which a write waits.
const WRITES: [libc::c_long; 3] = [libc::SYS_write, libc::SYS_sendto, libc::SYS_ppoll];
/// The calls in which a read waits.
const READS: [libc::c_long; 3] = [libc::SYS_read, libc::SYS_recvfrom, libc::SYS_ppoll];

/// A reader or writer that takes a few bytes at a time, as a socket does.
#[derive(Clone, Debug, Default, PartialEq)]
struct Short {
    bytes: Vec<u8>,
    most: usize,
}

impl Write for Short {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let length = data.len().min(self.most);
        self.bytes.extend_from_slice(&data[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WriteOrStop for Short {
    fn write_or_stop(&mut self, data: &[u8]) -> Result<io::Result<usize>, Stopped> {
        stopruntime::check()?;
        Ok(self.write(data))
    }

    fn flush_or_stop(&mut self) -> Result<io::Result<()>, Stopped> {
        stopruntime::check().map(Ok)
    }
}

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

/// What a panic says.
fn panics<T>(body: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(body)).err().expect("a panic");
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => (*panic.downcast::<&str>().expect("a text")).into(),
    }
}

fn file(bytes: &[u8]) -> File {
    let path = std::env::temp_dir().join(format!("stop-tests-buffers-{}", std::process::id()));
    let mut file = OpenOptions::new().read(true).write(true).create_new(true).open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
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

/// Everything that is written to a buffer, one part after the other.
const PARTS: [&[u8]; 9] = [
    b"a",
    b"bc\n",
    b"defg",
    b"hi\njk",
    b"",
    b"\n",
    b"lmnopqrstuvwxyz",
    b"0123\n456789\nab",
    b"cdefghijk\n",
];

/// The same calls on the plain and on the stop-checked side of a writer.
fn same_writes<W: Write + WriteOrStop>(
    what: &str,
    make: impl Fn(usize, usize) -> W,
    look: impl Fn(&W) -> (Vec<u8>, Vec<u8>),
) {
    for (capacity, most) in
        [1, 2, 4, 5, 8, 64].into_iter().flat_map(|it| [(it, 1), (it, 3), (it, 99)])
    {
        let (mut plain, mut marked) = (make(capacity, most), make(capacity, most));
        for (at, part) in PARTS.iter().enumerate() {
            plain.write_all(part).unwrap();
            marked.write_all_or_stop(part).unwrap().unwrap();
            let place = format!("{what} of {capacity}, {most} at a time, after part {at}");
            assert_eq!(look(&marked), look(&plain), "{place}");
            let length = plain.write(part).unwrap();
            assert_eq!(marked.write_or_stop(part).unwrap().unwrap(), length, "{place}");
            assert_eq!(look(&marked), look(&plain), "{place}");
        }
        plain.flush().unwrap();
        marked.flush_or_stop().unwrap().unwrap();
        assert_eq!(look(&marked), look(&plain), "{what} of {capacity}, flushed");
    }
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

/// Writes a line to a buffer over a stream until it is stopped.
#[stoppable(break)]
fn writes_lines(stream: UnixStream) -> io::Result<()> {
    let mut input = stream.try_clone()?;
    let mut output = BufWriter::new(stream);
    output.write_all(b"hello, ")?;
    loop {
        #[blocking]
        let length = input.read(&mut [0; 10])?;
        if length == 0 {
            break;
        }
        #[blocking]
        output.flush()?;
    }
    output.write_all(b"bye\n")?;
    Ok(())
}

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

    fn buffered_writes_are_those_of_std() {
        let short = |most| Short { bytes: Vec::new(), most };
        same_writes(
            "BufWriter",
            |capacity, most| BufWriter::with_capacity(capacity, short(most)),
            |writer| (writer.get_ref().bytes.clone(), writer.buffer().to_vec()),
        );
        same_writes(
            "Box<BufWriter>",
            |capacity, most| Box::new(BufWriter::with_capacity(capacity, short(most))),
            |writer| (writer.get_ref().bytes.clone(), writer.buffer().to_vec()),
        );
        same_writes(
            "LineWriter",
            |capacity, most| LineWriter::with_capacity(capacity, Stoppable::new(short(most))),
            |writer| {
                // Of what stands in the buffer nothing is to be seen. Whole lines
                // have to have come out.
                let bytes = &writer.get_ref().get_ref().bytes;
                let lines = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
                (bytes[..lines].to_vec(), Vec::new())
            },
        );
    }

    fn vectored_writes_lose_no_part() {
        for capacity in [1, 4, 8, 64] {
            let mut writer = BufWriter::with_capacity(capacity, Short { most: 3, ..Short::default() });
            let mut all = Vec::new();
            for (at, part) in PARTS.iter().enumerate() {
                let parts = [IoSlice::new(part), IoSlice::new(b""), IoSlice::new(PARTS[8 - at])];
                let length = writer.write_vectored_or_stop(&parts).unwrap().unwrap();
                let both = [*part, PARTS[8 - at]].concat();
                all.extend_from_slice(&both[..length]);
            }
            writer.flush_or_stop().unwrap().unwrap();
            assert_eq!(writer.get_ref().bytes, all);
        }
    }

    /// std's own writes it when it is dropped.
    fn a_stopped_buffer_keeps_what_it_holds() {
        const MUCH: usize = 1 << 20;
        let bytes = (0..=250).cycle().take(MUCH).collect::<Vec<u8>>();
        let given = bytes.clone();
        let (mut reader, writer) = io::pipe().unwrap();
        let writes = start(move || {
            let mut writer = BufWriter::with_capacity(10_000, writer);
            let mut done = 0;
            // None goes past the buffer: it waits for room with its buffer full.
            for length in [1, 999, 3_000, 4_000, 6_500].into_iter().cycle() {
                let part = &given[done..given.len().min(done + length)];
                match writer.write_all_or_stop(part) {
                    Ok(result) => result.unwrap(),
                    Err(stopped) => return (done + stopped.progress(), writer),
                }
                done += part.len();
            }
            unreachable!("the pipe is full before that")
        });
        writes.wait_until_at_rest_in(&WRITES);
        let (done, writer) = writes.stopped();
        assert!(!writer.buffer().is_empty(), "it waits with what it holds");
        let dropped = std::thread::spawn(move || drop(writer));
        let mut all = Vec::new();
        reader.read_to_end(&mut all).unwrap();
        dropped.join().unwrap();
        assert_eq!(all.len(), done, "the progress is what has been taken");
        assert!(all == bytes[..done], "other bytes");
    }

    fn a_panic_under_a_buffer_is_not_written_again() {
        struct Panics<'count>(&'count mut u32);
        impl Write for Panics<'_> {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                *self.0 += 1;
                panic!("as asked for");
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        impl WriteOrStop for Panics<'_> {
            fn write_or_stop(&mut self, data: &[u8]) -> Result<io::Result<usize>, Stopped> {
                Ok(self.write(data))
            }
            fn flush_or_stop(&mut self) -> Result<io::Result<()>, Stopped> {
                Ok(Ok(()))
            }
        }
        let mut count = 0;
        let mut writer = BufWriter::new(Panics(&mut count));
        writer.write_all(b"once").unwrap();
        assert_eq!(panics(|| writer.flush_or_stop()), "as asked for");
        drop(writer);
        assert_eq!(count, 1);
    }

    fn a_stopped_function_loses_no_buffer() {
        let (mut other, stream) = UnixStream::pair().unwrap();
        let writes = start(move || writes_lines(stream));
        other.write_all(b"x").unwrap();
        let mut first = [0; 7];
        other.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"hello, ");
        writes.wait_until_at_rest_in(&READS);
        writes.stopped().unwrap();
        let mut rest = String::new();
        other.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "bye\n");
    }

    /// A buffer over a `Stoppable` that is dropped says nothing of a stop. What
    /// there is room for is written.
    fn the_first_write_after_a_request_does_not_wait() {
        Stopper::current().request_stop();
        let (mut out, stream) = UnixStream::pair().unwrap();
        let (mut pipe_out, pipe) = io::pipe().unwrap();
        let mut disk = file(b"");
        let long = vec![b'x'; 20_000];
        fn buffered(mut writer: impl Write, bytes: &[u8]) {
            writer.write_all(bytes).unwrap();
        }
        buffered(BufWriter::with_capacity(1 << 16, Stoppable::new(stream)), &long);
        buffered(BufWriter::with_capacity(1 << 16, Stoppable::new(pipe)), &long);
        buffered(LineWriter::with_capacity(1 << 16, Stoppable::new(&disk)), &long);
        let mut all = [Vec::new(), Vec::new(), Vec::new()];
        out.read_to_end(&mut all[0]).unwrap();
        pipe_out.read_to_end(&mut all[1]).unwrap();
        disk.rewind().unwrap();
        disk.read_to_end(&mut all[2]).unwrap();
        assert!(all.iter().all(|all| *all == long), "{:?}", all.map(|all| all.len()));

        // The second reports the stop, and so does one that there is no room for.
        let (_out, stream) = UnixStream::pair().unwrap();
        let mut stream = Stoppable::new(stream);
        assert_eq!(stream.write(b"last").unwrap(), 4);
        assert!(is_stopped(&stream.write(b"one too many").unwrap_err()));
        let (_out, full) = UnixStream::pair().unwrap();
        full.set_nonblocking(true).unwrap();
        while (&full).write(&long).is_ok() {}
        full.set_nonblocking(false).unwrap();
        let mut full = Stoppable::new(full);
        assert!(is_stopped(&full.write(b"no room").unwrap_err()));
        let (_out, mut full) = io::pipe().unwrap();
        shield(|| full.write_all_or_stop(&vec![0; 65_536])).unwrap().unwrap();
        assert!(is_stopped(&Stoppable::new(full).write(b"no room").unwrap_err()));
        // And a variant writes nothing.
        let (_out, stream) = UnixStream::pair().unwrap();
        assert!(Stoppable::new(stream).write_or_stop(b"none").is_err());
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

    /// Where a limit begins is what its position is counted from.
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

    /// It may have been made for just that much.
    fn a_vector_that_is_large_enough_is_not_enlarged() {
        let (mut plain, mut marked) = (Vec::with_capacity(40), Vec::with_capacity(40));
        let text = [TEXT, &TEXT[..8]].concat();
        file(&text).take(40).read_to_end(&mut plain).unwrap();
        file(&text).read_to_end_or_stop(&mut marked).unwrap().unwrap();
        assert_eq!((&marked, marked.capacity()), (&plain, 40));
    }

    /// Which of its readers it has come to is known to the chain alone: it does
    /// not go back to one that has grown.
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
