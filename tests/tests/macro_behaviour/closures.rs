//! Closures.

use crate::prelude::*;

#[stoppable]
fn in_threads(
    socket: UnixDatagram,
) -> (thread::JoinHandle<()>, thread::JoinHandle<io::Result<u8>>) {
    let (sender, other) = datagrams(0);
    let endless = thread::spawn(move || {
        let mut buffer = [0];
        loop {
            #[blocking]
            match socket.recv(&mut buffer) {
                Ok(_) => {}
                Err(error) => eprintln!("{error}"),
            }
        }
    });
    let typed = thread::spawn(move || -> io::Result<u8> {
        let _open = sender;
        loop {
            let mut buffer = [0];
            #[blocking]
            other.recv(&mut buffer)?;
            if buffer[0] == 9 {
                return Ok(1);
            }
        }
    });
    (endless, typed)
}

#[test]
fn closures_are_left_by_themselves() {
    let (_sender, receiver) = datagrams(3);
    let (endless, typed) = in_threads(receiver);
    endless.request_stop();
    typed.request_stop();
    endless.join().unwrap();
    assert!(is_stopped(&typed.join().unwrap().unwrap_err()));
}

#[stoppable(break)]
fn closure_scopes(socket: &UnixDatagram) -> io::Result<Vec<u32>> {
    let mut seen = Vec::new();
    for round in 0..2 {
        // Its loop is the outermost of its own scope.
        let count = || {
            let mut count = 0;
            loop {
                if blocking!(socket.recv(&mut [0])).is_err() {
                    break;
                }
                count += 1;
                if count == 2 {
                    request();
                }
            }
            count + 100 * round
        };
        seen.push(count());
    }
    // No loop: the closure is left, not the function.
    let read = || -> Option<usize> { blocking!(socket.recv(&mut [0])).ok() };
    assert_eq!(read(), None);
    Ok(seen)
}

#[test]
fn a_closure_is_a_scope_of_its_own() {
    let seen = requested_after(|| closure_scopes(&datagrams(6).1).unwrap());
    assert_eq!(seen, [2, 100]);
}
