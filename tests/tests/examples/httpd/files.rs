//! What is served, and what is refused.

use crate::example;
use crate::httpd::server::Server;
use stop_tests::{on_backends, program};

#[test]
fn mistakes_are_named() {
    for (arguments, status, error) in [
        (&["--help"][..], 0, ""),
        (&[], 2, "DIRECTORY is missing"),
        (&["--listne", "x", "."], 2, "invalid option '--listne'"),
        (&["--limit", "-1", "."], 2, "no such time"),
        (&["--listen", "nonsense", "."], 1, "Error: nonsense: "),
        (&["/no/where"], 1, "Error: /no/where: No such file"),
        (&["/dev/null"], 1, "Error: /dev/null: not a directory"),
    ] {
        let output = program(&example::path("httpd")).args(arguments).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {errors}");
        assert!(errors.contains(error), "{arguments:?}: {errors}");
    }
}

on_backends! { crate::example::backends();
    fn files_are_served_and_nothing_else() {
        let server = Server::start(&[]);
        let mut client = server.connect();
        // All over one connection.
        for (target, status, body) in [
            ("/a.txt", 200, "text\n"),
            ("/a.txt?query#part", 200, "text\n"),
            ("/%61.t%78t", 200, "text\n"),
            ("//./a.txt", 200, "text\n"),
            ("/empty", 200, ""),
            ("/link", 200, "text\n"),
            ("/inner%20dir/", 200, "<p>inner"),
            ("/inner%20dir", 301, "301 Moved Permanently\n"),
            ("/nothing", 404, "404 Not Found\n"),
            ("/", 404, "404 Not Found\n"),
            ("/a.txt/", 404, "404 Not Found\n"),
            ("/A.TXT", 404, "404 Not Found\n"),
        ] {
            let answer = client.get(target);
            assert_eq!((answer.status, &answer.body[..]), (status, body.as_bytes()), "{target}");
            assert!(answer.head.contains("\r\nconnection: keep-alive\r\n"), "{}", answer.head);
            assert!(answer.head.contains("\r\ndate: "), "{}", answer.head);
        }
        // Out of the directory, in each way to write it; no name is told from another.
        let nothing = client.get("/nothing").body;
        for target in [
            "/../secret", "/inner%20dir/../../secret", "/%2e%2e/secret", "/..%2fsecret",
            "/%2e%2e%2fsecret", "/way-out", "/up/secret", "/up/", "/inner%20dir/../a.txt",
        ] {
            let answer = client.get(target);
            assert_eq!((answer.status, &answer.body), (404, &nothing), "{target}");
        }
        let moved = client.get("//inner%20dir");
        assert!(moved.head.contains("\r\nlocation: /inner%20dir/\r\n"), "{}", moved.head);
        let text = client.get("/a.txt").head;
        assert!(text.contains("\r\ncontent-type: text/plain; charset=utf-8\r\n"), "{text}");
        let answer = client.get("/large");
        assert!(answer.body.len() == super::server::LARGE && answer.body.iter().all(|it| *it == 0));
        server.signal(libc::SIGTERM);
        assert_eq!(server.ends().code(), Some(0));
    }

    fn requests_are_taken_as_they_come() {
        let server = Server::start(&["--verbose"]);
        let mut client = server.connect();
        // Two at once, and one in pieces.
        client.send("HEAD /a.txt HTTP/1.1\r\nHost: here\r\n\r\nGET /a.txt HTTP/1.1\r\nhost:here\r\n\r\n");
        assert_eq!(client.head().2, 5);
        assert_eq!(client.answer().body, b"text\n");
        for piece in ["GET /a.", "txt HTTP/1.1\r\nHo", "st: here\r\nConnection: x, Close\r", "\n\r\n"] {
            client.send(piece);
        }
        let answer = client.answer();
        assert_eq!(answer.body, b"text\n");
        assert!(answer.head.contains("\r\nconnection: close\r\n"));
        assert_eq!(client.rest().unwrap(), 0);
        for (request, status, closes) in [
            ("GET /a.txt HTTP/1.0\r\n\r\n", 200, true),
            ("POST /a.txt HTTP/1.1\r\nHost: here\r\n\r\n", 405, false),
            ("GET /a.txt HTTP/1.1\r\n\r\n", 400, true),
            ("GET /a.txt HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, true),
            ("GET /a.txt HTTP/2.0\r\nHost: here\r\n\r\n", 505, true),
            ("GET /a.txt\r\n\r\n", 400, true),
            ("GET  /a.txt HTTP/1.1\r\n\r\n", 400, true),
            ("GET a.txt HTTP/1.1\r\nHost: here\r\n\r\n", 400, true),
            ("GET /%6 HTTP/1.1\r\nHost: here\r\n\r\n", 400, true),
            ("GET /a%00b HTTP/1.1\r\nHost: here\r\n\r\n", 400, true),
            ("GET / HTTP/1.1\r\nHost : here\r\n\r\n", 400, true),
            ("PUT / HTTP/1.1\r\nHost: here\r\nContent-Length: 4\r\n\r\n", 413, true),
            ("PUT / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n", 413, true),
        ] {
            let mut client = server.connect();
            client.send(request);
            assert_eq!(client.answer().status, status, "{request:?}");
            if closes {
                assert_eq!(client.rest().unwrap(), 0, "{request:?}");
            } else {
                assert_eq!(client.get("/a.txt").status, 200, "{request:?}");
            }
        }
        let mut client = server.connect();
        client.send(&format!("GET /{} HTTP/1.1\r\n", "a".repeat(8000)));
        client.send(&format!("X: {}", "a".repeat(1000)));
        assert_eq!(client.answer().status, 431);
        drop(client);
        server.signal(libc::SIGINT);
        assert_eq!(server.ends().code(), Some(0));
    }
}
