use std::net::TcpListener;
use stopruntime::stoppable;

#[stoppable]
fn work(listener: &TcpListener) {
    #[blocking(foreign)]
    for stream in listener.incoming() {
        drop(stream);
    }
}

fn main() {}
