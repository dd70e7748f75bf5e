//! Stopped while it waits, for its source or for the other end.

use super::ends::{
    Destination, FILLED_SOURCES, Source, WAITING_DESTINATIONS, WAITING_SOURCES, bytes,
};
use super::{Ends, READS, WRITES, progress};
use std::io::{Cursor, Read};
use stop_tests::per_backend;
use stop_tests::started::start;
use stopruntime::ext::ReadOrStop as _;

/// More than both ends have room for.
const MUCH: usize = 2 << 20;

/// Fills the other end, which nothing empties; is stopped; copies the rest.
fn stopped_by_a_full_writer(source: Source, mut destination: Destination, bytes: &[u8]) {
    let what = format!("{} to {}", source.name, destination.name);
    if let Some(feed) = source.feed {
        feed.send(bytes.to_vec()).unwrap();
    }
    let ends = Ends { reader: source.reader, writer: destination.writer };
    let copy = start(move || ends.copy());
    // Something has been written: it does not rest because nothing has come.
    let mut begun = [0];
    destination.out.read_exact(&mut begun).unwrap();
    copy.wait_until_at_rest_in(&WRITES);
    let (outcome, ends) = copy.stopped();
    let first = progress(&outcome);
    assert!(first > 0, "{what}");
    let collector = Destination::collect(destination.out);
    let second = ends.copy_to_the_end();
    assert_eq!(first + second, bytes.len() as u64, "{what}");
    let all = [&begun[..], &collector.join().unwrap()].concat();
    assert!(all == bytes, "{what}: other bytes");
}

/// Has copied all there is, waits for more; is stopped; copies the rest.
fn stopped_by_an_empty_source(source: Source, mut destination: Destination, bytes: &[u8]) {
    let what = format!("{} to {}", source.name, destination.name);
    let (early, late) = bytes.split_at(bytes.len() / 2);
    let feed = source.feed.unwrap();
    feed.send(early.to_vec()).unwrap();
    if destination.buffered {
        // Nothing comes out that would tell a copy that waits for more from one
        // that has had nothing yet: let the bytes be there before it begins.
        source.reader.ready_or_stop().unwrap().unwrap();
    }
    let ends = Ends { reader: source.reader, writer: destination.writer };
    let copy = start(move || ends.copy());
    let mut got = vec![0; early.len()];
    if !destination.buffered {
        destination.out.read_exact(&mut got).unwrap();
        assert!(got == early, "{what}: other bytes");
    }
    copy.wait_until_at_rest_in(&READS);
    let (outcome, ends) = copy.stopped();
    assert_eq!(progress(&outcome), early.len() as u64, "{what}");
    feed.send(late.to_vec()).unwrap();
    drop(feed);
    assert_eq!(ends.copy_to_the_end(), late.len() as u64, "{what}");
    let rest = Destination::collect(destination.out).join().unwrap();
    assert!(rest == if destination.buffered { bytes } else { late }, "{what}: other bytes");
}

per_backend! {
    fn every_source_outlives_a_full_writer() {
        let bytes = bytes(MUCH);
        for source in WAITING_SOURCES {
            stopped_by_a_full_writer(source(), WAITING_DESTINATIONS[0](), &bytes);
        }
        for source in FILLED_SOURCES {
            stopped_by_a_full_writer(source(&bytes), WAITING_DESTINATIONS[0](), &bytes);
        }
    }

    fn a_socket_a_pipe_and_a_file_outlive_every_full_writer() {
        let bytes = bytes(MUCH);
        for destination in WAITING_DESTINATIONS {
            stopped_by_a_full_writer(WAITING_SOURCES[0](), destination(), &bytes);
            stopped_by_a_full_writer(WAITING_SOURCES[3](), destination(), &bytes);
            stopped_by_a_full_writer(FILLED_SOURCES[0](&bytes), destination(), &bytes);
        }
    }

    fn every_source_is_stopped_while_it_is_empty() {
        let bytes = bytes(2_000);
        for source in WAITING_SOURCES {
            // The other end has no part in it, unless it is a buffer.
            for destination in [WAITING_DESTINATIONS[0], WAITING_DESTINATIONS[5]] {
                stopped_by_an_empty_source(source(), destination(), &bytes);
            }
        }
    }

    fn a_request_that_came_before_takes_nothing() {
        let bytes = bytes(2_000);
        for source in WAITING_SOURCES {
            let Source { name, reader, feed } = source();
            feed.unwrap().send(bytes.clone()).unwrap();
            let ends = Ends { reader, writer: Box::new(Cursor::new(Vec::new())) };
            let (outcome, ends) = start(|| {
                stopruntime::Stopper::current().request_stop();
                ends.copy()
            })
            .ended();
            assert_eq!(progress(&outcome), 0, "{name}");
            assert_eq!(ends.copy_to_the_end(), bytes.len() as u64, "{name}");
        }
    }
}
