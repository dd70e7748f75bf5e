//! Stops at random moments, over and over: none is lost, and nothing else is.
//!
//! `STOP_TESTS_SECONDS=60 cargo test --release -p stop-tests --test foreign random -- --nocapture`
//! says how many there were, and how long each took.

#![allow(clippy::cast_possible_truncation, reason = "counted bytes")]

use crate::both_ways;
use crate::kit::{CANCELED, LONG, assert_clean, errno};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write, pipe};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use stop_tests::churn::seconds;
use stopruntime::{Stopper, foreign};

struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// What a plain call says outside of regions: a sleep of no length, which any signal that
/// has come would have ended.
fn is_undisturbed() -> bool {
    let time = libc::timespec { tv_sec: 0, tv_nsec: 1 };
    // SAFETY: a time.
    unsafe { libc::nanosleep(&raw const time, std::ptr::null_mut()) == 0 }
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Runs `call` in a region again and again until it fails, and requests a stop meanwhile.
/// `call` is handed what a failure has to be.
fn rounds(name: &str, longest: u64, mut call: impl FnMut() -> Result<(), i32>) {
    let shared = Arc::new((Mutex::new(Stopper::new()), AtomicU64::new(0), AtomicU64::new(0)));
    let end = Instant::now() + seconds();
    let requester = std::thread::spawn({
        let shared = Arc::clone(&shared);
        move || {
            let (job, begun, done) = &*shared;
            let mut dice = Dice(0x9E37_79B9_7F4A_7C15);
            let mut latencies = Vec::new();
            for round in 1.. {
                while begun.load(SeqCst) < round {
                    std::thread::yield_now();
                }
                if begun.load(SeqCst) == u64::MAX {
                    return latencies;
                }
                let wait = Duration::from_nanos(dice.below(longest));
                let start = Instant::now();
                while start.elapsed() < wait {
                    std::hint::spin_loop();
                }
                let job = job.lock().unwrap().clone();
                let start = Instant::now();
                job.request_stop();
                while done.load(SeqCst) < round {
                    std::thread::yield_now();
                    assert!(start.elapsed() < LONG, "{round} stops, the last is lost");
                }
                latencies.push(start.elapsed());
            }
            unreachable!()
        }
    });
    let before = descriptors();
    let (job, begun, done) = &*shared;
    let mut stops = 0_u64;
    while Instant::now() < end {
        let current = Stopper::new();
        *job.lock().unwrap() = current.clone();
        stops += 1;
        begun.store(stops, SeqCst);
        current.run(|| {
            while let Ok(result) = foreign(&mut call) {
                match result {
                    Ok(()) | Err(libc::EINTR) => {}
                    Err(error) => {
                        assert_eq!(error, CANCELED);
                        assert!(current.stop_requested(), "nothing was requested");
                        break;
                    }
                }
            }
        });
        done.store(stops, SeqCst);
        for _ in 0..3 {
            assert!(is_undisturbed(), "{stops} stops: {}", errno());
        }
    }
    begun.store(u64::MAX, SeqCst);
    let mut latencies = requester.join().unwrap();
    latencies.sort();
    assert_clean();
    // The other side may have one more now.
    assert!(descriptors() <= before + 1, "descriptors");
    let at = |part: usize| latencies[(latencies.len() * part / 1000).min(latencies.len() - 1)];
    println!(
        "{name}: {stops} stops, 0 lost; p50 {:?} p99 {:?} p99.9 {:?}",
        at(500),
        at(990),
        at(999)
    );
    assert!(stops > 0, "{stops} stops");
}

fn result<T>(result: io::Result<T>) -> Result<T, i32> {
    result.map_err(|error| error.raw_os_error().expect("an errno"))
}

/// As `File::lock`.
fn lock(file: &File) -> io::Result<()> {
    // SAFETY: a number.
    match unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Bytes that come one after the other are all seen, in this order.
struct Sequence(u8);

impl Sequence {
    fn check(&mut self, bytes: &[u8]) {
        for byte in bytes {
            assert_eq!(*byte, self.0, "bytes are missing");
            self.0 = self.0.wrapping_add(1);
        }
    }
}

/// Sends counted bytes until the other side has gone.
fn feed(mut writer: impl Write + Send + 'static) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut dice = Dice(12345);
        let mut next = 0_u8;
        loop {
            let length = dice.below(40) as u8 + 1;
            let bytes: Vec<u8> = (0..length).map(|at| next.wrapping_add(at)).collect();
            if writer.write_all(&bytes).is_err() {
                return;
            }
            next = next.wrapping_add(length);
            let start = Instant::now();
            let wait = Duration::from_nanos(dice.below(60_000));
            while start.elapsed() < wait {
                std::thread::yield_now();
            }
        }
    })
}

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (stream, listener.accept().unwrap().0)
}

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

    fn sleeps() {
        rounds("thread::sleep", 120_000, || {
            std::thread::sleep(Duration::from_secs(3600));
            Err(CANCELED)
        });
    }

    fn short_sleeps() {
        let mut dice = Dice(99);
        rounds("many short sleeps", 120_000, || {
            std::thread::sleep(Duration::from_nanos(dice.below(30_000)));
            Ok(())
        });
    }

    fn polls() {
        let (reader, _writer) = pipe().unwrap();
        rounds("poll, then read", 120_000, || {
            let mut entry = libc::pollfd { fd: reader.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: one entry.
            if unsafe { libc::poll(&raw mut entry, 1, -1) } < 0 {
                return Err(errno());
            }
            result((&reader).read(&mut [0])).map(drop)
        });
    }

    fn children() {
        let mut child = std::process::Command::new("sleep").arg("3600").spawn().unwrap();
        rounds("Child::wait", 120_000, || result(child.wait()).map(drop));
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn fifos() {
        let directory = std::env::temp_dir().join(format!("stop-foreign-{}", std::process::id()));
        std::fs::create_dir(&directory).unwrap();
        let path = directory.join("fifo");
        let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        // SAFETY: a path.
        assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
        rounds("File::open of a FIFO", 120_000, || result(File::open(&path)).map(drop));
        std::fs::remove_dir_all(&directory).unwrap();
    }

    fn locks() {
        let path = std::env::temp_dir().join(format!("stop-foreign-lock-{}", std::process::id()));
        let holder = File::create(&path).unwrap();
        lock(&holder).unwrap();
        let file = File::open(&path).unwrap();
        rounds("flock", 120_000, || result(lock(&file)));
        std::fs::remove_file(&path).unwrap();
    }
}
