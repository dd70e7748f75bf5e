//! What /proc says of a thread. proc(5).

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

/// For one step of a test; only a hang comes near it.
pub fn limit() -> Duration {
    crate::limit() / 3
}

/// What tells whether something woke a thread or is about to.
#[derive(Debug, PartialEq, Eq)]
pub struct Rest {
    /// The letter of its state: `S` asleep.
    pub state: String,
    /// Signals sent to the thread alone and not delivered, as bits.
    pub pending: u64,
    /// Signals sent to the process and not delivered, as bits.
    pub shared_pending: u64,
    /// How often it has gone to sleep: one more after each wake-up.
    pub sleeps: u64,
    /// How often it was made to give up the processor.
    pub preemptions: u64,
}

/// One look at a thread of any process.
pub fn rest(thread: i32) -> Rest {
    let text = fs::read_to_string(format!("/proc/{thread}/status")).expect("the thread exists");
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("a known field");
        line.trim_start_matches(':').trim().to_owned()
    };
    let mask = |name| u64::from_str_radix(&field(name), 16).expect("a mask");
    let count = |name| field(name).parse().expect("a count");
    Rest {
        state: field("State").chars().take(1).collect(),
        pending: mask("SigPnd"),
        shared_pending: mask("ShdPnd"),
        sleeps: count("voluntary_ctxt_switches"),
        preemptions: count("nonvoluntary_ctxt_switches"),
    }
}

/// The system call a thread of any process sleeps in, if it does.
pub fn asleep_in(thread: i32) -> Option<libc::c_long> {
    let state = rest(thread).state;
    let number = stop_testkit::emulated::call_of(thread)?;
    (state == "S" && number >= 0).then_some(number)
}

/// Waits until a thread of any process has this state: `T` stopped, `S` asleep.
pub fn wait_for_state(thread: i32, state: &str) {
    wait_for(&format!("thread {thread} to be in state {state}"), || rest(thread).state == state);
}

/// Waits until a thread of any process sleeps in this system call.
pub fn wait_for_sleep_in(thread: i32, call: libc::c_long) {
    wait_for(&format!("a sleep in call {call}"), || asleep_in(thread) == Some(call));
}

/// Waits for what will be the case in a moment.
pub fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + limit();
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::yield_now();
    }
}

/// The helper of deadlines of a process.
#[cfg(target_pointer_width = "64")]
pub fn deadlines_helper(process: i32) -> Option<i32> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("the process is there");
    let mut tasks = tasks.flatten().filter_map(|task| task.file_name().to_str()?.parse().ok());
    tasks.find(|task| {
        let name = fs::read_to_string(format!("/proc/{process}/task/{task}/comm"));
        name.is_ok_and(|name| name.trim() == "stop-deadlines")
    })
}

/// Whether it waits in a futex until a time that never comes.
#[cfg(target_pointer_width = "64")]
fn sleeps_for_good(helper: i32) -> bool {
    let text = fs::read_to_string(format!("/proc/{helper}/syscall")).unwrap_or_default();
    let words: Vec<_> = text.split_whitespace().collect();
    if words.first() != Some(&&*libc::SYS_futex.to_string()) {
        return false;
    }
    let address = u64::from_str_radix(words[4].trim_start_matches("0x"), 16).expect("an address");
    let mut seconds = [0; 8];
    let memory = File::open(format!("/proc/{helper}/mem")).expect("our child's");
    memory.read_exact_at(&mut seconds, address).is_ok()
        && u64::from_ne_bytes(seconds) == u64::MAX / 1_000_000_000
}

/// Waits until it plans for no deadline.
#[cfg(target_pointer_width = "64")]
pub fn wait_for_deadlines_helper(process: i32) {
    wait_for("the helper to sleep", || deadlines_helper(process).is_some_and(sleeps_for_good));
}
