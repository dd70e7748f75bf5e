use stopruntime::stoppable;
use std::net::TcpListener;

#[stoppable]
fn work(listener: &TcpListener) {
    #[blocking]
    for stream in listener.incoming().flatten() {
        drop(stream);
    }
}

fn main() {}
