//! Both waits of a shared receiver marked.

use std::sync::Arc;
use stopruntime::sync::{Mutex, mpsc::Receiver};

#[stopruntime::stoppable(break)]
fn work(jobs: Arc<Mutex<Receiver<u64>>>) -> u64 {
    let mut sum = 0;
    while let Ok(job) = blocking!(blocking!(jobs.lock()).unwrap().recv()) {
        sum += job;
    }
    sum
}

fn main() {
    let _ = work;
}
