//! Foreign code (`--foreign`): the same calls as they are in std, unmarked, in regions
//! that are stopped. What goes in and comes out is balanced as of the marked ones.

use super::streams::{Direction, both_ways};
use super::{Call, connections, datagrams, files, processes, streams, waits};
use crate::bout::{Bout, Outcome};
use crate::pester;
use rustix::event::{Timespec, epoll};
use rustix::fs::FlockOperation;
use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use stopruntime::ext::{AcceptOrStop, ReadOrStop, WriteOrStop};
use stopruntime::{Stopped, check, foreign, stop_requested};

pub(super) const CALLS: &[Call] = &[
    Call::foreign("read, write (pipe)", pipe),
    Call::foreign("read, write (TCP)", |bout| {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let near = TcpStream::connect(listener.local_addr()?)?;
        let far = listener.accept()?.0;
        drop(listener);
        both_ways(bout, Foreign(near), Foreign(far), |end| end.0.shutdown(Shutdown::Write))
    }),
    Call::foreign("epoll_wait, then read", polled).not_by_timer(),
    Call::foreign("accept (TCP)", |bout| {
        let listener = Arc::new(Foreign(TcpListener::bind("127.0.0.1:0")?));
        let address = listener.0.local_addr()?;
        let connect = move || TcpStream::connect(address);
        connections::accept(bout, &listener, connect, |(stream, _)| connections::abandon(&stream))
    }),
    Call::foreign("connect (TCP)", |bout| {
        connections::connect_tcp(bout, |address| region(|| TcpStream::connect(address)))
    }),
    Call::foreign("connect (Unix)", |bout| {
        connections::connect_unix(bout, |path| region(|| UnixStream::connect(path)))
    }),
    Call::foreign("recv_from (UDP)", |bout| {
        datagrams::udp(bout, None, |socket, datagram| {
            region(|| socket.recv_from(datagram).map(|(length, _)| length))
        })
    }),
    Call::foreign("recv (UDP, SO_RCVTIMEO)", |bout| {
        let timeout = Some(Duration::from_millis(4));
        datagrams::udp(bout, timeout, |socket, datagram| region(|| socket.recv(datagram)))
    }),
    Call::foreign("send, recv (Unix datagram)", |bout| {
        datagrams::unix(
            bout,
            |socket, datagram| region(|| socket.send(datagram)),
            |socket, datagram| region(|| socket.recv(datagram)),
        )
    }),
    Call::foreign("thread::sleep", |bout| {
        waits::sleep(bout, sleep);
        Ok(())
    }),
    Call::foreign("poll, then read", |bout| {
        waits::poll(bout, |entry| {
            region(|| Ok(rustix::event::poll(std::slice::from_mut(entry), None)?))
        })
    }),
    Call::foreign("open (FIFO)", |bout| {
        let directory = stop_testkit::Directory::new()?;
        let path = directory.fifo("fifo")?;
        let path = std::ffi::CString::new(path.into_os_string().into_encoded_bytes())?;
        files::open(bout, path, |path, access| {
            region(|| Ok(rustix::fs::open(path, access, rustix::fs::Mode::empty())?))
        });
        Ok(())
    }),
    Call::foreign("flock", |bout| {
        files::flock(bout, |file| {
            region(|| Ok(rustix::fs::flock(file, FlockOperation::LockExclusive)?))
        })
    }),
    Call::foreign("Child::wait", |bout| processes::wait(bout, |child| region(|| child.wait()))),
    Call::foreign("Command::spawn, wait", spawn),
];

/// Makes a plain call in a region; stopped if it was ended.
fn region<T>(mut call: impl FnMut() -> io::Result<T>) -> Outcome<T> {
    loop {
        match pester::opened(|| foreign(&mut call))? {
            // Calls that the kernel never restarts, by any signal.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.raw_os_error() == Some(libc::ECANCELED) && stop_requested() => {
                return Err(check().expect_err("a stop is requested"));
            }
            result => return Ok(result),
        }
    }
}

/// A stopped one returns early.
fn sleep(time: Duration) -> Result<(), Stopped> {
    let start = Instant::now();
    pester::opened(|| foreign(|| std::thread::sleep(time)))?;
    if start.elapsed() < time { check() } else { Ok(()) }
}

/// What makes its calls in regions.
pub(super) struct Foreign<S>(S);

