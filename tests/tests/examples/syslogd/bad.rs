//! What is no syslog message: kept, counted, never fatal.

use std::io::Write;
use std::net::{TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram;

use stop_tests::on_backends;

use crate::syslogd::daemon::{Daemon, lines_in};

/// Sends this on a connection of its own.
fn send(daemon: &Daemon, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(daemon.tcp).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

on_backends! { crate::example::backends();
    fn bad_lines_are_kept_and_counted() {
        let daemon = Daemon::start();
        let mut expected = Vec::new();
        let mut expect = |lines: &[&[u8]]| {
            for line in lines {
                expected.extend_from_slice(line);
                expected.push(b'\n');
            }
            lines_in(&expected)
        };

        let long = vec![b'x'; 70_000];
        let mut stream = send(&daemon, b"no priority\n<13>Nov 22 16:00:00 host app[1]: good\n");
        stream.write_all(b"\xff\xfe\n\n\r\nbell \x07 and tab \t\r\n42 is no count\n").unwrap();
        stream.write_all(b"9999999 <13>too long a count\n").unwrap();
        stream.write_all(&[&long[..], b"\nno newline"].concat()).unwrap();
        drop(stream);
        let count = expect(&[
            b"no priority",
            b"2026-11-22T16:00:00+00:00 host user.notice app[1]: good",
            b"\xff\xfe",
            b"bell #007 and tab \t",
            b"42 is no count",
            b"9999999 <13>too long a count",
            &long[..64 * 1024],
            &long[64 * 1024..],
            b"no newline",
        ]);
        daemon.wait_for_lines(count);

        drop(send(&daemon, b"8 <counted19 <of two\nlines\x00 etc>line after it\n99 <not to its end"));
        let count = expect(&[b"<counted", b"<of two#012lines#000 etc>", b"line after it"]);
        daemon.wait_for_lines(count);

        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        for datagram in [&b""[..], b"\n", b"\x80\x81", b"two\nlines\n\0"] {
            udp.send_to(datagram, daemon.udp).unwrap();
        }
        let count = expect(&[b"\x80\x81", b"two#012lines"]);
        daemon.wait_for_lines(count);

        let unix = UnixDatagram::unbound().unwrap();
        unix.send_to(b"just text", daemon.unix()).unwrap();
        unix.send_to(b"<13>Nov 22 16:00:00 app[1]: local", daemon.unix()).unwrap();
        let count =
            expect(&[b"just text", b"2026-11-22T16:00:00+00:00 - user.notice app[1]: local"]);
        daemon.wait_for_lines(count);

        daemon.signal(libc::SIGTERM);
        let ended = daemon.end();
        ended.check_counts();
        assert_eq!(ended.file.escape_ascii().to_string(), expected.escape_ascii().to_string());
        assert_eq!((ended.bad("tcp"), ended.bad("udp"), ended.bad("unix")), (11, 2, 1));
        assert!(ended.counts.contains("1 messages without an end"), "{}", ended.counts);
    }

    fn a_reset_ends_one_connection() {
        let daemon = Daemon::start();
        let whole = b"<13>Nov 22 16:00:00 host app[1]: whole\n<13>Nov 22 16:00:00 host app[1]: ha";
        let reset = send(&daemon, whole);
        daemon.wait_for_lines(1);
        // One write, so the half was read with the whole.
        reset_on_close(&reset);
        drop(reset);
        let _other = send(&daemon, b"<13>Nov 22 16:00:00 host app[1]: after\n");
        daemon.wait_for_lines(2);
        daemon.signal(libc::SIGINT);
        let ended = daemon.end();
        let text = ended.text();
        assert!(text.ends_with("whole\n2026-11-22T16:00:00+00:00 host user.notice app[1]: after\n"));
        assert!(ended.counts.contains("1 messages without an end"), "{}", ended.counts);
        assert!(ended.errors.contains("reset by peer"), "{}", ended.errors);
    }
}

/// Makes `close` send a reset. socket(7), `SO_LINGER`.
fn reset_on_close(stream: &TcpStream) {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    let size = size_of_val(&linger).try_into().expect("a small structure");
    // SAFETY: an open socket, and the option is read from a `linger` of its size.
    let outcome = unsafe {
        libc::setsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_LINGER,
            (&raw const linger).cast(),
            size,
        )
    };
    assert_eq!(outcome, 0, "the option can be set");
}
