use stopruntime::stoppable;
use std::net::TcpListener;

#[stoppable]
fn work(listener: &TcpListener) {
    #[blocking(as_is)]
    for stream in listener.incoming() {
        drop(stream);
    }
}

fn main() {}
