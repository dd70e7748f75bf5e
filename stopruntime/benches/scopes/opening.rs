//! Entering a scope and leaving it again, where nothing is ever stopped.

use crate::goal;
use crate::outside::{Callbacks, Go};
use crate::table::{Spread, Table, interleave};
use almost_enough::TimeoutExt;
use std::hint::black_box;
use std::io;
use std::net::UdpSocket;
use std::time::{Duration, Instant};
use stopruntime::{Stopper, TimedOut, within};
use tokio_util::sync::CancellationToken;

const ROUNDS: usize = 31;
const LIMIT: Duration = Duration::from_secs(3600);
const COLUMNS: [&str; 8] = [
    "clock reading",
    "stopruntime",
    "Go context",
    "almost-enough",
    "tokio_util",
    "SO_RCVTIMEO",
    "cancel-this",
    "stop_callback",
];

type Column<'a> = Option<Box<dyn FnMut() -> f64 + 'a>>;

pub(crate) fn bench() -> io::Result<()> {
    let go = Go::build();
    let callbacks = Callbacks::build();
    let mut table = Table::new("scopes", "ns, open and close once", &COLUMNS);

    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let stop = almost_enough::Stopper::new();
    let clock = || timed(100_000, read_clock);
    let spreads = row(
        &mut table,
        "with a deadline",
        [
            Some(Box::new(clock)),
            Some(Box::new(|| timed(100_000, || open(LIMIT)))),
            go.column("timeout"),
            Some(Box::new(|| timed(100_000, || drop(black_box(stop.clone().with_timeout(LIMIT)))))),
            None,
            Some(Box::new(|| timed(10_000, || limit_receive(&socket)))),
            Some(Box::new(|| timed(300, || cancel_this(1)))),
            None,
        ],
    );
    println!("    ns for `within`: {:.2}", best(spreads[1]));
    // A limit for it with the clock would be one for the clock: 16 to 30 ns.
    goal("of it beside the clock reading", best(spreads[1]) - best(spreads[0]), 14.0);
    if let Some(go) = spreads[2] {
        goal("`within` as a part of Go's", best(spreads[1]) / go.low, 0.1);
    }

    row(
        &mut table,
        "with a deadline, ten deep",
        [
            Some(Box::new(|| timed(10_000, || (0..10).for_each(|_| read_clock())))),
            Some(Box::new(|| timed(10_000, || nested(10)))),
            go.column("timeouts"),
            None,
            None,
            None,
            Some(Box::new(|| timed(30, || cancel_this(10)))),
            None,
        ],
    );

    let job = Stopper::new();
    let token = CancellationToken::new();
    row(
        &mut table,
        "a job that has a handle",
        [
            Some(Box::new(clock)),
            Some(Box::new(|| timed(100_000, || job.run(|| black_box(()))))),
            None,
            None,
            Some(Box::new(|| timed(10_000, || cancelled_with(&token)))),
            None,
            None,
            callbacks.column(),
        ],
    );
    row(
        &mut table,
        "a handle, made and dropped",
        [
            Some(Box::new(clock)),
            Some(Box::new(|| timed(100_000, || drop(black_box(Stopper::new()))))),
            None,
            Some(Box::new(|| timed(100_000, || drop(black_box(almost_enough::Stopper::new()))))),
            Some(Box::new(|| timed(10_000, || drop(black_box(CancellationToken::new()))))),
            None,
            None,
            None,
        ],
    );
    row(
        &mut table,
        "a child for each job",
        [
            Some(Box::new(clock)),
            Some(Box::new(|| timed(100_000, || job.child().run(|| black_box(()))))),
            go.column("cancel"),
            None,
            Some(Box::new(|| timed(10_000, || drop(black_box(token.child_token()))))),
            None,
            None,
            None,
        ],
    );
    table.keep()
}

fn row(table: &mut Table, name: &str, mut columns: [Column<'_>; 8]) -> Vec<Option<Spread>> {
    let mut columns: Vec<_> = columns
        .iter_mut()
        .map(|column| column.as_mut().map(|column| column as &mut dyn FnMut() -> f64))
        .collect();
    let spreads = interleave(ROUNDS, &mut columns);
    table.row(name, &spreads);
    spreads
}

/// What a machine with other work to do leaves of a figure.
fn best(spread: Option<Spread>) -> f64 {
    spread.map_or(f64::NAN, |spread| spread.low)
}

/// Nanoseconds each.
fn timed(turns: u32, mut turn: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..turns {
        turn();
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(turns)
}

fn read_clock() {
    black_box(Instant::now());
}

fn open(limit: Duration) {
    let result: Result<_, TimedOut> = within(black_box(limit), || Ok(black_box(1)));
    assert!(result.is_ok());
}

fn nested(deep: u32) {
    fn inside(deep: u32) -> Result<(), TimedOut> {
        // Each earlier than the one around it.
        let limit = Duration::from_secs(u64::from(deep) * 3600);
        within(black_box(limit), || if deep == 1 { Ok(()) } else { inside(deep - 1) })
    }
    assert!(inside(deep).is_ok());
}

/// Sets the limit and takes it back. `socket(7)`.
fn limit_receive(socket: &UdpSocket) {
    socket.set_read_timeout(Some(LIMIT)).expect("a limit");
    socket.set_read_timeout(None).expect("none");
}

fn cancel_this(deep: u32) {
    fn inside(deep: u32) -> Result<(), cancel_this::Cancelled> {
        cancel_this::on_timeout(LIMIT, || if deep == 1 { Ok(()) } else { inside(deep - 1) })
    }
    assert!(inside(deep).is_ok());
}

fn cancelled_with(token: &CancellationToken) {
    let mut future = core::pin::pin!(token.run_until_cancelled(core::future::ready(black_box(1))));
    let mut context = core::task::Context::from_waker(core::task::Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_ready());
}
