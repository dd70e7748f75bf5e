//! std's mutex waits where no request reaches it.

use std::sync::Mutex;

#[stopruntime::stoppable]
fn take(number: Mutex<u64>) -> Option<u64> {
    #[blocking]
    let number = number.lock().unwrap();
    Some(*number)
}

fn main() {}
