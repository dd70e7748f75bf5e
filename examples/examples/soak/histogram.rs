//! A histogram of times with log buckets: four to each doubling, so that a
//! quantile is known to a fifth of its value at any scale.

use core::fmt;
use std::str::FromStr;

/// Enough for 2^63 ns.
const BUCKETS: usize = 256;

/// How often each time occurred, in nanoseconds.
#[derive(Clone)]
pub(crate) struct Histogram {
    counts: [u64; BUCKETS],
    max: u64,
}

impl Histogram {
    pub(crate) const fn new() -> Histogram {
        Histogram { counts: [0; BUCKETS], max: 0 }
    }

    pub(crate) fn add(&mut self, nanoseconds: u64) {
        self.counts[bucket(nanoseconds)] += 1;
        self.max = self.max.max(nanoseconds);
    }

    pub(crate) fn merge(&mut self, other: &Histogram) {
        for (mine, theirs) in self.counts.iter_mut().zip(other.counts) {
            *mine += theirs;
        }
        self.max = self.max.max(other.max);
    }

    pub(crate) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub(crate) const fn max(&self) -> u64 {
        self.max
    }

    /// The time that this share of all do not exceed, in nanoseconds; `None`
    /// of none.
    pub(crate) fn quantile(&self, share: f64) -> Option<u64> {
        let total = self.total();
        #[expect(clippy::cast_precision_loss, reason = "a share of a count")]
        let reached = |count: u64| count as f64 >= share * total as f64;
        let mut sum = 0;
        (total > 0).then_some(())?;
        self.counts.iter().enumerate().find_map(|(index, count)| {
            sum += count;
            reached(sum).then(|| end(index).min(self.max))
        })
    }

    /// For each bucket that holds any: its end in nanoseconds, and how many
    /// took longer.
    pub(crate) fn exceeding(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut left = self.total();
        self.counts.iter().enumerate().filter_map(move |(index, count)| {
            left -= count;
            (*count > 0).then_some((end(index), left))
        })
    }
}

/// The octave and the next two bits below its leading one.
fn bucket(nanoseconds: u64) -> usize {
    let value = nanoseconds.max(4);
    let octave = value.ilog2() as usize;
    let quarter = (value >> (octave - 2)) % 4;
    octave * 4 + usize::try_from(quarter).expect("less than 4")
}

/// The least time that falls into the next bucket.
const fn end(bucket: usize) -> u64 {
    let (octave, quarter) = ((bucket + 1) / 4, (bucket + 1) % 4);
    if octave > 63 { u64::MAX } else { ((4 + quarter as u64) << octave) / 4 }
}

/// `bucket:count` for each that is not empty, then `max:nanoseconds`.
impl fmt::Display for Histogram {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            write!(formatter, "{index}:{count} ")?;
        }
        write!(formatter, "max:{}", self.max)
    }
}

impl FromStr for Histogram {
    type Err = ();

    fn from_str(text: &str) -> Result<Histogram, ()> {
        let mut histogram = Histogram::new();
        for word in text.split_whitespace() {
            let (bucket, number) = word.split_once(':').ok_or(())?;
            let number = number.parse().map_err(|_| ())?;
            if bucket == "max" {
                histogram.max = number;
            } else {
                let index: usize = bucket.parse().map_err(|_| ())?;
                *histogram.counts.get_mut(index).ok_or(())? = number;
            }
        }
        Ok(histogram)
    }
}
