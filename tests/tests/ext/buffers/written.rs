//! What is written to a buffer, and what it holds when a stop comes.

#![allow(clippy::items_after_statements, reason = "what one test alone needs stands in it")]

use super::{READS, file, panics};
use std::io::{self, BufWriter, IoSlice, LineWriter, Read, Seek, Write};
use std::os::unix::net::UnixStream;
use stop_tests::per_backend;
use stop_tests::started::start;
use stopruntime::ext::WriteOrStop;
use stopruntime::{Stoppable, Stopped, Stopper, is_stopped, shield, stoppable};

/// The calls in which a write waits.
const WRITES: [libc::c_long; 3] = [libc::SYS_write, libc::SYS_sendto, libc::SYS_ppoll];

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
}
