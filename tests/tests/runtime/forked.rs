//! Children of fork(2), however they are made: what other threads of the parent
//! held is not held there, requests that were in flight do not exist, and the
//! thread is stopped as any.

use std::fs::File;
use std::io::{PipeReader, Read, Write, pipe};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{FromRawFd, OwnedFd};
use std::time::Duration;
use stop_tests::proc::limit;
use stop_tests::started::start;
use stop_tests::{NO_FORKS, emulation_hides, per_backend, wait_until_blocked_in};
use stopruntime::ext::{AcceptOrStop, ReadOrStop};
use stopruntime::{Stopper, check, stop_requested, thread};

/// The ways to make a child.
#[derive(Clone, Copy, Debug)]
enum Way {
    Fork,
    /// Without what libc does besides: `pthread_atfork(3)`.
    Clone,
}

const WAYS: [Way; 2] = [Way::Fork, Way::Clone];

struct Child(libc::pid_t);

/// Makes a child that exits with 0 if this says that all is well. One that hangs
/// ends by its alarm.
fn child(way: Way, body: impl FnOnce() -> bool) -> Child {
    let flags = libc::c_long::from(libc::SIGCHLD);
    // SAFETY: a copy of this process, with a copy of this thread's stack.
    let child = unsafe {
        match way {
            Way::Fork => libc::fork(),
            Way::Clone => libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0).try_into().unwrap(),
        }
    };
    assert!(child >= 0, "{}", std::io::Error::last_os_error());
    if child == 0 {
        // SAFETY: integers.
        unsafe { libc::alarm(limit().as_secs().try_into().unwrap()) };
        let body = std::panic::AssertUnwindSafe(body);
        let fine = std::panic::catch_unwind(body).unwrap_or(false);
        // SAFETY: ends the child at once.
        unsafe { libc::_exit(i32::from(!fine)) }
    }
    Child(child)
}

impl Child {
    fn status(&self) -> i32 {
        let mut status = -1;
        // SAFETY: our child, a valid place.
        while unsafe { libc::waitpid(self.0, &raw mut status, 0) } != self.0 {}
        status
    }

    fn has_ended(&self) -> bool {
        // SAFETY: zeroed is a siginfo; a valid place for it.
        unsafe {
            let mut info: libc::siginfo_t = core::mem::zeroed();
            let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
            let id = self.0.unsigned_abs();
            assert_eq!(libc::waitid(libc::P_PID, id, &raw mut info, options), 0);
            info.si_pid() == self.0
        }
    }
}

/// The number of bytes that a read of this terminal waits for; more than 64 the
/// kernel hands out in pieces.
const MANY: usize = 50;

/// A terminal whose reader, once there is a byte, waits for many more, or for
/// 25 seconds.
fn terminal() -> (File, File) {
    let (mut master, mut slave) = (0, 0);
    // SAFETY: valid places; a terminal made just now.
    unsafe {
        let none = core::ptr::null_mut();
        let opened = libc::openpty(&raw mut master, &raw mut slave, none, none.cast(), none.cast());
        assert_eq!(opened, 0);
        let mut mode: libc::termios = core::mem::zeroed();
        libc::tcgetattr(slave, &raw mut mode);
        libc::cfmakeraw(&raw mut mode);
        mode.c_cc[libc::VMIN] = MANY.try_into().unwrap();
        mode.c_cc[libc::VTIME] = 250;
        assert_eq!(libc::tcsetattr(slave, libc::TCSANOW, &raw const mode), 0);
        let file = |descriptor| File::from(OwnedFd::from_raw_fd(descriptor));
        (file(master), file(slave))
    }
}

/// In a child: the calling thread, which is in a marked read, is stopped by
/// another one; and that one is, too.
fn stops(own: &Stopper, mut reader: PipeReader) -> bool {
    if stop_requested() || check().is_err() {
        return false;
    }
    let first = std::process::id().cast_signed();
    let (mine, mut theirs) = (own.clone(), reader.try_clone().unwrap());
    let other = std::thread::spawn(move || {
        wait_until_blocked_in(first, &[libc::SYS_read, libc::SYS_ppoll]);
        mine.request_stop()
    });
    let stopped = reader.read_or_stop(&mut [0]).is_err();
    let requested = other.join().unwrap();
    // It has left: nothing comes later.
    let plain = pipe().and_then(|(mut reader, mut writer)| {
        writer.write_all(b"x")?;
        reader.read(&mut [0])
    });
    let again = start(move || theirs.read_or_stop(&mut [0]).is_err());
    wait_until_blocked_in(again.thread(), &[libc::SYS_read, libc::SYS_ppoll]);
    stopped && requested && plain.unwrap() == 1 && again.stopped()
}

fn is_hidden() -> bool {
    emulation_hides("a fork of several threads", NO_FORKS)
}

