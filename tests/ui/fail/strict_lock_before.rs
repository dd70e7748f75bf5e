use std::sync::Mutex;
use stopruntime::stoppable;
use stopruntime::sync::mpsc::Receiver;

#[stoppable(strict)]
fn work(shared: &Mutex<Receiver<u8>>) {
    let first = shared.lock().unwrap().recv();
    let messages = shared.lock().unwrap();
    #[blocking]
    let second = messages.recv();
    drop((first, second));
}

fn main() {}
