//! A thread, and the unit test that proves that it stops.
//!
//! `cargo test -p stop-examples --example guide_unit_test`

use std::io;
use std::net::UdpSocket;
use stopruntime::{stoppable, thread};

/// Adds up the bytes that come to the socket, until it is stopped.
#[stoppable]
fn add_up(socket: &UdpSocket) -> io::Result<usize> {
    let mut bytes = 0;
    let mut buffer = [0; 2048];
    loop {
        #[blocking]
        let length = socket.recv(&mut buffer)?;
        bytes += length;
    }
    Ok(bytes)
}

fn main() -> io::Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let adder = thread::spawn(move || add_up(&socket));
    println!("{} bytes", adder.stop_and_join().expect("no panic")?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::add_up;
    use std::fmt::Debug;
    use std::net::UdpSocket;
    use std::time::Duration;
    use stopruntime::Stopper;
    use stopruntime::report::Activity;
    use stopruntime::thread::{self, JoinHandle};

    /// What the thread returns when it is stopped. A limit, and no sleep: whether the thread
    /// waits already or has not begun is all the same, because no request is lost.
    fn stopped<T: Debug>(thread: JoinHandle<T>) -> T {
        thread.request_stop();
        let ended = thread.join_timeout(Duration::from_secs(10));
        ended.expect("it stops").expect("no panic")
    }

    #[test]
    fn it_stops_whatever_it_is_at() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let adder = thread::spawn(move || add_up(&socket));
        assert_eq!(stopped(adder).unwrap(), 0);
    }

    #[test]
    fn it_stops_while_it_waits() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let adder = thread::spawn(move || add_up(&socket));
        while !matches!(adder.report().activity, Activity::Waits(wait) if wait.marked) {
            std::thread::yield_now();
        }
        assert_eq!(stopped(adder).unwrap(), 0);
    }

    /// Without a thread: what is requested beforehand is found by the first marked call.
    #[test]
    fn what_has_come_stays_for_the_next() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.send_to(b"bytes", socket.local_addr().unwrap()).unwrap();
        let job = Stopper::new();
        job.request_stop();
        assert_eq!(job.run(|| add_up(&socket)).unwrap(), 0);
        assert_eq!(socket.recv(&mut [0; 16]).unwrap(), 5);
    }
}
