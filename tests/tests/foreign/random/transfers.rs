//! Bytes, datagrams and connections: none is missing.

use super::{Sequence, feed, pair, result, rounds};
use crate::both_ways;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write, pipe};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

both_ways! {
    fn socket() {
        let (mut stream, peer) = pair();
        let feeder = feed(peer);
        let mut sequence = Sequence(0);
        rounds("TcpStream::read", 120_000, || {
            let mut buffer = [0; 64];
            let length = result(stream.read(&mut buffer))?;
            assert_ne!(length, 0);
            sequence.check(&buffer[..length]);
            Ok(())
        });
        drop(stream);
        feeder.join().unwrap();
    }

    fn pipes() {
        let (mut reader, writer) = pipe().unwrap();
        let feeder = feed(writer);
        let mut sequence = Sequence(0);
        rounds("PipeReader::read", 120_000, || {
            let mut buffer = [0; 64];
            let length = result(reader.read(&mut buffer))?;
            sequence.check(&buffer[..length]);
            Ok(())
        });
        drop(reader);
        feeder.join().unwrap();
    }

    fn lines() {
        let (reader, mut writer) = pipe().unwrap();
        let feeder = std::thread::spawn(move || {
            for number in 0_u64.. {
                if writeln!(writer, "{number}").is_err() {
                    return;
                }
                std::thread::yield_now();
            }
        });
        // SAFETY: a descriptor of the reader's own, given away.
        let file = unsafe { File::from_raw_fd(libc::dup(reader.as_raw_fd())) };
        drop(reader);
        let mut buffered = BufReader::new(file);
        let (mut line, mut next) = (String::new(), 0);
        rounds("BufReader::read_line", 120_000, || {
            result(buffered.read_line(&mut line))?;
            assert_eq!(line.trim().parse(), Ok(next));
            line.clear();
            next += 1;
            Ok(())
        });
        drop(buffered);
        feeder.join().unwrap();
    }

    fn writes() {
        let (mut stream, mut peer) = pair();
        let reader = std::thread::spawn(move || {
            let (mut sequence, mut buffer) = (Sequence(0), vec![0; 1 << 16]);
            loop {
                match peer.read(&mut buffer).unwrap() {
                    0 => return sequence.0,
                    length => sequence.check(&buffer[..length]),
                }
                std::thread::sleep(Duration::from_micros(200));
            }
        });
        let mut next = 0_u8;
        rounds("TcpStream::write", 300_000, || {
            let bytes: Vec<u8> = (0..100_000_u32).map(|at| next.wrapping_add(at as u8)).collect();
            let length = result(stream.write(&bytes))?;
            next = next.wrapping_add(length as u8);
            Ok(())
        });
        drop(stream);
        assert_eq!(reader.join().unwrap(), next, "bytes are missing");
    }

    fn datagrams() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let (sent, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let feeder = std::thread::spawn({
            let (sent, ended) = (Arc::clone(&sent), Arc::clone(&ended));
            move || {
                let from = UdpSocket::bind("127.0.0.1:0").unwrap();
                for number in 0_u64.. {
                    if ended.load(SeqCst) == 1 {
                        return;
                    }
                    // No more than the socket has room for.
                    if number < sent.load(SeqCst) + 50 {
                        from.send_to(&number.to_ne_bytes(), address).unwrap();
                    } else {
                        std::thread::yield_now();
                        from.send_to(&u64::MAX.to_ne_bytes(), address).unwrap();
                        while number >= sent.load(SeqCst) + 50 && ended.load(SeqCst) == 0 {
                            std::thread::yield_now();
                        }
                        from.send_to(&number.to_ne_bytes(), address).unwrap();
                    }
                }
            }
        });
        let mut next = 0_u64;
        rounds("UdpSocket::recv_from", 120_000, || {
            let mut buffer = [0; 8];
            result(socket.recv_from(&mut buffer))?;
            let number = u64::from_ne_bytes(buffer);
            if number != u64::MAX {
                assert_eq!(number, next, "datagrams are missing");
                next += 1;
                sent.store(next, SeqCst);
            }
            Ok(())
        });
        ended.store(1, SeqCst);
        feeder.join().unwrap();
    }

    fn connections() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ended = Arc::new(AtomicU64::new(0));
        let feeder = std::thread::spawn({
            let ended = Arc::clone(&ended);
            move || {
                for number in 0_u64.. {
                    let mut stream = TcpStream::connect(address).unwrap();
                    let _ = stream.write_all(&number.to_ne_bytes());
                    if ended.load(SeqCst) == 1 {
                        return;
                    }
                    // So that the port comes back at once.
                    let _ = stream.read(&mut [0]);
                }
            }
        });
        let mut next = 0_u64;
        rounds("TcpListener::accept", 120_000, || {
            let (mut stream, _) = result(listener.accept())?;
            let mut number = [0; 8];
            stopruntime::shield(|| stream.read_exact(&mut number)).unwrap();
            assert_eq!(u64::from_ne_bytes(number), next, "connections are missing");
            next += 1;
            Ok(())
        });
        ended.store(1, SeqCst);
        drop(listener);
        feeder.join().unwrap_or_default();
    }
}
