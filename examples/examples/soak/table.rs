//! The table on standard output.

use crate::tally::Tally;
use crate::turns::{Row, Soaked};
use core::fmt;
use std::collections::BTreeMap;

const LEGEND: &str = "\
stops      requests, each to a thread of its own or to a job, at a random moment
effects    calls that took effect meanwhile: bytes, datagrams, connections, locks …
lost       threads that did not end within 30 s of the request
missing    of what was sent, made or put in: not there afterwards, or there twice
leaked     descriptors open before and after that differ
EINTR      seen by the calls, unmarked ones of the same thread above all
spurious   unmarked sleeps, waits and parks of the same thread that ended early
handler    signals of others, sent to a thread in a region: not handled, or twice
failed     other errors, panics, crashes
latency    from the request until the thread is past the call, in µs; the
           maximum is the scheduler's noise: other threads and processes run";

pub(crate) struct Table<'a>(pub(crate) &'a Soaked);

impl fmt::Display for Table<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = &self.0.rows;
        writeln!(formatter, "{LEGEND}\n")?;
        let width = rows.iter().map(|row| row.turn.call.len()).max().unwrap_or(0);
        writeln!(
            formatter,
            "{:width$}  {:14} {:>10} {:>12} {:>5} {:>7} {:>6} {:>5} {:>8} {:>7} {:>6} {:>8} {:>8} {:>9}",
            "call",
            "backend",
            "stops",
            "effects",
            "lost",
            "missing",
            "leaked",
            "EINTR",
            "spurious",
            "handler",
            "failed",
            "p50",
            "p99",
            "max",
        )?;
        for Row { turn, tally } in rows {
            line(formatter, width, turn.call, &turn.backend, tally)?;
        }
        let mut totals = BTreeMap::<(bool, &str), Tally>::new();
        for Row { turn, tally } in rows {
            let total = totals.entry((turn.is_rival, &turn.backend)).or_insert_with(Tally::new);
            total.merge(tally.clone());
        }
        for ((_, backend), tally) in &totals {
            line(formatter, width, "total", backend, tally)?;
        }
        let ours: Vec<_> = rows.iter().filter(|row| !row.turn.is_rival).collect();
        let stops: u64 = ours.iter().map(|row| row.tally.stops).sum();
        let broken = ours.iter().filter(|row| !row.tally.holds()).count();
        let seconds = self.0.time.as_secs();
        let per_second = u128::from(stops) * 1_000 / self.0.time.as_millis().max(1);
        writeln!(formatter, "\n{stops} stops of ours in {seconds} s, {per_second}/s.")?;
        for Row { turn, tally } in rows {
            for note in &tally.notes {
                writeln!(formatter, "{} on {}: {note}", turn.call, turn.backend)?;
            }
        }
        match broken {
            0 => writeln!(formatter, "Nothing was lost."),
            _ => writeln!(formatter, "SOMETHING WAS LOST in {broken} of {} rows.", ours.len()),
        }
    }
}

fn line(
    formatter: &mut fmt::Formatter<'_>,
    width: usize,
    call: &str,
    backend: &str,
    tally: &Tally,
) -> fmt::Result {
    let Tally {
        stops,
        effects,
        lost,
        missing,
        leaked,
        interrupted,
        spurious,
        unhandled,
        failed,
        ..
    } = tally;
    let [median, tail] = [0.5, 0.99].map(|share| microseconds(tally.latency.quantile(share)));
    let max = microseconds((tally.latency.total() > 0).then_some(tally.latency.max()));
    writeln!(
        formatter,
        "{call:width$}  {backend:14} {stops:>10} {effects:>12} {lost:>5} {missing:>7} {leaked:>6} \
         {interrupted:>5} {spurious:>8} {unhandled:>7} {failed:>6} {median:>8} {tail:>8} {max:>9}",
    )
}

fn microseconds(nanoseconds: Option<u64>) -> String {
    nanoseconds.map_or("-".into(), |time| format!("{}.{}", time / 1_000, time % 1_000 / 100))
}
