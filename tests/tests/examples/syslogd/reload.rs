//! SIGHUP: the file is opened anew, and no line is lost or cut.

use std::fs;

use stop_tests::on_backends;

use crate::syslogd::daemon::{Daemon, wait_until};
use crate::syslogd::message::{Framing, census, lines};
use crate::syslogd::tcp::TcpSender;

on_backends! { crate::example::backends();
    fn its_file_can_be_moved_away_while_it_writes() {
        const TURNS: usize = 5;
        let daemon = Daemon::start();
        let sender = TcpSender::connect(daemon.tcp, "tcp".into(), Framing::Newline);
        let log = daemon.log();
        let moved = |turn: usize| log.with_extension(turn.to_string());
        std::thread::scope(|scope| {
            let sending = scope.spawn(|| sender.send(0..lines()));
            for turn in 0..TURNS {
                fs::rename(&log, moved(turn)).unwrap();
                daemon.signal(libc::SIGHUP);
                wait_until("there is another file", || log.exists());
            }
            sending.join().unwrap();
        });
        sender.wait_for_acknowledgement();
        // Closed before the next one was there.
        let moved: Vec<u8> = (0..TURNS).flat_map(|turn| fs::read(moved(turn)).unwrap()).collect();
        daemon.signal(libc::SIGTERM);
        let mut ended = daemon.end();
        ended.file.splice(0..0, moved);
        assert_eq!(ended.errors, "");
        assert_eq!(census(ended.text())["tcp"], lines());
    }
}
