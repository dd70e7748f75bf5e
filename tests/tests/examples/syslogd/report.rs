//! The report of the running daemon, on SIGUSR2.

use std::net::TcpStream;

use stop_tests::{emulation_hides, on_backends};

use crate::syslogd::daemon::Daemon;

on_backends! { crate::example::backends();
    fn on_sigusr2_it_says_what_each_thread_does() {
        if emulation_hides("the report", "/proc shows the machine's own system calls") {
            return;
        }
        let mut daemon = Daemon::start();
        let stream = TcpStream::connect(daemon.tcp).unwrap();
        // Until all of them are there, and wait.
        let report = loop {
            daemon.signal(libc::SIGUSR2);
            let report = daemon.report();
            let is_marked = |line: &&String| line.contains(": waits in ") && line.contains(" (marked)");
            let waits = report.iter().filter(is_marked).count();
            if report.len() == 6 && waits == 6 {
                break report;
            }
        };
        let says = |begin: &str, what: &str| {
            let line = report.iter().find(|line| line.starts_with(begin));
            let line = line.unwrap_or_else(|| panic!("no {begin:?} in {report:#?}"));
            assert!(line.contains(" (marked) on descriptor ") && line.contains(what), "{line}");
        };
        says("udp 127.0.0.1:", &format!("(UDP {})", daemon.udp));
        says("tcp 127.0.0.1:", &format!("(TCP {})", daemon.tcp));
        says("unix ", &format!("(Unix datagram {})", daemon.unix().display()));
        let (own, peer) = (daemon.tcp, stream.local_addr().unwrap());
        says("connection (", &format!("(TCP {own} to {peer})"));
        assert!(report.iter().any(|line| line.starts_with("writer (") && line.contains(" (marked)")));
        assert!(report.iter().any(|line| line.starts_with("syslogd (") && line.contains(" (marked)")));
        drop(stream);
        daemon.terminate_and_thaw();
        daemon.end().check_counts();
    }
}
