//! Where in the source a thread waits.

use super::start;
use std::io::{self, PipeReader, Read, pipe};
use std::os::fd::AsRawFd;
use std::sync::mpsc::{Receiver, channel};
use stop_tests::per_backend;
use stop_tests::proc::wait_for;
use stopruntime::report::Activity;
use stopruntime::stoppable;
use stopruntime::thread::JoinHandle;

#[stoppable]
#[inline(never)]
fn waits_marked(reader: &mut PipeReader) -> io::Result<usize> {
    #[blocking]
    let count = reader.read(&mut [0])?;
    Ok(count)
}

#[inline(never)]
fn waits_in_std(receiver: &Receiver<()>) -> bool {
    receiver.recv().is_err()
}

#[inline(never)]
fn waits_plainly(reader: &mut PipeReader) -> usize {
    reader.read(&mut [0]).unwrap()
}

#[inline(never)]
fn waits_in_libc(reader: &PipeReader) -> i32 {
    let mut polled = libc::pollfd { fd: reader.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one descriptor.
    #[allow(unsafe_code)]
    let ready = unsafe { libc::poll(&raw mut polled, 1, -1) };
    ready
}

/// Waits until its place is in this function.
fn is_in<T>(it: &JoinHandle<T>, function: &str) {
    let mut last = None;
    wait_for(function, || {
        let report = it.report();
        let Activity::Waits(wait) = &report.activity else { return false };
        if last != wait.place {
            println!("{:?}", wait.place);
            last.clone_from(&wait.place);
        }
        let Some(place) = &wait.place else { return false };
        assert!(report.to_string().contains(&format!(", in {place}")), "{report}");
        // With its path or without, and with the line if the program was built so.
        place.split([' ', ':']).any(|word| word == function)
    });
}

per_backend! {
    fn of_a_marked_call_and_of_another() {
        let (mut reader, writer) = pipe().unwrap();
        let it = start(move || waits_marked(&mut reader).is_err());
        is_in(&it, "waits_marked");
        assert!(it.stop_and_join().unwrap());
        drop(writer);

        let (sender, receiver) = channel();
        let it = start(move || waits_in_std(&receiver));
        is_in(&it, "waits_in_std");
        drop(sender);
        assert!(it.join().unwrap());

        let (mut reader, writer) = pipe().unwrap();
        let it = start(move || waits_plainly(&mut reader));
        is_in(&it, "waits_plainly");
        drop(writer);
        assert_eq!(it.join().unwrap(), 0);

        let (reader, writer) = pipe().unwrap();
        let it = start(move || waits_in_libc(&reader));
        is_in(&it, "waits_in_libc");
        drop(writer);
        assert_eq!(it.join().unwrap(), 1);
    }
}
