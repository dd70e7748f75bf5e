//! Shields.

use crate::nested::read_frame;
use crate::prelude::*;

#[stoppable]
fn shielded(socket: &UnixDatagram) -> io::Result<(u32, u32)> {
    let mut sent = 0;
    let mut kept = 0;
    loop {
        #[unstoppable]
        {
            request();
            // Held: this marked call, in a function of its own, works.
            read_frame(socket)?;
            sent += 1;
        }
        #[unstoppable]
        for _ in 0..2 {
            read_frame(socket)?;
            kept += 1;
        }
        #[blocking]
        socket.recv(&mut [0])?;
    }
    Ok((sent, kept))
}

#[test]
fn a_shield_holds_requests() {
    assert_eq!(requested_after(|| shielded(&datagrams(9).1).unwrap()), (1, 2));
}
