//! Sleeping, connecting.

use crate::prelude::*;

#[stoppable(or = None)]
fn dial(address: std::net::SocketAddr) -> Option<TcpStream> {
    #[blocking]
    let stream = TcpStream::connect(address).ok();
    stream
}

#[test]
fn free_and_associated_functions() {
    #[stoppable(or = false)]
    fn nap_for(duration: Duration) -> bool {
        #[blocking]
        std::thread::sleep(duration);
        true
    }
    assert!(nap_for(Duration::from_millis(1)));
    let begin = Instant::now();
    assert!(!requested(|| nap_for(Duration::from_secs(60))));
    assert!(begin.elapsed() < Duration::from_secs(10));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    assert!(dial(address).is_some());
    assert!(requested(move || dial(address)).is_none());
}

#[stoppable(or = false)]
fn nap_until(deadline: Instant) -> bool {
    #[blocking]
    thread::sleep_until(deadline);
    true
}

#[test]
fn a_sleep_to_a_time() {
    let begin = Instant::now();
    assert!(nap_until(begin));
    assert!(nap_until(begin + Duration::from_millis(2)));
    assert!(begin.elapsed() >= Duration::from_millis(2));
    assert!(!requested(move || nap_until(begin + Duration::from_secs(3600))));
    thread::sleep_until(begin);
}

#[stoppable]
fn datagram_service(socket: UdpSocket, mut log: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut buffer = [0; 16];
    loop {
        #[blocking]
        let (length, sender) = socket.recv_from(&mut buffer)?;
        log.extend_from_slice(&buffer[..length]);
        #[blocking]
        socket.send_to(&buffer[..length], sender)?;
    }
    log.push(b'.');
    Ok(log)
}

#[test]
fn the_example_of_the_front_page() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let service = thread::spawn(move || datagram_service(socket, Vec::new()));
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.send_to(b"hello", address).unwrap();
    assert_eq!(client.recv(&mut [0; 16]).unwrap(), 5);
    assert!(service.request_stop());
    assert_eq!(service.join().unwrap().unwrap(), b"hello.");
}
