//! What the runtime tells a log, with the features `log` and `tracing`; nothing without them.
//!
//! | event | level | told by |
//! |---|---|---|
//! | a stop was requested: by which thread, why, how long ago | info | the first thread that is stopped by it, as ordinary code |
//! | a thread has been stopped | debug | the thread, where its call returns `Stopped` |
//! | a scope's time was over | info | the thread, where `within` or `until` returns |
//! | a region of foreign code was left after a stop | info | the thread, once it has left |
//! | a thread is overdue | warn | the thread of the callbacks, at `on_overdue` |
//!
//! Nothing is told by the requester: a request may be made in a signal handler, which must
//! not call a logger, and cannot know that it is in one. So it notes who it is, and the first
//! thread that is stopped tells of both. A logger is never called in a handler, in a
//! window, in a region, with a lock of the runtime's, or from inside a logger.

#![cfg_attr(
    not(any(feature = "log", feature = "tracing")),
    allow(dead_code, reason = "nothing is told")
)]

use core::ffi::c_int;
use core::fmt;
use core::time::Duration;

/// Whether anything is told at all.
pub(crate) const ON: bool = cfg!(any(feature = "log", feature = "tracing"));

/// What of a stop is told.
#[derive(Clone, Copy)]
pub(crate) struct Stop {
    /// The thread that has requested it, if it was requested.
    pub(crate) by: Option<c_int>,
    pub(crate) reason: Option<&'static str>,
    /// How long ago it was requested, or a deadline passed.
    pub(crate) after: Option<Duration>,
    pub(crate) is_deadline: bool,
}

pub(crate) enum Event<'told> {
    Requested(Stop),
    /// With the place in the source, if it is to be told.
    Stopped(Stop, Option<String>),
    TimedOut,
    RegionLeft,
    Overdue(&'told dyn fmt::Display),
}

/// How important an event is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Warn,
    Info,
    Debug,
    /// For [`is_wanted`] alone: the place in the source, which takes long to find.
    Trace,
}

impl Event<'_> {
    fn level(&self) -> Level {
        match self {
            Event::Overdue(_) => Level::Warn,
            Event::Requested(_) | Event::TimedOut | Event::RegionLeft => Level::Info,
            Event::Stopped(..) => Level::Debug,
        }
    }

    #[cfg_attr(not(feature = "tracing"), allow(dead_code, reason = "a field of tracing's"))]
    fn name(&self) -> &'static str {
        match self {
            Event::Requested(_) => "requested",
            Event::Stopped(..) => "stopped",
            Event::TimedOut => "timed_out",
            Event::RegionLeft => "region_left",
            Event::Overdue(_) => "overdue",
        }
    }

    #[cfg_attr(not(feature = "tracing"), allow(dead_code, reason = "fields of tracing's"))]
    fn stop(&self) -> Option<Stop> {
        match self {
            Event::Requested(stop) | Event::Stopped(stop, _) => Some(*stop),
            _ => None,
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(after) = self.after {
            let since = if self.is_deadline { "its deadline" } else { "the request" };
            write!(formatter, " {:.2} s after {since}", after.as_secs_f64())?;
        }
        self.reason.map_or(Ok(()), |reason| write!(formatter, ": {reason}"))
    }
}

/// An event as a line of the thread with this id.
struct Line<'event>(c_int, &'event Event<'event>);

impl fmt::Display for Line<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Line(thread, event) = self;
        match event {
            Event::Requested(Stop { by, reason, .. }) => {
                formatter.write_str("stop requested")?;
                by.map_or(Ok(()), |by| write!(formatter, " by thread {by}"))?;
                reason.map_or(Ok(()), |reason| write!(formatter, ": {reason}"))
            }
            Event::Stopped(stop, place) => {
                write!(formatter, "thread {thread} stopped{stop}")?;
                place.as_ref().map_or(Ok(()), |place| write!(formatter, ", in {place}"))
            }
            Event::TimedOut => write!(formatter, "thread {thread} has left a scope: out of time"),
            Event::RegionLeft => {
                write!(formatter, "thread {thread} has left a region of foreign code after a stop")
            }
            Event::Overdue(report) => write!(formatter, "overdue: {report}"),
        }
    }
}

/// Whether events of this level go anywhere.
pub(crate) fn is_wanted(level: Level) -> bool {
    #[cfg(feature = "log")]
    let by_log = log::log_enabled!(target: "stopruntime", match level {
        Level::Warn => log::Level::Warn,
        Level::Info => log::Level::Info,
        Level::Debug => log::Level::Debug,
        Level::Trace => log::Level::Trace,
    });
    #[cfg(not(feature = "log"))]
    let by_log = false;
    #[cfg(feature = "tracing")]
    let by_tracing = match level {
        Level::Warn => tracing::enabled!(target: "stopruntime", tracing::Level::WARN),
        Level::Info => tracing::enabled!(target: "stopruntime", tracing::Level::INFO),
        Level::Debug => tracing::enabled!(target: "stopruntime", tracing::Level::DEBUG),
        Level::Trace => tracing::enabled!(target: "stopruntime", tracing::Level::TRACE),
    };
    #[cfg(not(feature = "tracing"))]
    let by_tracing = false;
    let _ = level;
    by_log || by_tracing
}

/// Tells of something that has happened to this thread, if anything listens: the frame
/// alone is large, and a stop may come at the end of a stack.
#[inline]
pub(crate) fn tell(thread: c_int, event: &Event<'_>) {
    if is_wanted(event.level()) {
        tell_listeners(thread, event);
    }
}

#[inline(never)]
fn tell_listeners(thread: c_int, event: &Event<'_>) {
    let line = Line(thread, event);
    #[cfg(feature = "log")]
    log::log!(target: "stopruntime", match event.level() {
        Level::Warn => log::Level::Warn,
        Level::Info => log::Level::Info,
        Level::Debug | Level::Trace => log::Level::Debug,
    }, "{line}");
    #[cfg(feature = "tracing")]
    {
        macro_rules! tell {
            ($level:ident) => {{
                let stop = event.stop();
                tracing::event!(
                    target: "stopruntime",
                    tracing::Level::$level,
                    event = event.name(),
                    thread,
                    by = stop.and_then(|stop| stop.by),
                    reason = stop.and_then(|stop| stop.reason),
                    after = stop.and_then(|stop| stop.after).map(|after| after.as_secs_f64()),
                    "{line}"
                );
            }};
        }
        match event.level() {
            Level::Warn => tell!(WARN),
            Level::Info => tell!(INFO),
            Level::Debug | Level::Trace => tell!(DEBUG),
        }
    }
    let _ = line;
}
