//! Ended while it works: the signal comes at any instant.

use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::thread;

use stop_tests::on_backends;

use crate::syslogd::daemon::{Daemon, Ended, lines_in};
use crate::syslogd::frozen::dropped;
use crate::syslogd::message::{BATCH, Framing, census, lines, message};
use crate::syslogd::tcp::TcpSender;

/// Four connections that send a quarter of the lines each and two that send
/// without end; half of the lines are in the file when it is told to end.
/// `meanwhile` is called until it has ended.
fn busy_connections(daemon: Daemon, meanwhile: impl FnMut(&Daemon)) -> Ended {
    let framings = [Framing::Newline, Framing::OctetCount];
    let senders: Vec<TcpSender> = (0..6)
        .map(|index| TcpSender::connect(daemon.tcp, format!("tcp{index}"), framings[index % 2]))
        .collect();
    let (ended, acknowledged) = thread::scope(|scope| {
        for (index, sender) in senders.iter().enumerate() {
            let count = if index < 4 { lines() / 4 } else { usize::MAX };
            scope.spawn(move || sender.send(0..count));
        }
        daemon.wait_for_lines(lines() / 2);
        let acknowledged: Vec<usize> = senders.iter().map(TcpSender::acknowledged).collect();
        daemon.signal(libc::SIGTERM);
        (daemon.end_while(meanwhile), acknowledged)
    });
    let census = census(ended.text());
    for (sender, acknowledged) in senders.iter().zip(acknowledged) {
        let written = census.get(&sender.name).copied().unwrap_or(0);
        assert!(
            written >= acknowledged,
            "{}: {acknowledged} acknowledged before the signal, {written} in the file",
            sender.name
        );
    }
    assert!(census.values().sum::<usize>() >= lines() / 2);
    ended
}

on_backends! { crate::example::backends();
    fn tcp_senders_find_what_was_acknowledged() {
        busy_connections(Daemon::start(), |_| ());
    }

    fn further_signals_change_nothing() {
        busy_connections(Daemon::start(), |daemon| {
            daemon.signal(libc::SIGINT);
            daemon.signal(libc::SIGTERM);
        });
    }

    fn udp_senders_find_what_was_sent() {
        let daemon = Daemon::start();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        for first in (0..lines()).step_by(BATCH) {
            for number in first..first + BATCH {
                socket.send_to(&message("udp", number, Framing::None), daemon.udp).unwrap();
            }
            if first + BATCH < lines() {
                daemon.wait_for_lines(first + BATCH);
            }
        }
        assert_eq!(dropped(daemon.udp), 0);
        daemon.signal(libc::SIGTERM);
        // Those who come later may come too late, and disturb nothing.
        let mut late = 0;
        let ended = daemon.end_while(|daemon| {
            let _ = socket.send_to(&message("lossy", late, Framing::None), daemon.udp);
            late += 1;
        });
        assert_eq!(census(ended.text())["udp"], lines());
    }

    fn a_sender_that_never_pauses_is_left_behind() {
        let daemon = Daemon::start();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        // Control characters take milliseconds to write and microseconds to
        // send, so the queue stays full.
        let datagram = vec![7; 30_000];
        let flood = |daemon: &Daemon| {
            let _ = socket.send_to(&datagram, daemon.udp);
        };
        daemon.freeze();
        while dropped(daemon.udp) == 0 {
            flood(&daemon);
        }
        daemon.terminate_and_thaw();
        let ended = daemon.end_while(flood);
        ended.check_counts();
        // What was in the queue, and what came before the signal was handled: that it has ended
        // says that it has not gone on.
        assert!(lines_in(&ended.file) >= 1);
    }

    fn unix_senders_find_what_was_sent() {
        let daemon = Daemon::start();
        let socket = UnixDatagram::unbound().unwrap();
        socket.connect(daemon.unix()).unwrap();
        thread::scope(|scope| {
            let sender = scope.spawn(|| {
                // Ends when the other side says that it hears no more.
                let sent = |number: &usize| {
                    socket.send(&message("unix", *number, Framing::None)).is_ok()
                };
                (0..usize::MAX).take_while(sent).count()
            });
            daemon.wait_for_lines(lines() / 2);
            daemon.signal(libc::SIGTERM);
            // Not one more and not one less than `send` has promised.
            assert_eq!(census(daemon.end().text())["unix"], sender.join().unwrap());
        });
    }

    fn all_at_once() {
        let daemon = Daemon::start();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let unix = UnixDatagram::unbound().unwrap();
        unix.connect(daemon.unix()).unwrap();
        udp.connect(daemon.udp).unwrap();
        // One of each is there before the others begin, however late their threads are.
        udp.send(&message("lossy", 0, Framing::None)).unwrap();
        unix.send(&message("unix", 0, Framing::None)).unwrap();
        daemon.wait_for_lines(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                // More than it can take: what has no room is dropped. Ends when
                // no socket listens: a connected sender is told so.
                let sent = |number: &usize| {
                    udp.send(&message("lossy", *number, Framing::None)).is_ok()
                };
                (1..usize::MAX).take_while(sent).count()
            });
            let unix_sender = scope.spawn(|| {
                let sent = |number: &usize| {
                    unix.send(&message("unix", *number, Framing::None)).is_ok()
                };
                (1..usize::MAX).take_while(sent).count()
            });
            let census = census(busy_connections(daemon, |_| ()).text());
            assert_eq!(census["unix"], 1 + unix_sender.join().unwrap());
            assert!(census["lossy"] > 0);
        });
    }
}
