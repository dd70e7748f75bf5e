use stopruntime::stoppable;
use std::thread::JoinHandle;

#[stoppable]
fn work(handle: JoinHandle<()>) {
    #[blocking]
    handle.join().unwrap();
}

fn main() {}
