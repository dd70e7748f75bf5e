//! `within`: a call that may take so long.

use crate::nested::read_frame;
use crate::prelude::*;

const SHORT: Duration = Duration::from_millis(1);
const LONG: Duration = Duration::from_secs(3600);

#[stoppable]
fn plain(socket: &UnixDatagram, limit: Duration) -> io::Result<usize> {
    let mut buffer = [0; 4];
    #[blocking(within = limit)]
    let length = socket.recv(&mut buffer)?;
    Ok(length)
}

#[stoppable]
fn waited(socket: &UnixDatagram, limit: Duration) -> io::Result<usize> {
    blocking!(within = limit, readable, socket.recv(&mut [0; 4]))
}

#[stoppable]
fn nested(socket: &UnixDatagram, limit: Duration) -> io::Result<usize> {
    #[blocking(as_is, within = limit)]
    let frame = read_frame(socket)?;
    Ok(usize::from(frame) + 1)
}

type Receive = fn(&UnixDatagram, Duration) -> io::Result<usize>;
const ALL: [Receive; 3] = [plain, waited, nested];

#[test]
fn a_call_in_time_has_its_value() {
    for receive in ALL {
        assert_eq!(receive(&datagrams(1).1, LONG).unwrap(), 1);
    }
}

#[test]
fn a_call_that_takes_longer_fails() {
    for receive in ALL {
        let (_sender, socket) = datagrams(0);
        let error = receive(&socket, SHORT).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(!is_stopped(&error));
        assert!(stopruntime::check().is_ok(), "the thread goes on");
    }
}

#[test]
fn a_stop_from_farther_out_leaves() {
    for receive in ALL {
        let (_sender, socket) = datagrams(0);
        let thread = waiting(move || receive(&socket, LONG));
        assert!(is_stopped(&thread.stop_and_join().unwrap().unwrap_err()));
    }
}

#[stoppable]
fn beats(socket: &UnixDatagram, limit: Duration) -> u32 {
    let mut beats = 0;
    loop {
        #[blocking(within = limit)]
        let received = socket.recv(&mut [0; 4]);
        match received {
            Ok(_) => return 100,
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::TimedOut),
        }
        beats += 1;
        if beats == 3 {
            request();
        }
    }
    beats
}

#[test]
fn a_loop_goes_round_by_its_limit_and_is_left_by_a_stop() {
    let (_sender, socket) = datagrams(0);
    assert_eq!(requested_after(move || beats(&socket, SHORT)), 3);
}
