use stopruntime::stoppable;
use stopruntime::sync::mpsc;

#[stoppable]
fn work(sender: mpsc::Sender<String>, text: String) {
    loop {
        #[blocking]
        sender.send(text).unwrap();
    }
}

fn main() {}
