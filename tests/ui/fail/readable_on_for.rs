use stopruntime::stoppable;
use std::net::TcpListener;

#[stoppable]
fn work(listener: &TcpListener) {
    #[blocking(readable)]
    for stream in listener.incoming() {
        drop(stream);
    }
}

fn main() {}
