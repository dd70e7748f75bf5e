use std::sync::{Condvar, Mutex};
use stopruntime::stoppable;

#[stoppable]
fn work(ready: &Condvar, lock: &Mutex<bool>) {
    let guard = lock.lock().unwrap();
    #[blocking]
    let _guard = ready.wait(guard).unwrap();
}

fn main() {}
