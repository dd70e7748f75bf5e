//! An extension of Python whose calls end at Ctrl-C: the call that Python is in is stopped,
//! `KeyboardInterrupt` is raised, and the next call works.
//!
//! ```text
//! cargo build -p stop-examples --features guide_python --example guide_python
//! cp target/debug/examples/libguide_python.so guide_python.so
//! python3 -c 'import guide_python; print(guide_python.receive("127.0.0.1:2000"))'
//! ```

use pyo3::prelude::*;
use signal_hook::consts::SIGINT;
use signal_hook::iterator::Signals;
use std::io;
use std::net::UdpSocket;
use std::sync::Mutex;
use std::thread;
use stopruntime::{Stopper, stoppable};

/// The call that Python is in.
static CALL: Mutex<Option<Stopper>> = Mutex::new(None);

/// Runs `f` without Python's lock, until Ctrl-C.
fn interruptible<T, F>(python: Python<'_>, f: F) -> PyResult<T>
where
    T: Send,
    F: FnOnce() -> io::Result<T> + Send,
{
    let call = Stopper::new();
    *CALL.lock().expect("no panic") = Some(call.clone());
    let result = python.detach(|| call.run(f));
    *CALL.lock().expect("no panic") = None;
    // Python's own handler has run: it raises `KeyboardInterrupt` here.
    python.check_signals()?;
    Ok(result?)
}

#[stoppable]
fn receive_at(address: &str) -> io::Result<String> {
    let socket = UdpSocket::bind(address)?;
    println!("listening on {}", socket.local_addr()?);
    let mut buffer = [0; 64];
    #[blocking]
    let length = socket.recv(&mut buffer)?;
    Ok(String::from_utf8_lossy(&buffer[..length]).into_owned())
}

/// Waits for a datagram.
#[pyfunction]
fn receive(python: Python<'_>, address: &str) -> PyResult<String> {
    interruptible(python, || receive_at(address))
}

#[pymodule]
fn guide_python(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // Which calls the handler that was there before: Python's.
    let mut signals = Signals::new([SIGINT])?;
    thread::spawn(move || {
        for _ in signals.forever() {
            if let Some(call) = &*CALL.lock().expect("no panic") {
                call.request_stop_because("Ctrl-C");
            }
        }
    });
    module.add_function(wrap_pyfunction!(receive, module)?)
}
