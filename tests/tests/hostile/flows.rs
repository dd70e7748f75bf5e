//! Marked calls of several kinds with something flowing through them, and one
//! bout with each: a thread makes the call again and again, is given things to
//! take, and is stopped at a random instant. What it took and what is left is
//! what was given.

use std::fs::File;
use std::io::{ErrorKind, Read, Write, pipe};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex as Plain, mpsc};
use std::time::{Duration, Instant};
use stop_tests::dice::Dice;
use stop_tests::proc::{limit, wait_for};
use stop_tests::signals::{plain_write, waiting};
use stop_tests::{blocked_in, thread_id};
use stopruntime::ext::{
    AcceptOrStop, ReadOrStop, RecvFromOrStop, RecvOrStop, WaitOrStop, WriteOrStop, sleep_or_stop,
};
use stopruntime::sync::{Condvar, Mutex};
use stopruntime::{Stopped, sys, thread};

/// Nanoseconds: longer than a thread takes to start and to block.
const SPREAD: u64 = 200_000;

/// One thread's marked calls, and what flows through them.
pub(crate) struct Flow {
    /// Makes the call until it is stopped; the number of things it took.
    take: Box<dyn FnOnce() -> u64 + Send>,
    /// Gives it one more.
    give: Box<dyn FnMut()>,
    /// How many it can be given.
    most: u64,
    /// How many have not been taken.
    left: Box<dyn FnOnce() -> u64>,
    /// It sleeps when there is nothing to take.
    rests: bool,
}

pub(crate) type Kind = (&'static str, fn() -> Flow);

pub(crate) const KINDS: [Kind; 11] = [
    ("read", read),
    ("read of a terminal", terminal),
    ("write", write),
    ("recv", recv),
    ("recv_from", recv_from),
    ("accept", accept),
    ("poll", poll),
    ("sleep", sleep),
    ("Mutex::lock", lock),
    ("Condvar::wait", condvar),
    ("Child::wait", child),
];

/// The number of things a call has taken until it was stopped; a signal of
/// a foreign one may interrupt it, as it may the plain call.
fn until_stopped(mut call: impl FnMut() -> Result<std::io::Result<u64>, Stopped>) -> u64 {
    let mut taken = 0;
    while let Ok(result) = call() {
        match result {
            Ok(count) => taken += count,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}"),
        }
    }
    taken
}

fn read() -> Flow {
    let (reader, writer) = pipe().unwrap();
    let mut marked = reader.try_clone().unwrap();
    Flow {
        take: Box::new(move || {
            until_stopped(|| Ok(marked.read_or_stop(&mut [0])?.map(|length| length as u64)))
        }),
        give: Box::new(move || assert!(plain_write(writer.as_raw_fd()))),
        most: 8,
        left: Box::new(move || waiting(&reader).unsigned_abs().into()),
        rests: true,
    }
}

/// As what is typed there: lines of no characters.
fn terminal() -> Flow {
    let (mut master, mut slave) = (-1, -1);
    // SAFETY: places for two descriptors, which nothing else owns; no name and
    // no settings.
    let (master, slave) = unsafe {
        let none = core::ptr::null_mut();
        let opened = libc::openpty(&raw mut master, &raw mut slave, none, none.cast(), none.cast());
        assert_eq!(opened, 0, "openpty: {}", std::io::Error::last_os_error());
        (File::from_raw_fd(master), File::from_raw_fd(slave))
    };
    let (mut marked, mut slave) = (slave.try_clone().unwrap(), slave);
    let mut end = master.try_clone().unwrap();
    Flow {
        take: Box::new(move || {
            until_stopped(|| Ok(marked.read_or_stop(&mut [0; 8])?.map(|length| length as u64)))
        }),
        give: Box::new(move || assert_eq!((&master).write(b"\n").unwrap(), 1)),
        most: 8,
        left: Box::new(move || {
            // What is written to the one side comes out of the other a moment
            // later, in order.
            end.write_all(b"end\n").unwrap();
            let mut line = [0; 8];
            let is_one = |line: &[u8]| line != b"end\n";
            std::iter::from_fn(|| {
                let length = slave.read(&mut line).unwrap();
                is_one(&line[..length]).then_some(())
            })
            .count() as u64
        }),
        rests: true,
    }
}

