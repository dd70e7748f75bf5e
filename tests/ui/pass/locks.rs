//! The marked forms of `stopruntime::sync`'s locks and cells, beside those of
//! the same names that read and write bytes.

#![deny(warnings, clippy::pedantic)]

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use stopruntime::sync::{Once, OnceLock, RwLock};

static START: Once = Once::new();
static LIMIT: OnceLock<usize> = OnceLock::new();

#[stopruntime::stoppable(break)]
fn relay(mut stream: UnixStream, last: &Arc<RwLock<Vec<u8>>>) -> io::Result<usize> {
    #[blocking]
    START.call_once(|| println!("started"));
    #[blocking]
    let limit = *LIMIT.get_or_init(|| 3);
    #[blocking]
    let size = *LIMIT.get_or_try_init(|| Ok::<_, io::Error>(3))?;
    let mut buffer = vec![0; size];
    for _ in 0..limit {
        #[blocking]
        let length = stream.read(&mut buffer)?;
        #[blocking]
        last.write().unwrap().extend_from_slice(&buffer[..length]);
        #[blocking]
        let first = last.read().unwrap().first().copied();
        #[blocking]
        let _ = stream.write(&[first.unwrap_or(0)])?;
    }
    Ok(blocking!(last.read()).unwrap().len())
}

fn main() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let feeder = std::thread::spawn(move || {
        let mut stream = theirs;
        for byte in 1..=3 {
            stream.write_all(&[byte]).unwrap();
            stream.read_exact(&mut [0]).unwrap();
        }
    });
    assert_eq!(relay(ours, &Arc::default()).unwrap(), 3);
    feeder.join().unwrap();
}