impl<S: AsFd> AsFd for Foreign<S> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The plain calls of these types, and the same in regions.
macro_rules! foreign {
    ($($reads:ty),*; $($writes:ty),*) => {
        $(
            impl Read for &Foreign<$reads> {
                fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                    (&self.0).read(buffer)
                }
            }

            impl ReadOrStop for &Foreign<$reads> {
                fn read_or_stop(&mut self, buffer: &mut [u8]) -> Outcome<usize> {
                    region(|| self.read(buffer))
                }

                fn ready_or_stop(&self) -> Outcome<()> {
                    check().map(Ok)
                }
            }
        )*
        $(
            impl Write for &Foreign<$writes> {
                fn write(&mut self, data: &[u8]) -> io::Result<usize> {
                    (&self.0).write(data)
                }

                fn flush(&mut self) -> io::Result<()> {
                    (&self.0).flush()
                }
            }

            impl WriteOrStop for &Foreign<$writes> {
                fn write_or_stop(&mut self, data: &[u8]) -> Outcome<usize> {
                    region(|| self.write(data))
                }

                fn flush_or_stop(&mut self) -> Outcome<()> {
                    check().map(Ok)
                }
            }
        )*
    };
}

foreign!(PipeReader, TcpStream, Polled; PipeWriter, TcpStream, UnixStream);

impl AcceptOrStop for Foreign<TcpListener> {
    type Accepted = (TcpStream, SocketAddr);

    fn accept_or_stop(&self) -> Outcome<(TcpStream, SocketAddr)> {
        region(|| self.0.accept())
    }
}

fn pipe(bout: &mut Bout) -> io::Result<()> {
    let (reader, writer) = io::pipe()?;
    let _ = rustix::pipe::fcntl_setpipe_size(&reader, 4096);
    let direction = Direction::new(Foreign(reader).into(), Foreign(writer).into());
    streams::soak(bout, vec![direction], |_writer| Ok(()))
}

/// A non-blocking stream behind an epoll instance, as event loops have it.
struct Polled {
    stream: UnixStream,
    instance: std::os::fd::OwnedFd,
}

impl Read for &Polled {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let flags = epoll::EventFlags::empty();
            let mut events = [epoll::Event { flags, data: epoll::EventData::new_u64(0) }; 4];
            let forever = None::<&Timespec>;
            epoll::wait(&self.instance, &mut events, forever)?;
            match (&self.stream).read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                result => return result,
            }
        }
    }
}

fn polled(bout: &mut Bout) -> io::Result<()> {
    let (near, far) = UnixStream::pair()?;
    socket2::SockRef::from(&far).set_send_buffer_size(8 * 1024)?;
    near.set_nonblocking(true)?;
    let instance = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&instance, &near, epoll::EventData::new_u64(1), epoll::EventFlags::IN)?;
    let reader = Foreign(Polled { stream: near, instance });
    let direction = Direction::new(reader.into(), Foreign(far).into());
    streams::soak(bout, vec![direction], |writer| writer.0.shutdown(Shutdown::Write))
}

/// Each child that was spawned is reaped: by the region, or afterwards.
fn spawn(bout: &mut Bout) -> io::Result<()> {
    let left = Arc::new(Mutex::new(Vec::<Child>::new()));
    while bout.goes_on() {
        let mut targets = Vec::new();
        for _ in 0..bout.random.u8(1..4) {
            let left = Arc::clone(&left);
            targets.push(bout.start(move |aside| {
                aside.receives = false;
                loop {
                    let run = || {
                        let mut child = Command::new("true").spawn()?;
                        let ended = child.wait();
                        if ended.is_err() {
                            left.lock().unwrap_or_else(PoisonError::into_inner).push(child);
                        }
                        ended
                    };
                    let Ok(result) = region(run) else { return Ok(()) };
                    if !result?.success() {
                        return Err(io::Error::other("a child has failed"));
                    }
                    aside.look();
                }
            }));
        }
        bout.stop_all(targets);
        for mut child in left.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            child.wait()?;
            bout.tally.effects += 1;
        }
    }
    let none = rustix::process::wait(rustix::process::WaitOptions::NOHANG);
    bout.balance("children left over", 0, u64::from(none.err() != Some(rustix::io::Errno::CHILD)));
    Ok(())
}
