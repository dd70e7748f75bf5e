//! `report`: the line for each kind of wait and each reason for not stopping.

mod listing;
mod obstacles;
mod places;
mod waits;

use stop_testkit::emulated::is_emulated;
use stop_tests::leave_out;
use stop_tests::proc::wait_for;
use stopruntime::report::{Activity, ThreadReport};
use stopruntime::thread::{Builder, JoinHandle};

/// Starts a thread whose lines begin with "it".
fn start<T: Send + 'static>(f: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    start_named("it", f)
}

pub(super) fn start_named<T: Send + 'static>(
    name: &str,
    f: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    if is_emulated() {
        leave_out("reports", "/proc shows the machine's own system calls");
    }
    Builder::new().name(name.into()).spawn(f).unwrap()
}

/// Of a line what follows the name and the id, without how long ago a stop was requested
/// and where in the source it waits.
fn text(report: &ThreadReport) -> String {
    let mut report = report.clone();
    if let Activity::Waits(wait) = &mut report.activity {
        wait.place = None;
    }
    let line = report.to_string();
    let begin = report.id.map_or("it: ".into(), |id| format!("it ({id}): "));
    let text = line.strip_prefix(&begin).unwrap_or_else(|| panic!("{line}")).to_owned();
    let Some((before, after)) = text.split_once("stop requested ") else { return text };
    let (age, after) = after.split_once(" ago").unwrap_or_else(|| panic!("{line}"));
    assert!(age.strip_suffix(" s").is_some_and(|age| age.parse::<f64>().is_ok()), "{line}");
    format!("{before}stop requested{after}")
}

/// Waits until the line is this one.
fn says<T>(handle: &JoinHandle<T>, expected: &str) {
    says_one_of(handle, &[expected]);
}

fn says_one_of<T>(handle: &JoinHandle<T>, expected: &[&str]) {
    wait_for_line(handle, &format!("{expected:?}"), |line| expected.contains(&line));
}

/// Waits until the line begins and ends so, with a number in between, say.
fn says_with<T>(handle: &JoinHandle<T>, begin: &str, end: &str) -> String {
    let is_it = |line: &str| line.starts_with(begin) && line.ends_with(end);
    wait_for_line(handle, &format!("{begin:?}, {end:?}"), is_it)
}

fn wait_for_line<T>(handle: &JoinHandle<T>, what: &str, is_it: impl Fn(&str) -> bool) -> String {
    let mut last = String::new();
    wait_for(what, || {
        let line = text(&handle.report());
        if last != line {
            println!("it says: {line}");
            last = line;
        }
        is_it(&last)
    });
    last
}
