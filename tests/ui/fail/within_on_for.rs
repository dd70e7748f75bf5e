use std::net::TcpListener;
use std::time::Duration;
use stopruntime::stoppable;

#[stoppable]
fn work(listener: &TcpListener) {
    #[blocking(within = Duration::ZERO)]
    for stream in listener.incoming() {
        drop(stream);
    }
}

fn main() {}
