//! Scopes that are no threads: what `Stopper::run` and `within` run, stopped from
//! outside or by a deadline, on each backend; and what they leave behind.

mod asynchronous;
mod callbacks;
mod channels;
mod checks;
mod ends;
mod idle;
mod leaving;
mod limits;
mod many;
mod overdue;
mod requests;
mod shields;
mod trees;

use std::fs;
use std::io::{PipeReader, PipeWriter, pipe};
use std::time::Duration;
use stop_tests::wait_until_blocked_in;
use stopruntime::ext::{ReadOrStop, park_or_stop, sleep_or_stop};
use stopruntime::{Stopped, sync};

const READS: [libc::c_long; 2] = [libc::SYS_read, libc::SYS_ppoll];

const LONG: Duration = Duration::from_secs(3600);

/// A pipe that stays empty: what a marked read waits on.
fn quiet() -> (PipeReader, PipeWriter) {
    pipe().unwrap()
}

/// Waits until this thread of the runtime's sleeps.
fn wait_for_rest_of(name: &str) {
    let is_it = |task: &fs::DirEntry| {
        fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.trim() == name)
    };
    let task = loop {
        let mut tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
        if let Some(task) = tasks.find(is_it) {
            break task;
        }
        // Names itself as it starts.
        std::thread::yield_now();
    };
    let id = task.file_name().to_str().unwrap().parse().unwrap();
    wait_until_blocked_in(id, &[libc::SYS_futex]);
}

/// Waits until it is stopped.
fn stopped(mut reader: &PipeReader) -> Stopped {
    reader.read_or_stop(&mut [0]).expect_err("nothing is ever written")
}

/// Reads the byte that comes.
fn reads(mut reader: &PipeReader) {
    assert_eq!(reader.read_or_stop(&mut [0]).expect("not stopped").expect("not interrupted"), 1);
}

/// Waits for ever, in each kind of wait.
fn waits() -> [fn(&PipeReader) -> Stopped; 4] {
    [
        stopped,
        |_| sleep_or_stop(LONG).unwrap_err(),
        |_| loop {
            if let Err(stopped) = park_or_stop() {
                return stopped;
            }
        },
        |_| {
            let mutex = sync::Mutex::new(());
            let _guard = mutex.lock().unwrap();
            mutex.lock_or_stop().unwrap_err()
        },
    ]
}
