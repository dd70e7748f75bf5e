//! What surrounds the call.

use crate::prelude::*;

#[stoppable]
fn positions(stream: &mut UnixStream, other: &UnixDatagram) -> io::Result<usize> {
    let mut buffer = [0; 4];
    let mut total = 0;
    #[blocking]
    let Ok(length) = stream.read(&mut buffer) else {
        return Ok(0);
    };
    total += length;
    #[blocking]
    total += stream.read(&mut buffer)?;
    #[blocking]
    total = total + stream.read(&mut buffer).map_err(io::Error::other)?;
    #[blocking]
    if let Ok(length) = stream.read(&mut buffer) {
        total += length;
    }
    #[blocking]
    if stream.read(&mut buffer)? > 100 {
        return Ok(1);
    }
    let pair = (1, blocking!(stream.read(&mut buffer))?);
    total += pair.1;
    let text = format!("{}", blocking_helper(stream)?);
    total += text.len();
    #[blocking]
    let wide = stream.read(&mut buffer)? as u64;
    total += usize::try_from(wide).unwrap();
    #[blocking]
    other.recv(&mut buffer[..]).unwrap();
    #[blocking]
    std::io::Read::read_exact(stream, &mut buffer)?;
    #[blocking]
    return Ok(total + stream.read(&mut buffer)?);
}

#[stoppable]
fn blocking_helper(stream: &mut UnixStream) -> io::Result<usize> {
    blocking!(stream.read(&mut [0; 4]))
}

#[test]
fn every_position_of_a_mark() {
    let run = || {
        let (mut sender, mut receiver) = UnixStream::pair().unwrap();
        sender.write_all(&[0; 4 * 10 - 1]).unwrap();
        let (_sender, other) = datagrams(1);
        positions(&mut receiver, &other)
    };
    assert_eq!(run().unwrap(), 4 * 6 + 1 + 3);
    assert!(is_stopped(&requested(run).unwrap_err()));
}
