//! The shortest way through: one marked call, one request; and a thread that
//! the runtime hears of by its call.

use std::io::{Write, pipe};
use std::net::UdpSocket;
use std::sync::mpsc;
use stop_tests::{per_backend, thread_id, wait_until_blocked};
use stopruntime::ext::{ReadOrStop, RecvFromOrStop};
use stopruntime::thread;

per_backend! {
    fn a_request_ends_a_blocked_recv_from() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (sender, receiver) = mpsc::channel();
        let handle = thread::spawn(move || {
            sender.send(thread_id()).unwrap();
            socket.recv_from_or_stop(&mut [0; 16]).is_err()
        });
        let _ = wait_until_blocked(receiver.recv().unwrap());
        assert!(handle.request_stop());
        assert!(handle.join().unwrap());
    }

    fn the_first_call_of_a_thread_is_made() {
        let (mut reader, mut writer) = pipe().unwrap();
        writer.write_all(b"x").unwrap();
        let read = std::thread::spawn(move || reader.read_or_stop(&mut [0; 2]).unwrap().unwrap());
        assert_eq!(read.join().unwrap(), 1);
    }
}