/// Given is room, block by block, in a pipe that has room for one; there is one
/// more in it in the end.
fn write() -> Flow {
    const BLOCK: usize = libc::PIPE_BUF;
    let (mut reader, writer) = pipe().unwrap();
    let rest = reader.try_clone().unwrap();
    // SAFETY: numbers.
    let size = unsafe { libc::fcntl(writer.as_raw_fd(), libc::F_SETPIPE_SZ, BLOCK) };
    assert_eq!(usize::try_from(size), Ok(BLOCK), "a pipe of one page");
    let mut marked = writer;
    Flow {
        take: Box::new(move || {
            until_stopped(|| {
                Ok(marked.write_or_stop(&[0; BLOCK])?.map(|length| {
                    // Not more than is written as one (pipe(7)).
                    assert_eq!(length, BLOCK);
                    1
                }))
            })
        }),
        give: Box::new(move || reader.read_exact(&mut [0; BLOCK]).unwrap()),
        most: 8,
        // What it wrote and no reader has taken was not given.
        left: Box::new(move || {
            0_u64.wrapping_sub(u64::from(waiting(&rest).unsigned_abs()) / BLOCK as u64)
        }),
        rests: true,
    }
}

fn recv() -> Flow {
    let (receiver, sender) = UnixDatagram::pair().unwrap();
    let marked = receiver.try_clone().unwrap();
    Flow {
        take: Box::new(move || until_stopped(|| Ok(marked.recv_or_stop(&mut [0])?.map(|_| 1)))),
        give: Box::new(move || assert_eq!(sender.send(b"x").unwrap(), 1)),
        most: 8,
        left: Box::new(move || {
            receiver.set_nonblocking(true).unwrap();
            std::iter::from_fn(|| receiver.recv(&mut [0]).ok()).count() as u64
        }),
        rests: true,
    }
}

fn recv_from() -> Flow {
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let marked = receiver.try_clone().unwrap();
    let address = receiver.local_addr().unwrap();
    Flow {
        take: Box::new(move || {
            until_stopped(|| Ok(marked.recv_from_or_stop(&mut [0])?.map(|_| 1)))
        }),
        give: Box::new(move || assert_eq!(sender.send_to(b"x", address).unwrap(), 1)),
        // Few enough that the kernel drops none.
        most: 3,
        left: Box::new(move || {
            receiver.set_nonblocking(true).unwrap();
            std::iter::from_fn(|| receiver.recv(&mut [0]).ok()).count() as u64
        }),
        rests: true,
    }
}

fn accept() -> Flow {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (marked, address) = (listener.try_clone().unwrap(), listener.local_addr().unwrap());
    let mut clients = Vec::new();
    Flow {
        take: Box::new(move || until_stopped(|| Ok(marked.accept_or_stop()?.map(|_| 1)))),
        give: Box::new(move || clients.push(TcpStream::connect(address).unwrap())),
        most: 8,
        left: Box::new(move || {
            listener.set_nonblocking(true).unwrap();
            std::iter::from_fn(|| listener.accept().ok()).count() as u64
        }),
        rests: true,
    }
}

fn poll() -> Flow {
    let (mut reader, writer) = pipe().unwrap();
    let rest = reader.try_clone().unwrap();
    Flow {
        take: Box::new(move || {
            until_stopped(|| {
                let mut entry =
                    libc::pollfd { fd: reader.as_raw_fd(), events: libc::POLLIN, revents: 0 };
                // SAFETY: one entry, which outlives the call.
                let ready = unsafe { sys::poll_or_stop(&raw mut entry, 1, -1)? };
                if ready < 0 {
                    return Ok(Err(std::io::Error::last_os_error()));
                }
                assert_eq!((ready, entry.revents), (1, libc::POLLIN));
                Ok(reader.read(&mut [0]).map(|length| length as u64))
            })
        }),
        give: Box::new(move || assert!(plain_write(writer.as_raw_fd()))),
        most: 8,
        left: Box::new(move || waiting(&rest).unsigned_abs().into()),
        rests: true,
    }
}

/// Takes nothing; but a sleep that ends has lasted its time.
fn sleep() -> Flow {
    const TIME: Duration = Duration::from_micros(300);
    Flow {
        take: Box::new(|| {
            until_stopped(|| {
                let start = Instant::now();
                sleep_or_stop(TIME)?;
                assert!(start.elapsed() >= TIME, "{:?}", start.elapsed());
                Ok(Ok(0))
            })
        }),
        give: Box::new(|| {}),
        most: 0,
        left: Box::new(|| 0),
        rests: true,
    }
}

