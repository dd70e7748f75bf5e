//! Random numbers for random instants, and the number of runs.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// `splitmix64`; its seed is in the output of a test that fails.
pub struct Dice(u64);

#[allow(clippy::new_without_default, reason = "it says its seed")]
impl Dice {
    /// Seeded from `STOP_TESTS_SEED`, else from the clock.
    pub fn new() -> Dice {
        let seed = from_environment("STOP_TESTS_SEED").unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
            u64::from(since.subsec_nanos()) << 32 | since.as_secs() & 0xffff_ffff
        });
        eprintln!("STOP_TESTS_SEED={seed}");
        Dice(seed)
    }

    /// For another thread, from a number of this one.
    pub fn of(seed: u64) -> Dice {
        Dice(seed)
    }

    /// A number below the bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    /// True once in this many times.
    pub fn chance(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    /// A random instant within the next `nanoseconds`, waited for without a
    /// system call. It orders nothing: any instant must do.
    pub fn spin(&mut self, nanoseconds: u64) {
        let span = Duration::from_nanos(self.below(nanoseconds.max(1)));
        let start = Instant::now();
        while start.elapsed() < span {
            std::hint::spin_loop();
        }
    }
}

/// How often: `default`, or the part of it that is asked for, unless
/// `STOP_TESTS_STOPS` says.
pub fn runs(default: u64) -> u64 {
    from_environment("STOP_TESTS_STOPS").unwrap_or_else(|| crate::part_of(default))
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}
