//! The mark covers `recv`; the lock before it is waited for unstoppably.

use std::sync::Arc;
use stopruntime::sync::{Mutex, mpsc::Receiver};

#[stopruntime::stoppable(break)]
fn work(jobs: Arc<Mutex<Receiver<u64>>>) -> u64 {
    let mut sum = 0;
    loop {
        #[blocking]
        let Ok(job) = jobs.lock().unwrap().recv() else { break };
        sum += job;
    }
    sum
}

fn main() {}