per_backend! {
    fn a_child_is_stopped_however_it_was_made() {
        if is_hidden() {
            return;
        }
        let (reader, _writer) = pipe().unwrap();
        let stopper = Stopper::current();
        for way in WAYS {
            let mine = reader.try_clone().unwrap();
            let status = child(way, || stops(&stopper, mine)).status();
            assert_eq!(status, 0, "{way:?}");
        }
        // In a child of a child.
        let status = child(Way::Clone, || {
            child(Way::Clone, || stops(&stopper, reader)).status() == 0
        });
        assert_eq!(status.status(), 0);
    }

    /// Another thread's request is being sent when the process forks, for ever:
    /// the thread that forks does not wait for it.
    fn a_thread_already_requested_waits_for_no_thread() {
        if is_hidden() {
            return;
        }
        for way in WAYS {
            let forks = thread::spawn(move || {
                let (mut reader, _writer) = pipe().unwrap();
                Stopper::current().request_stop();
                child(way, || stop_requested() && reader.read_or_stop(&mut [0]).is_err()).status()
            });
            assert_eq!(forks.join().unwrap(), 0, "{way:?}");
        }
    }

    fn a_turn_held_by_another_thread_of_the_parent_is_free() {
        if is_hidden() {
            return;
        }
        for way in WAYS {
            let (mut master, slave) = terminal();
            let mut mine = slave.try_clone().unwrap();
            let reader = start(move || mine.read_or_stop(&mut [0; MANY]).unwrap().unwrap());
            wait_until_blocked_in(reader.thread(), &[libc::SYS_read, libc::SYS_ppoll]);
            master.write_all(b"x").unwrap();
            // It waits for the rest, with windows from the start.
            wait_until_blocked_in(reader.thread(), &[libc::SYS_read]);
            let (mut go, mut going) = pipe().unwrap();
            let mut theirs = slave.try_clone().unwrap();
            let child = child(way, || {
                go.read_exact(&mut [0]).unwrap();
                matches!(theirs.read_or_stop(&mut [0; MANY]), Ok(Ok(MANY)))
            });
            // It had its turn all the time: it has one byte of many.
            wait_until_blocked_in(reader.thread(), &[libc::SYS_read]);
            master.write_all(&[b'x'; MANY - 1]).unwrap();
            assert_eq!(reader.ended(), MANY);
            master.write_all(&[b'y'; MANY]).unwrap();
            going.write_all(b"g").unwrap();
            assert_eq!(child.status(), 0, "{way:?}");
        }
    }

    fn an_installation_begun_by_another_thread_of_the_parent_is_made_anew() {
        if is_hidden() {
            return;
        }
        let (begun, at_it) = std::sync::mpsc::channel();
        let (end, ending) = std::sync::mpsc::channel::<()>();
        let installs = std::thread::spawn(move || {
            let installing = stopruntime::testing::hold_installation();
            begun.send(()).unwrap();
            let _ = ending.recv();
            drop(installing);
        });
        at_it.recv().unwrap();
        let (reader, _writer) = pipe().unwrap();
        for way in WAYS {
            let mine = reader.try_clone().unwrap();
            let status = child(way, || stops(&Stopper::current(), mine)).status();
            assert_eq!(status, 0, "{way:?}");
        }
        drop(end);
        installs.join().unwrap();
    }

    /// A server that forks its workers, which all accept from one listener, is
    /// asked by a pipe that closes to end them.
    fn workers_of_a_prefork_server_serve_and_are_stopped() {
        const WORKERS: usize = 3;
        if is_hidden() {
            return;
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        // The parent accepts as well, in another thread, when it forks.
        let mine = listener.try_clone().unwrap();
        let own = start(move || while let Ok(Ok(_)) = mine.accept_or_stop() {});
        wait_until_blocked_in(own.thread(), &[libc::SYS_accept4, libc::SYS_ppoll]);
        let (end, ending) = pipe().unwrap();
        let workers: Vec<Child> = (0..WORKERS)
            .map(|_| {
                child(Way::Fork, || {
                    // SAFETY: the copy of the parent's end, which nothing here uses.
                    unsafe { libc::close(std::os::fd::AsRawFd::as_raw_fd(&ending)) };
                    let (stopper, mut end) = (Stopper::current(), end.try_clone().unwrap());
                    let asks = thread::spawn(move || {
                        let _ = end.read(&mut [0]);
                        stopper.request_stop();
                    });
                    while let Ok(Ok((mut connection, _))) = listener.accept_or_stop() {
                        connection.write_all(b"x").unwrap();
                    }
                    asks.join().is_ok() && stop_requested()
                })
            })
            .collect();
        own.stopped();
        for _ in 0..20 {
            let mut connection = TcpStream::connect(address).unwrap();
            connection.read_exact(&mut [0]).unwrap();
        }
        drop(ending);
        // One may have lost a race for a connection to another process, and then
        // waits, on ppoll, where only the next one reaches it (docs/limits.md).
        for worker in &workers {
            while !worker.has_ended() {
                // When the last of them accepts no more, the queue may be full.
                drop(TcpStream::connect_timeout(&address, Duration::from_millis(50)));
            }
            assert_eq!(worker.status(), 0);
        }
    }
}
