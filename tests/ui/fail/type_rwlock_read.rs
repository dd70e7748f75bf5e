//! std's lock waits where no request reaches it.

use std::sync::RwLock;

#[stopruntime::stoppable]
fn look(number: RwLock<u64>) -> Option<u64> {
    #[blocking]
    let number = number.read().unwrap();
    Some(*number)
}

fn main() {}
