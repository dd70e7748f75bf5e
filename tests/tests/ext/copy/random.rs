//! Stopped at random instants, again and again, and gone on with by another
//! thread each time.

use super::ends::{
    Destination, FILLED_SOURCES, Source, WAITING_DESTINATIONS, WAITING_SOURCES, appended, bytes,
};
use super::{Ends, progress};
use std::time::Instant;
use stop_tests::dice::{Dice, runs};
use stop_tests::per_backend;
use stop_tests::started::start;

/// What goes through each pair of ends: more than they have room for, however
/// small the part is that is asked for.
fn length() -> usize {
    const LENGTH: u64 = 512 << 10;
    usize::try_from(stop_tests::part_of(LENGTH).max(LENGTH / 4)).expect("no more than that")
}
/// Longer than a thread takes to start and to begin.
const SPREAD: u64 = 150_000;

/// How often it was stopped in the middle of its bytes.
fn stopped_at_random(
    source: Source,
    destination: Destination,
    bytes: &[u8],
    dice: &mut Dice,
) -> u64 {
    let what = format!("{} to {}", source.name, destination.name);
    if let Some(feed) = source.feed {
        // In pieces of any length, and in their own time.
        let mut rest = bytes;
        while !rest.is_empty() {
            let length = usize::try_from(1 + dice.below(9_000)).unwrap().min(rest.len());
            feed.send(rest[..length].to_vec()).unwrap();
            rest = &rest[length..];
        }
    }
    let Destination { out, writer, ends_early, .. } = destination;
    let (collector, out) =
        if ends_early { (None, Some(out)) } else { (Some(Destination::collect(out)), None) };
    let mut ends = Ends { reader: source.reader, writer };
    let (mut moved, mut stops) = (0, 0);
    loop {
        let copy = start(move || ends.copy());
        dice.spin(SPREAD);
        copy.request_stop();
        let outcome;
        (outcome, ends) = copy.ended();
        if let Ok(result) = outcome {
            moved += result.unwrap();
            break;
        }
        let now = progress(&outcome);
        moved += now;
        stops += u64::from(now > 0);
    }
    drop(ends);
    let collector = collector.or(out.map(Destination::collect)).unwrap();
    assert_eq!(moved, bytes.len() as u64, "{what}");
    assert!(collector.join().unwrap() == bytes, "{what}: other bytes");
    stops
}

fn all_pairs_of(source: usize, dice: &mut Dice, bytes: &[u8]) -> u64 {
    let mut stops = 0;
    for destination in WAITING_DESTINATIONS.into_iter().chain([appended as fn() -> Destination]) {
        let source = match WAITING_SOURCES.get(source) {
            Some(source) => source(),
            None => FILLED_SOURCES[source - WAITING_SOURCES.len()](bytes),
        };
        stops += stopped_at_random(source, destination(), bytes, dice);
    }
    stops
}

per_backend! {
    fn every_byte_arrives_once() {
        let bytes = bytes(length());
        let mut dice = Dice::new();
        let mut all = 0;
        for _ in 0..runs(1_000).div_ceil(1_000) {
            for source in 0..WAITING_SOURCES.len() + FILLED_SOURCES.len() {
                let start = Instant::now();
                let stops = all_pairs_of(source, &mut dice, &bytes);
                println!("source {source}: {stops} stops, {:?}", start.elapsed());
                all += stops;
            }
        }
        assert!(all > 100, "{all} stops in the middle are too few to show a thing");
    }
}
