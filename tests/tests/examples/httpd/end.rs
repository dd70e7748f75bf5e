//! How it ends: what waits is closed, what is being answered is finished, within a limit.

use crate::httpd::server::{LARGE, Server};
use std::time::{Duration, Instant};
use stop_tests::on_backends;

/// A connection to which a large file is being sent.
fn busy(server: &Server) -> crate::httpd::server::Client {
    let mut client = server.connect();
    client.send("GET /large HTTP/1.1\r\nHost: here\r\n\r\n");
    let (status, _, length) = client.head();
    assert_eq!((status, length), (200, LARGE));
    client
}

on_backends! { crate::example::backends();
    fn a_connection_that_waits_is_closed() {
        let server = Server::start(&[]);
        let mut clients = [server.connect(), server.connect(), server.connect()];
        // Before its first request, between two, and within one.
        assert_eq!(clients[1].get("/a.txt").status, 200);
        assert_eq!(clients[2].get("/a.txt").status, 200);
        clients[2].send("GET /a.txt HTTP/1.1\r\n");
        server.signal(libc::SIGTERM);
        for client in &mut clients {
            // Closed, or reset where something was not read.
            assert!(matches!(client.rest(), Ok(0) | Err(_)));
        }
        assert_eq!(server.ends().code(), Some(0));
    }

    fn an_answer_that_has_begun_is_finished() {
        let server = Server::start(&["--limit", "600"]);
        let mut client = busy(&server);
        let mut waits = server.connect();
        // It has been accepted: one in the queue would be reset.
        assert_eq!(waits.get("/a.txt").status, 200);
        server.signal(libc::SIGTERM);
        // The stop has come: the other one is closed.
        assert_eq!(waits.rest().unwrap(), 0);
        assert_eq!(client.rest().unwrap(), LARGE);
        assert_eq!(server.ends().code(), Some(0));
    }

    fn an_answer_that_nobody_takes_ends_at_the_limit() {
        let server = Server::start(&["--limit", "0.1"]);
        let mut client = busy(&server);
        let start = Instant::now();
        server.signal(libc::SIGTERM);
        assert_eq!(server.ends().code(), Some(0));
        assert!(start.elapsed() >= Duration::from_millis(100));
        // Cut, and the client can see it.
        assert!(client.rest().map_or(true, |length| length < LARGE));
    }
}
