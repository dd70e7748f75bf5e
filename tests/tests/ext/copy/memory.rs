//! Ends that never wait: what is copied, and how much, is as std has it.

use super::ends::Requests;
use std::collections::VecDeque;
use std::io::{self, BufReader, Cursor, ErrorKind, Read, Seek};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use stop_tests::per_backend;
use stop_tests::started::start;
use stopruntime::ext::{BufReadOrStop, ReadOrStop, copy_or_stop};
use stopruntime::{Stopper, stoppable};

const TEXT: &[u8] = b"some bytes, and more of them";

fn socket_with(bytes: &[u8]) -> UnixStream {
    let (reader, mut writer) = UnixStream::pair().unwrap();
    io::Write::write_all(&mut writer, bytes).unwrap();
    writer.shutdown(Shutdown::Write).unwrap();
    reader
}

per_backend! {
    fn memory_is_copied_from_and_to() {
        let length = TEXT.len() as u64;
        let mut copy = Vec::new();
        assert_eq!(copy_or_stop(&mut &TEXT[..], &mut copy).unwrap().unwrap(), length);
        assert_eq!(copy, TEXT);
        let mut queue = VecDeque::from(copy);
        let mut copy = VecDeque::new();
        assert_eq!(copy_or_stop(&mut queue, &mut copy).unwrap().unwrap(), length);
        assert_eq!((queue.len(), copy), (0, VecDeque::from(TEXT.to_vec())));
        let mut cursor = Cursor::new(TEXT);
        cursor.set_position(5);
        let mut copy = Cursor::new([0; 64]);
        assert_eq!(copy_or_stop(&mut cursor, &mut copy).unwrap().unwrap(), length - 5);
        assert_eq!(&copy.get_ref()[..TEXT.len() - 5], &TEXT[5..]);
        assert_eq!(copy_or_stop(&mut io::empty(), &mut io::sink()).unwrap().unwrap(), 0);
        assert_eq!(copy_or_stop(&mut &TEXT[..], &mut io::sink()).unwrap().unwrap(), length);
    }

    /// An error leaves in the source what was not written.
    fn what_does_not_fit_stays_where_it_is() {
        let mut socket = socket_with(TEXT);
        let mut small = [0; 4];
        let error = copy_or_stop(&mut socket, &mut &mut small[..]).unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WriteZero);
        assert_eq!(small, TEXT[..4]);
        let mut rest = Vec::new();
        socket.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, &TEXT[4..]);

        let mut file = super::ends::disk(TEXT);
        copy_or_stop(&mut file, &mut &mut small[..]).unwrap().unwrap_err();
        assert_eq!(file.stream_position().unwrap(), 4);
    }

    fn a_part_is_copied_and_no_more() {
        let mut socket = socket_with(TEXT);
        let mut copy = Vec::new();
        let mut part = (&socket).take(10);
        assert_eq!(copy_or_stop(&mut part, &mut copy).unwrap().unwrap(), 10);
        assert_eq!((part.limit(), &copy[..]), (0, &TEXT[..10]));
        assert_eq!(copy_or_stop(&mut part, &mut copy).unwrap().unwrap(), 0);
        let mut part = BufReader::new(&mut socket).take(1_000);
        assert_eq!(copy_or_stop(&mut part, &mut copy).unwrap().unwrap(), 18);
        assert_eq!((part.limit(), &copy[..]), (982, TEXT));
        let mut part = super::ends::disk(TEXT).take(12);
        copy.clear();
        assert_eq!(copy_or_stop(&mut part, &mut copy).unwrap().unwrap(), 12);
        assert_eq!(part.get_mut().stream_position().unwrap(), 12);
    }

    fn a_part_is_read_as_the_whole_is() {
        let mut part = socket_with(TEXT).take(10);
        let mut bytes = Vec::new();
        assert_eq!(part.read_or_stop(&mut [0; 4]).unwrap().unwrap(), 4);
        assert_eq!(part.read_to_end_or_stop(&mut bytes).unwrap().unwrap(), 6);
        assert_eq!((&bytes[..], part.limit()), (&TEXT[4..10], 0));
        let mut part = BufReader::new(socket_with(TEXT)).take(10);
        bytes.clear();
        assert_eq!(part.read_until_or_stop(b',', &mut bytes).unwrap().unwrap(), 10);
        assert_eq!(&bytes[..], &TEXT[..10]);
        assert_eq!(part.read_until_or_stop(b',', &mut bytes).unwrap().unwrap(), 0);
    }

    fn marked_copies_are_these() {
        #[stoppable]
        fn gather(first: &mut &[u8], second: &UnixStream, third: &mut UnixStream) -> io::Result<Vec<u8>> {
            let mut copy = Vec::new();
            loop {
                #[blocking]
                let length = io::copy(first, &mut copy)?;
                assert_eq!(length, 28);
                let mut second = second;
                #[blocking]
                std::io::copy(&mut second, &mut copy)?;
                Stopper::current().request_stop();
                #[blocking]
                io::copy(&mut BufReader::new(&mut *third), &mut copy)?;
                unreachable!("stopped before");
            }
            Ok(copy)
        }
        let mut third = socket_with(TEXT);
        let copy = gather(&mut &TEXT[..], &socket_with(TEXT), &mut third).unwrap();
        assert_eq!(copy, TEXT.repeat(2));
        let mut rest = Vec::new();
        third.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, TEXT);
    }

    /// A copy that has come to its end says so, although a stop is requested.
    fn a_copy_that_is_done_is_done() {
        start(|| {
            let mut copy = Requests::after(usize::MAX);
            let length = TEXT.len() as u64;
            let mut part = TEXT.take(length);
            assert_eq!(copy_or_stop(&mut part, &mut copy).unwrap().unwrap(), length);
        })
        .ended();
        start(|| {
            let mut copy = Requests::after(usize::MAX);
            let mut part = socket_with(TEXT).take(4);
            assert_eq!(copy_or_stop(&mut part, &mut copy).unwrap().unwrap(), 4);
            assert_eq!(copy_or_stop(&mut part, &mut copy).unwrap_err().progress(), 0);
        })
        .ended();
    }
}
