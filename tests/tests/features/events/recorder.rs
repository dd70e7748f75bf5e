//! A logger and a subscriber that keep what they are told, and look where they are.

use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use stop_tests::thread_id;
use stopruntime::ext::sleep_or_stop;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};

/// What was told: on which thread, how important, in words.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Told {
    pub(super) on: i32,
    pub(super) level: &'static str,
    pub(super) text: String,
}

static BY_LOG: Mutex<Vec<Told>> = Mutex::new(Vec::new());
static BY_TRACING: Mutex<Vec<(Told, String)>> = Mutex::new(Vec::new());

fn lock<T>(list: &Mutex<T>) -> MutexGuard<'_, T> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins to record.
pub(super) fn begin() {
    log::set_logger(&Recorder).unwrap();
    log::set_max_level(log::LevelFilter::Debug);
    tracing::subscriber::set_global_default(Recorder).unwrap();
}

/// What was told so far, thread by thread; by both in the same words.
pub(super) fn told() -> Vec<Told> {
    let mut told = lock(&BY_LOG).clone();
    let mut by_tracing: Vec<_> = lock(&BY_TRACING).iter().map(|(told, _)| told.clone()).collect();
    for list in [&mut told, &mut by_tracing] {
        list.sort_by_key(|told| told.on);
    }
    assert_eq!(told, by_tracing);
    told
}

/// The fields of the events, except the message.
pub(super) fn fields() -> Vec<String> {
    lock(&BY_TRACING).iter().map(|(_, fields)| fields.clone()).collect()
}

struct Recorder;

/// A logger may wait, and may make marked calls: in no region, and not to be stopped.
fn waits() {
    let time = libc::timespec { tv_sec: 0, tv_nsec: 1000 };
    // SAFETY: a time.
    #[allow(unsafe_code)]
    let slept = unsafe { libc::nanosleep(&raw const time, std::ptr::null_mut()) };
    assert_eq!(slept, 0);
    sleep_or_stop(Duration::from_micros(1)).unwrap();
    assert!(stopruntime::check().is_ok());
}

impl log::Log for Recorder {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target() == "stopruntime"
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            waits();
            let (on, level) = (thread_id(), record.level().as_str());
            lock(&BY_LOG).push(Told { on, level, text: record.args().to_string() });
        }
    }

    fn flush(&self) {}
}

impl tracing::Subscriber for Recorder {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "stopruntime" && *metadata.level() <= tracing::Level::DEBUG
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        waits();
        let mut fields = Fields::default();
        event.record(&mut fields);
        let (on, level) = (thread_id(), event.metadata().level().as_str());
        let Fields { text, others } = fields;
        lock(&BY_TRACING).push((Told { on, level, text }, others));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Fields {
    text: String,
    others: String,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.text = format!("{value:?}"),
            // It differs.
            "after" => self.others += "after; ",
            name => {
                let _ = write!(self.others, "{name}={value:?}; ");
            }
        }
    }
}
