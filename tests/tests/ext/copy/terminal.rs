//! A terminal cannot give back what has been read: it is read when the other
//! end has room, and what has been read is written.

use super::ends::{Destination, bytes};
use super::{Ends, READS, WRITES, progress};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::thread;
use stop_tests::per_backend;
use stop_tests::started::start;
use stopruntime::ext::copy_or_stop;

/// The side of the person, and the side of the program, which hands on each
/// byte as it is.
fn raw_terminal() -> (File, File) {
    let (mut master, mut slave) = (0, 0);
    let null = core::ptr::null_mut();
    // SAFETY: places for two descriptors, which nothing else owns, and for the
    // settings.
    unsafe {
        let made = libc::openpty(&raw mut master, &raw mut slave, null, null.cast(), null.cast());
        assert_eq!(made, 0);
        let mut settings: libc::termios = core::mem::zeroed();
        assert_eq!(libc::tcgetattr(slave, &raw mut settings), 0);
        libc::cfmakeraw(&raw mut settings);
        assert_eq!(libc::tcsetattr(slave, libc::TCSANOW, &raw const settings), 0);
        (File::from_raw_fd(master), File::from_raw_fd(slave))
    }
}

per_backend! {
    fn a_terminal_outlives_a_full_writer() {
        let bytes = bytes(200_000);
        let (mut master, slave) = raw_terminal();
        let typed = bytes.clone();
        let (close, until) = std::sync::mpsc::channel::<()>();
        let typist = thread::spawn(move || {
            master.write_all(&typed).unwrap();
            // What is still in the terminal is gone with its other side.
            until.recv().unwrap_err();
        });
        let (out, writer) = io::pipe().unwrap();
        let reader = Box::new(slave.take(bytes.len() as u64));
        let ends = Ends { reader, writer: Box::new(writer) };
        let copy = start(move || ends.copy());
        // It waits for room, and holds nothing that is read and not written.
        copy.wait_until_at_rest_in(&[libc::SYS_ppoll]);
        let (outcome, ends) = copy.stopped();
        let first = progress(&outcome);
        assert!(first > 0);
        let collector = Destination::collect(Box::new(out));
        assert_eq!(first + ends.copy_to_the_end(), bytes.len() as u64);
        assert!(collector.join().unwrap() == bytes);
        drop(close);
        typist.join().unwrap();
    }

    fn a_terminal_is_stopped_while_nothing_is_typed() {
        let (mut master, slave) = raw_terminal();
        master.write_all(b"early").unwrap();
        let (mut out, writer) = io::pipe().unwrap();
        let ends = Ends { reader: Box::new(slave.take(9)), writer: Box::new(writer) };
        let copy = start(move || ends.copy());
        let mut got = [0; 5];
        out.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"early");
        copy.wait_until_at_rest_in(&READS);
        let (outcome, ends) = copy.stopped();
        assert_eq!(progress(&outcome), 5);
        master.write_all(b"late").unwrap();
        assert_eq!(ends.copy_to_the_end(), 4);
        let mut rest = Vec::new();
        out.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"late");
    }

    fn a_device_without_an_end_is_stopped_by_a_full_writer() {
        let (mut out, mut writer) = io::pipe().unwrap();
        let mut zeroes = File::open("/dev/zero").unwrap();
        assert!(writer.as_raw_fd() >= 0);
        let copy = start(move || {
            let outcome = copy_or_stop(&mut zeroes, &mut writer);
            (outcome, writer)
        });
        copy.wait_until_at_rest_in(&WRITES);
        let (outcome, writer) = copy.stopped();
        drop(writer);
        let mut all = Vec::new();
        out.read_to_end(&mut all).unwrap();
        assert_eq!(progress(&outcome), all.len() as u64);
        assert!(all.iter().all(|byte| *byte == 0));
    }
}
