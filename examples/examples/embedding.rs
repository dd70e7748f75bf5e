//! An extension of an interpreter, as `PyO3` makes them for Python: Ctrl-C interrupts the
//! call that the interpreter is in, and the next call works.
//!
//! `cargo run --example embedding`, then a line with a command: `listen` waits for a
//! datagram.

use signal_hook::consts::SIGINT;
use signal_hook::iterator::Signals;
use std::io::{self, stdin};
use std::net::UdpSocket;
use std::sync::Mutex;
use std::thread;
use stopruntime::{Stopper, is_stopped, stoppable};

// ---- the extension ----

/// The call that the interpreter is in.
static CALL: Mutex<Option<Stopper>> = Mutex::new(None);

/// Interrupts the call, once for all calls to come. `signal_hook` calls the handler that
/// was there before, so Python still raises its `KeyboardInterrupt`.
fn initialize() -> io::Result<()> {
    let mut signals = Signals::new([SIGINT])?;
    thread::spawn(move || {
        for _ in signals.forever() {
            if let Some(call) = &*CALL.lock().expect("no panic") {
                call.request_stop_because("Ctrl-C");
            }
        }
    });
    Ok(())
}

/// Every function of the extension goes through this, with the interpreter's lock released
/// (`py.detach(|| interruptible(…))`).
fn interruptible<T>(f: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let call = Stopper::new();
    *CALL.lock().expect("no panic") = Some(call.clone());
    let result = call.run(f);
    *CALL.lock().expect("no panic") = None;
    result
}

#[stoppable]
fn listen() -> io::Result<String> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    println!("listening on {}", socket.local_addr()?);
    let mut buffer = [0; 64];
    #[blocking]
    let length = socket.recv(&mut buffer)?;
    Ok(String::from_utf8_lossy(&buffer[..length]).into_owned())
}

// ---- the interpreter ----

fn main() -> io::Result<()> {
    initialize()?;
    for line in stdin().lines() {
        let result = match line?.as_str() {
            "listen" => interruptible(listen),
            other => Err(io::Error::other(format!("no function {other}"))),
        };
        match result {
            Ok(text) => println!("{text:?}"),
            Err(error) if is_stopped(&error) => println!("KeyboardInterrupt: {error}"),
            Err(error) => println!("Error: {error}"),
        }
    }
    Ok(())
}
