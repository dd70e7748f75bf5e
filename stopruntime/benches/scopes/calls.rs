//! A marked call under no scope, one and ten.

use crate::goal;
use crate::table::{Table, interleave};
use std::fs::File;
use std::io::{self, Read};
use std::time::{Duration, Instant};
use stopruntime::{Stopper, TimedOut, stoppable, within};

const ROUNDS: usize = 2_001;
const TURNS: u32 = 500;
const LIMIT: Duration = Duration::from_secs(3600);

pub(crate) fn bench() -> io::Result<()> {
    let zero = File::open("/dev/zero")?;
    let mut table =
        Table::new("calls under scopes", "ns a marked read", &["no scope", "one", "ten"]);
    let job = Stopper::new();
    let mut under = |deep| {
        let mut taken = f64::NAN;
        nested(&job, deep, &mut || taken = read(&zero).expect("zeros"))
            .expect("an hour has not passed");
        taken
    };
    let under = std::cell::RefCell::new(&mut under);
    let spreads = interleave(
        ROUNDS,
        &mut [
            Some(&mut || under.borrow_mut()(0)),
            Some(&mut || under.borrow_mut()(1)),
            Some(&mut || under.borrow_mut()(10)),
        ],
    );
    table.row("read of one byte", &spreads);
    let [none, one, ten] = [0, 1, 2].map(|column| spreads[column].expect("a column").median);
    goal("one scope to none", (one / none - 1.0).abs(), 0.01);
    goal("ten scopes to none", (ten / none - 1.0).abs(), 0.01);
    table.keep()
}

/// Jobs and deadlines in turn.
fn nested(job: &Stopper, deep: u32, f: &mut dyn FnMut()) -> Result<(), TimedOut> {
    match deep {
        0 => f(),
        _ if deep.is_multiple_of(2) => job.run(|| nested(job, deep - 1, f))?,
        _ => within(LIMIT, || nested(job, deep - 1, f))?,
    }
    Ok(())
}

/// Nanoseconds each; the same code for all columns.
#[inline(never)]
#[stoppable(return)]
fn read(mut zero: &File) -> io::Result<f64> {
    let start = Instant::now();
    for _ in 0..TURNS {
        #[blocking]
        zero.read(&mut [0])?;
    }
    Ok(start.elapsed().as_secs_f64() * 1e9 / f64::from(TURNS))
}
