//! One row: the same work in every column that it has.

use crate::callback::{Callback, Step};
use crate::table::{Table, interleave};
use crate::ways::{Cancellation, Flag, Plain, PollEvent, Polled, Way};
use core::ffi::{c_int, c_long};
use core::sync::atomic::AtomicBool;
use std::cell::RefCell;
use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::time::Duration;

/// What a turn costs is the processor time of one round by its turns; a round
/// is short, so that most of them see no other process in their middle.
const ROUNDS: usize = 200;

pub(crate) const COLUMNS: [&str; 10] = [
    "inline syscall",
    "std or libc",
    "ours",
    "flag + call",
    "SO_RCVTIMEO + flag",
    "poll + eventfd + call",
    "polling",
    "mtcp-rs",
    "pthread cancellation",
    "stop_callback per call",
];

/// Room for the longest message.
pub(crate) type Buffer = [u8; 64 * 1024];

/// What the calls of a row wait on, and so which columns it has.
pub(crate) enum Source {
    /// No descriptor.
    None,
    /// A descriptor for poll(2) that epoll(7) refuses.
    File,
    /// Descriptors that both take.
    Descriptors(Vec<RawFd>),
    /// As before, and those have time-outs.
    Sockets(Vec<RawFd>),
}

/// A turn in all forms. All are inlined into the loop that is measured.
pub(crate) trait Row {
    /// Turns of a round.
    const TURNS: u32;

    fn name(&self) -> String;
    fn source(&self) -> Source;
    /// By bare instructions.
    fn floor(&self, buffer: &mut Buffer);
    /// By std, or libc where std has none, each call made this way.
    fn plain(&self, way: &impl Way, buffer: &mut Buffer);
    /// By the stop-checked variants.
    fn ours(&self, buffer: &mut Buffer);
    /// As system calls; none if a turn is more than those.
    fn steps(&self, buffer: &mut Buffer) -> Vec<Step>;
    /// By `mtcp-rs`, which has TCP alone; whether it has this.
    #[inline(always)]
    fn by_mtcp(&self, _: &mut Buffer) -> bool {
        false
    }
    /// What the steps of a round gave.
    fn gave(&self, results: &[c_long]) {
        assert!(results.iter().all(|result| *result >= 0), "{}", self.name());
    }
    /// Before and after a round, outside what is measured.
    fn prepare(&self) {}
    fn finish(&self) {}
}

/// A column's turn. Not a closure: those are not always inlined, and a call
/// around the system call is part of what is measured.
trait Turn<R> {
    fn turn(&self, row: &R, buffer: &mut Buffer);
}

struct Floor;
struct Ours;
struct Mtcp;
/// `Row::plain` in this way.
struct By<W>(W);

impl<R: Row> Turn<R> for Floor {
    #[inline(always)]
    fn turn(&self, row: &R, buffer: &mut Buffer) {
        row.floor(buffer);
    }
}

impl<R: Row> Turn<R> for Ours {
    #[inline(always)]
    fn turn(&self, row: &R, buffer: &mut Buffer) {
        row.ours(buffer);
    }
}

impl<R: Row> Turn<R> for Mtcp {
    #[inline(always)]
    fn turn(&self, row: &R, buffer: &mut Buffer) {
        assert!(row.by_mtcp(buffer));
    }
}

impl<R: Row, W: Way> Turn<R> for By<W> {
    #[inline(always)]
    fn turn(&self, row: &R, buffer: &mut Buffer) {
        row.plain(&self.0, buffer);
    }
}

pub(crate) fn row<R: Row>(
    table: &mut Table,
    row: &R,
    callback: Option<&Callback>,
) -> io::Result<()> {
    let buffer = vec![0; size_of::<Buffer>()].into_boxed_slice();
    let buffer: RefCell<Box<Buffer>> = RefCell::new(buffer.try_into().unwrap());
    let (epoll, sockets, poll) = match row.source() {
        Source::None => (vec![], vec![], false),
        Source::File => (vec![], vec![], true),
        Source::Descriptors(all) => (all, vec![], true),
        Source::Sockets(all) => (all.clone(), all, true),
    };
    let flag = By(Flag(AtomicBool::new(false)));
    let event = By(PollEvent::new()?);
    let polled = By(Polled::new(&epoll)?);
    let steps = row.steps(&mut buffer.borrow_mut());
    let mut results = vec![0; R::TURNS as usize * steps.len()];

    let mut floor = || round(row, &buffer, &Floor);
    let mut plain = || round(row, &buffer, &By(Plain));
    let mut ours = || round(row, &buffer, &Ours);
    let mut flagged = || round(row, &buffer, &flag);
    let mut timed = || {
        time_out(&sockets, Some(Duration::from_secs(1)));
        let spent = round(row, &buffer, &flag);
        time_out(&sockets, None);
        spent
    };
    let mut by_poll = || round(row, &buffer, &event);
    let mut by_polling = || round(row, &buffer, &polled);
    let has_mtcp = row.by_mtcp(&mut buffer.borrow_mut());
    let mut by_mtcp = || round(row, &buffer, &Mtcp);
    let mut cancellable = || round(row, &buffer, &By(Cancellation));
    let mut by_callback = callback.filter(|_| !steps.is_empty()).map(|callback| {
        || {
            row.prepare();
            let start = processor_time();
            // SAFETY: the row's own calls; its buffer is not moved.
            unsafe { callback.turns(&steps, &mut results) };
            let spent = per_turn::<R>(start);
            row.gave(&results);
            row.finish();
            spent
        }
    });
    let mut columns: [Option<&mut dyn FnMut() -> f64>; COLUMNS.len()] = [
        Some(&mut floor),
        Some(&mut plain),
        Some(&mut ours),
        Some(&mut flagged),
        if sockets.is_empty() { None } else { Some(&mut timed) },
        if poll { Some(&mut by_poll) } else { None },
        if epoll.is_empty() { None } else { Some(&mut by_polling) },
        if has_mtcp { Some(&mut by_mtcp) } else { None },
        Some(&mut cancellable),
        by_callback.as_mut().map(|column| column as &mut dyn FnMut() -> f64),
    ];
    table.row(&row.name(), &interleave(ROUNDS, &mut columns));
    Ok(())
}

/// One round of a column: the loop that is measured.
#[inline(never)]
fn round<R: Row>(row: &R, buffer: &RefCell<Box<Buffer>>, column: &impl Turn<R>) -> f64 {
    let buffer = &mut **buffer.borrow_mut();
    row.prepare();
    let start = processor_time();
    for _ in 0..R::TURNS {
        column.turn(row, buffer);
    }
    let spent = per_turn::<R>(start);
    row.finish();
    spent
}

fn per_turn<R: Row>(start: f64) -> f64 {
    (processor_time() - start) / f64::from(R::TURNS)
}

/// What all threads of this process have used, in nanoseconds.
/// `clock_gettime(2)`.
fn processor_time() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid place for the time.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(result, 0);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32).as_secs_f64() * 1e9
}

/// `SO_RCVTIMEO` and `SO_SNDTIMEO`. socket(7).
fn time_out(sockets: &[c_int], after: Option<Duration>) {
    for &socket in sockets {
        // SAFETY: the row holds it open.
        let socket = unsafe { BorrowedFd::borrow_raw(socket) };
        let socket = socket2::SockRef::from(&socket);
        socket.set_read_timeout(after).unwrap();
        socket.set_write_timeout(after).unwrap();
    }
}
