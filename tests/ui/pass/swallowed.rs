//! An unmarked caller that swallows a stop: said once, with the place, and not before.

use std::env;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};

use stopruntime::{Stopper, stoppable, thread};

#[stoppable] // said of this line
fn receive(socket: &UnixDatagram) -> io::Result<usize> {
    #[blocking]
    socket.recv(&mut [0])
}

#[stoppable]
fn in_a_loop(socket: &UnixDatagram) {
    loop {
        let _ = blocking!(socket.recv(&mut [0]));
    }
}

fn called(times: usize, call: impl Fn(&UnixDatagram)) {
    let (_sender, socket) = UnixDatagram::pair().unwrap();
    for _ in 0..times {
        call(&socket);
    }
}

/// In a thread that is requested to stop.
fn swallow(times: usize, call: fn(&UnixDatagram)) {
    thread::spawn(move || {
        Stopper::current().request_stop();
        called(times, call);
    })
    .join()
    .unwrap();
}

fn main() {
    let twice = |call: fn(&UnixDatagram)| (0..2).for_each(|_| swallow(3000, call));
    match env::args().nth(1).as_deref() {
        Some("function") => twice(|socket| drop(receive(socket))),
        Some("loop") => twice(in_a_loop),
        Some("few") => swallow(999, |socket| drop(receive(socket))),
        // Jobs that are stopped, on a thread that is not.
        Some("jobs") => (0..3000).for_each(|_| {
            let job = Stopper::new();
            job.request_stop();
            job.run(|| called(1, in_a_loop));
        }),
        _ => {
            let said = |what| {
                let mut child = Command::new(env::current_exe().unwrap());
                let child = child.arg(what).stderr(Stdio::piped()).spawn().unwrap();
                let output = child.wait_with_output().unwrap();
                assert!(output.status.success());
                String::from_utf8(output.stderr).unwrap()
            };
            for (what, line) in [("function", "swallowed.rs:10:"), ("loop", "swallowed.rs:16:")] {
                let said = said(what);
                assert_eq!(said.matches("has been stopped").count(), 1, "{what}: {said}");
                assert!(said.contains(line), "{what}: {said}");
            }
            for what in ["few", "jobs"] {
                assert_eq!(said(what), "", "{what}");
            }
        }
    }
}
