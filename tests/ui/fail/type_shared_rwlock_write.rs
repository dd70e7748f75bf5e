//! As the mutex, also behind an `Arc`.

use std::sync::{Arc, RwLock};

#[stopruntime::stoppable]
fn set(number: Arc<RwLock<u64>>) -> Option<()> {
    #[blocking]
    let mut number = number.write().unwrap();
    *number += 1;
    Some(())
}

fn main() {}
