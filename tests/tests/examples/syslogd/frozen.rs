//! Stopped by SIGSTOP the daemon reads nothing, so what is sent then is still
//! in the kernel when it finds SIGTERM: no chance is left to timing.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::os::unix::net::UnixDatagram;

use stop_tests::on_backends;
use stop_tests::proc::wait_for;

use crate::syslogd::daemon::Daemon;
use crate::syslogd::message::{Framing, census, message};
use crate::syslogd::tcp::TcpSender;

on_backends! { crate::example::backends();
    fn datagrams_in_the_queue_are_written() {
        let daemon = Daemon::start();
        daemon.freeze();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        for number in 0..100 {
            udp.send_to(&message("udp", number, Framing::None), daemon.udp).unwrap();
        }
        assert_eq!(dropped(daemon.udp), 0, "so few fit into the queue");
        let unix = UnixDatagram::unbound().unwrap();
        unix.connect(daemon.unix()).unwrap();
        unix.set_nonblocking(true).unwrap();
        let mut queued = 0;
        let full = loop {
            match unix.send(&message("unix", queued, Framing::None)) {
                Ok(_) => queued += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(full.kind(), ErrorKind::WouldBlock);
        daemon.terminate_and_thaw();
        let ended = daemon.end();
        let expected = [("udp".to_owned(), 100), ("unix".to_owned(), queued)];
        assert_eq!(census(ended.text()), BTreeMap::from(expected));
    }

    fn acknowledged_bytes_are_written() {
        let daemon = Daemon::start();
        let mut senders = Vec::new();
        for (index, framing) in [Framing::Newline, Framing::OctetCount].into_iter().enumerate() {
            let sender = TcpSender::connect(daemon.tcp, format!("read{index}"), framing);
            sender.send(0..1);
            daemon.wait_for_lines(index + 1);
            senders.push((sender, 1));
        }
        daemon.freeze();
        // Their threads wait in `read`; those of the next do not exist yet.
        for index in 0..40 {
            let framing = [Framing::Newline, Framing::OctetCount][index % 2];
            senders.push((TcpSender::connect(daemon.tcp, format!("new{index}"), framing), 0));
        }
        let mut expected = BTreeMap::new();
        for (index, (sender, first)) in senders.iter().enumerate() {
            let count = 10 + index;
            sender.send(*first..count);
            sender.wait_for_acknowledgement();
            assert_eq!(sender.acknowledged(), count);
            expected.insert(sender.name.clone(), count);
        }
        daemon.terminate_and_thaw();
        assert_eq!(census(daemon.end().text()), expected);
    }

    fn a_message_without_its_end_is_not_written() {
        let daemon = Daemon::start();
        let sender = TcpSender::connect(daemon.tcp, "whole".to_owned(), Framing::Newline);
        sender.send(0..1);
        daemon.wait_for_lines(1);
        daemon.freeze();
        sender.send(1..20);
        sender.send_half_of(20);
        sender.wait_for_acknowledgement();
        daemon.terminate_and_thaw();
        let ended = daemon.end();
        assert_eq!(census(ended.text()), BTreeMap::from([("whole".to_owned(), 20)]));
        assert!(ended.counts.contains("1 messages without an end"), "{}", ended.counts);
    }
}

/// Datagrams that the kernel had no room for, by its own count. proc(5).
pub(crate) fn dropped(address: SocketAddr) -> u64 {
    let port = format!(":{:04X}", address.port());
    let mut count = None;
    // The kernel writes the table in pieces, and may leave a row out at their edges if other
    // sockets are made or closed between two of them.
    wait_for("the socket in the table", || {
        let table = fs::read_to_string("/proc/net/udp").unwrap();
        let mut rows = table.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
        let row = rows.find(|row| row.get(1).is_some_and(|local| local.ends_with(&port)));
        count = row.map(|row| row.last().unwrap().parse().unwrap());
        count.is_some()
    });
    count.unwrap()
}
