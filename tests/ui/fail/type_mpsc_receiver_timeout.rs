use std::sync::mpsc::Receiver;
use std::time::Duration;
use stopruntime::stoppable;

#[stoppable]
fn work(messages: Receiver<u8>) {
    #[blocking]
    let message = messages.recv_timeout(Duration::from_secs(1));
    drop(message);
}

fn main() {}
