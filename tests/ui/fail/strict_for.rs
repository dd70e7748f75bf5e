use stopruntime::stoppable;
use std::net::TcpListener;

#[stoppable(strict)]
fn work(listener: &TcpListener) {
    for stream in listener.incoming() {
        #[blocking]
        std::thread::sleep(std::time::Duration::from_millis(1));
        drop(stream);
    }
}

fn main() {}
