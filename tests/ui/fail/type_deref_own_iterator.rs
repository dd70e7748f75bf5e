//! Nor one that a loop goes over.

use std::net::{TcpListener, TcpStream};
use std::ops::Deref;

use stopruntime::stoppable;

struct Checked(TcpListener);

impl Deref for Checked {
    type Target = TcpListener;

    fn deref(&self) -> &TcpListener {
        &self.0
    }
}

impl Checked {
    fn incoming(&self) -> impl Iterator<Item = TcpStream> {
        self.0.incoming().flatten()
    }
}

#[stoppable]
fn work(listener: &Checked) {
    #[blocking]
    for stream in listener.incoming() {
        drop(stream);
    }
}

fn main() {}
