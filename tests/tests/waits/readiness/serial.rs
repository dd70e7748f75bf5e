//! A serial port of the crate serial2: one end of a pseudoterminal.

use crate::readiness::phases::{Subject, phases, text};
use nix::sys::termios::{FlowArg, tcflow};
use serial2::SerialPort;
use stop_tests::per_backend;
use stopruntime::stoppable;

#[stoppable]
fn receive(port: &SerialPort) -> Option<String> {
    let mut buffer = [0; 64];
    #[blocking(readable)]
    let length = port.read(&mut buffer).unwrap();
    Some(text(&buffer[..length]))
}

fn receive_plainly(port: &SerialPort) -> String {
    let mut buffer = [0; 64];
    let length = port.read(&mut buffer).unwrap();
    text(&buffer[..length])
}

#[stoppable]
fn transmit(port: &SerialPort) -> Option<String> {
    #[blocking(writable)]
    let length = port.write(b"x").unwrap();
    Some(length.to_string())
}

fn transmit_plainly(port: &SerialPort) -> String {
    port.write(b"x").unwrap().to_string()
}

per_backend! {
    fn a_serial_port_that_receives() {
        if stop_tests::emulation_hides("a serial port", "TCGETS2 is ENOSYS") {
            return;
        }
        phases(|| {
            let (near, far) = SerialPort::pair().unwrap();
            // Both stay: a line whose other end has gone is readable.
            let other = far.try_clone().unwrap();
            let feed = move |_: &_, _| far.write_all(b"hello").unwrap();
            Subject::new(near, receive, receive_plainly, "hello", feed).keeping(other)
        });
    }

    /// Stopped by the other side, as by ^S.
    fn a_serial_port_that_is_held() {
        if stop_tests::emulation_hides("a serial port", "TCGETS2 is ENOSYS") {
            return;
        }
        phases(|| {
            let (near, far) = SerialPort::pair().unwrap();
            tcflow(&near, FlowArg::TCOOFF).unwrap();
            let go_on = |port: &SerialPort, _| tcflow(port, FlowArg::TCOON).unwrap();
            Subject::new(near, transmit, transmit_plainly, "1", go_on).keeping(far)
        });
    }
}
