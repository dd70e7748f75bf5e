//! Blocking iterators.

use crate::prelude::*;

#[stoppable(break)]
fn connections(listener: &TcpListener, limit: u32) -> io::Result<u32> {
    let mut count = 0;
    #[blocking]
    for stream in listener.incoming() {
        stream?;
        count += 1;
        if count == limit {
            break;
        }
    }
    Ok(count)
}

#[test]
fn a_loop_over_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let _one = TcpStream::connect(address).unwrap();
    let _two = TcpStream::connect(address).unwrap();
    assert_eq!(connections(&listener, 2).unwrap(), 2);
    let server = waiting(move || connections(&listener, 9));
    server.request_stop();
    assert_eq!(server.join().unwrap().unwrap(), 0);
}

#[stoppable(break)]
fn all_lines(stream: UnixStream) -> io::Result<Vec<String>> {
    let mut lines = Vec::new();
    #[blocking]
    for line in BufReader::new(stream).lines() {
        let line = line?;
        if line == "stop" {
            request();
        }
        lines.push(line);
    }
    Ok(lines)
}

#[test]
fn a_loop_over_lines() {
    let run = |text: &'static [u8]| {
        move || {
            let (mut sender, receiver) = UnixStream::pair().unwrap();
            sender.write_all(text).unwrap();
            drop(sender);
            all_lines(receiver).unwrap()
        }
    };
    assert_eq!(run(b"a\nb\n")(), ["a", "b"]);
    assert_eq!(requested_after(run(b"a\nstop\nb\n")), ["a", "stop"]);
}
