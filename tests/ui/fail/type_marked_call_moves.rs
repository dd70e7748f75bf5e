use stopruntime::stoppable;
use stopruntime::thread;

#[stoppable]
fn work(handle: thread::JoinHandle<()>) {
    loop {
        #[blocking]
        handle.join().unwrap();
    }
}

fn main() {}
