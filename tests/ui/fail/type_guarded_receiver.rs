use std::sync::{Mutex, mpsc::Receiver};
use stopruntime::stoppable;

#[stoppable]
fn work(jobs: &Mutex<Receiver<u8>>) {
    let jobs = jobs.lock().unwrap();
    #[blocking]
    jobs.recv().unwrap();
}

fn main() {}
