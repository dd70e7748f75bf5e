use stopruntime::stoppable;
use std::sync::mpsc::Receiver;

#[stoppable]
fn work(messages: Receiver<u8>) {
    #[blocking]
    for message in messages.iter() {
        println!("{message}");
    }
}

fn main() {}
