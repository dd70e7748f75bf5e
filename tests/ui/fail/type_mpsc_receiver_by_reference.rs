use stopruntime::stoppable;
use std::sync::mpsc::Receiver;

#[stoppable]
fn work(messages: &Receiver<u8>) {
    #[blocking]
    let message = messages.recv();
    drop(message);
}

fn main() {}
