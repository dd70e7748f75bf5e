use std::net::TcpListener;
use stopruntime::stoppable;

#[stoppable]
fn work(listener: &TcpListener) {
    #[blocking(foreign_reset)]
    for stream in listener.incoming() {
        drop(stream);
    }
}

fn main() {}
