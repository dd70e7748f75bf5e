//! std's bounded sender waits where no request reaches it.

use std::sync::mpsc::SyncSender;

#[stopruntime::stoppable]
fn produce(numbers: SyncSender<u64>) {
    let mut next = 0;
    loop {
        #[blocking]
        numbers.send(next).unwrap();
        next += 1;
    }
}

fn main() {}