/// Increments of a number that several make; what is given are those of
/// others.
fn lock() -> Flow {
    let count = Arc::new(Mutex::new(0_u64));
    let (marked, others) = (Arc::clone(&count), Arc::clone(&count));
    let taken = Arc::new(Plain::new(0));
    let made = Arc::clone(&taken);
    Flow {
        take: Box::new(move || {
            *made.lock().unwrap() = until_stopped(|| {
                let mut count = marked.lock_or_stop()?.unwrap();
                let before = *count;
                std::hint::spin_loop();
                *count = before + 1;
                Ok(Ok(1))
            });
            0
        }),
        give: Box::new(move || {
            let mut count = others.lock().unwrap();
            // Held for longer than a waiter spins.
            let before = *count;
            Dice::of(before).spin(SPREAD / 8);
            *count = before + 1;
        }),
        most: 8,
        left: Box::new(move || *count.lock().unwrap() - *taken.lock().unwrap()),
        rests: false,
    }
}

fn condvar() -> Flow {
    let shared = Arc::new((Mutex::new(0_u64), Condvar::new()));
    let (marked, giver) = (Arc::clone(&shared), Arc::clone(&shared));
    Flow {
        take: Box::new(move || {
            until_stopped(|| {
                let (there, more) = &*marked;
                let there = there.lock_or_stop()?.unwrap();
                let mut there = more.wait_while_or_stop(there, |there| *there == 0)?.unwrap();
                *there -= 1;
                Ok(Ok(1))
            })
        }),
        give: Box::new(move || {
            *giver.0.lock().unwrap() += 1;
            giver.1.notify_one();
        }),
        most: 8,
        left: Box::new(move || *shared.0.lock().unwrap()),
        rests: true,
    }
}

/// One child, which ends when it is given that; then it is reaped once.
fn child() -> Flow {
    let (reader, writer) = pipe().unwrap();
    let cat = Command::new("cat").stdin(reader).stdout(Stdio::null()).spawn().unwrap();
    let cat = Arc::new(Plain::new((cat, false)));
    let marked = Arc::clone(&cat);
    let writer = Arc::new(Plain::new(Some(writer)));
    let life = Arc::clone(&writer);
    Flow {
        take: Box::new(move || {
            let (child, reaped) = &mut *marked.lock().unwrap();
            until_stopped(|| {
                if *reaped {
                    sleep_or_stop(Duration::MAX)?;
                }
                let status = child.wait_or_stop()?;
                *reaped = status.is_ok();
                Ok(status.map(|_| 1))
            })
        }),
        give: Box::new(move || *life.lock().unwrap() = None),
        most: 1,
        left: Box::new(move || {
            let ends = writer.lock().unwrap().take().is_none();
            let (child, reaped) = &mut *cat.lock().unwrap();
            if !*reaped {
                child.wait().unwrap();
            }
            u64::from(ends && !*reaped)
        }),
        rests: true,
    }
}

/// One bout. `weather` is what the thread is exposed to, by its id, until the
/// value is dropped.
pub(crate) fn bout<W>(kind: &Kind, dice: &mut Dice, weather: impl FnOnce(i32) -> W) {
    let (name, start) = kind;
    let Flow { take, mut give, most, left, rests } = start();
    let (sender, receiver) = mpsc::channel();
    let handle = thread::spawn(move || {
        sender.send(thread_id()).unwrap();
        take()
    });
    let thread = receiver.recv().unwrap();
    let weather = weather(thread);
    let given = dice.below(most + 1);
    for _ in 0..given {
        dice.spin(SPREAD);
        give();
    }
    if rests && dice.chance(2) {
        wait_for("a sleep", || blocked_in(thread).is_some());
    }
    dice.spin(SPREAD);
    assert!(handle.request_stop());
    let Ok(ended) = handle.join_timeout(limit()) else { panic!("{name}: request lost") };
    drop(weather);
    let taken = ended.expect("no panic in the thread");
    assert_eq!(taken.wrapping_add(left()), given, "{name}: taken {taken}");
}

/// So many bouts with each kind.
pub(crate) fn bouts<W>(count: u64, dice: &mut Dice, mut weather: impl FnMut(i32) -> W) {
    for kind in &KINDS {
        for _ in 0..count {
            bout(kind, dice, &mut weather);
        }
    }
}
