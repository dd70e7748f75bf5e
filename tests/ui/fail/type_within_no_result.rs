use std::thread;
use std::time::Duration;
use stopruntime::stoppable;

#[stoppable]
fn work() {
    #[blocking(within = Duration::ZERO)]
    thread::sleep(Duration::MAX);
}

fn main() {}
