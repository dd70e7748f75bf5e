use stopruntime::stoppable;
use std::sync::mpsc::Receiver;

#[stoppable]
fn work(messages: Receiver<u8>) {
    loop {
        #[blocking]
        let message = messages.recv().unwrap();
        println!("{message}");
    }
}

fn main() {}
