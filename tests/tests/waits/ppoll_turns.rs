//! Calls that nothing makes non-waiting, on the backend without windows: what
//! one caller has seen to be ready, another one takes, and the first would wait
//! where no request reaches it. `STOP_TESTS_STOPS` sets the number of
//! connections.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use stop_tests::dice::runs;
use stop_tests::on_backends;
use stop_tests::proc::{asleep_in, wait_for};
use stop_tests::started::{Started, start};
use stopruntime::ext::AcceptOrStop;

const ACCEPTORS: usize = 4;

on_backends! { ["ppoll"];
    fn many_that_accept_from_one_listener_never_wait_in_accept() {
        let listener = Arc::new(TcpListener::bind("127.0.0.1:0").unwrap());
        let accepted = Arc::new(AtomicU64::new(0));
        let acceptors: Vec<Started<()>> = (0..ACCEPTORS)
            .map(|_| {
                let (listener, accepted) = (Arc::clone(&listener), Arc::clone(&accepted));
                start(move || {
                    while let Ok(connection) = listener.accept_or_stop() {
                        drop(connection.unwrap());
                        accepted.fetch_add(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        let address = listener.local_addr().unwrap();
        for made in 1..=runs(300) {
            // All of them are woken for it.
            let in_ppoll = |one: &Started<()>| asleep_in(one.thread()) == Some(libc::SYS_ppoll);
            wait_for("all of them to wait in ppoll", || acceptors.iter().all(in_ppoll));
            drop(TcpStream::connect(address).unwrap());
            wait_for("one of them", || accepted.load(Ordering::SeqCst) == made);
        }
        for acceptor in &acceptors {
            acceptor.request_stop();
        }
        for acceptor in acceptors {
            acceptor.ended();
        }
    }
}
