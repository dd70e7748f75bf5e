//! std waits inside `park`, where no request reaches it.

use std::thread;

#[stopruntime::stoppable]
fn idle() {
    loop {
        #[blocking]
        thread::park();
    }
}

fn main() {}
