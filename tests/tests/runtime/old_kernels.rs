//! Old kernels, and sandboxes: what lacks one call of the newer ones lacks them
//! all. Each kind of marked call is stopped then, or says that it cannot be.

use std::io::{Error, PipeReader, Read, pipe};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use stop_tests::on_backends;
use stop_tests::proc::wait_for;
use stop_tests::started::stopped_in;
use stopruntime::ext::{JoinOrStop, ReadOrStop, WaitOrStop, sleep_or_stop};
use stopruntime::sync::{Condvar, Mutex};
use stopruntime::{Backend, InstallError, Rseq, Stopped, support, sys, thread};

const ALL_GONE: [&str; 6] = [
    " without rseq and membarrier and futex_waitv and pidfd_open and epoll_pwait2 and preadv2 and pwritev2",
    "handler without rseq and membarrier and futex_waitv and pidfd_open and epoll_pwait2 and preadv2 and pwritev2",
    "ppoll without rseq and membarrier and futex_waitv and pidfd_open and epoll_pwait2 and preadv2 and pwritev2",
    " forbidding rseq and membarrier and futex_waitv and pidfd_open and epoll_pwait2 and preadv2 and pwritev2",
    "handler forbidding rseq and membarrier and futex_waitv and pidfd_open and epoll_pwait2 and preadv2 and pwritev2",
    "ppoll forbidding rseq and membarrier and futex_waitv and pidfd_open and epoll_pwait2 and preadv2 and pwritev2",
];

/// Vectored forms of `read` and `write` that came later.
const NO_NOWAIT: [&str; 2] =
    ["ppoll without preadv2 and pwritev2", "ppoll forbidding preadv2 and pwritev2"];

fn in_a_read() {
    let (mut reader, _writer) = pipe().unwrap();
    let read = move || reader.read_or_stop(&mut [0]).is_err();
    assert!(stopped_in(&[libc::SYS_read, libc::SYS_ppoll], read));
}

fn in_a_futex() {
    let lock = Arc::new(Mutex::new(()));
    let theirs = Arc::clone(&lock);
    let held = lock.lock().unwrap();
    assert!(stopped_in(&[libc::SYS_futex], move || theirs.lock_or_stop().is_err()));
    drop(held);
    let (gate, until) = mpsc::channel::<()>();
    let other = thread::spawn(move || until.recv());
    assert!(stopped_in(&[libc::SYS_futex], move || other.join_or_stop().is_err()));
    drop(gate);
}

/// One that has ended is waited for everywhere.
fn in_a_wait_for_a_child() {
    let mut cat = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let input = cat.stdin.take();
    let id = cat.id();
    let wait = move || {
        (cat.wait_or_stop().map(|waited| waited.map_err(|error| error.raw_os_error())), cat)
    };
    let mut cat = if support().backend == Backend::Ppoll {
        let (waited, cat) = thread::spawn(wait).join().unwrap();
        assert_eq!(waited, Ok(Err(Some(libc::ENOTSUP))), "not an unstoppable wait");
        cat
    } else {
        let (waited, cat) = stopped_in(&[libc::SYS_waitid], wait);
        assert!(waited.is_err());
        cat
    };
    drop(input);
    // SAFETY: zeroed is a valid siginfo.
    unsafe {
        let mut info: libc::siginfo_t = core::mem::zeroed();
        let options = libc::WEXITED | libc::WNOWAIT;
        assert_eq!(libc::waitid(libc::P_PID, id, &raw mut info, options), 0);
        let waited =
            sys::waitid_or_stop(libc::P_PID, id, &raw mut info, libc::WEXITED | libc::WNOWAIT);
        assert_eq!((waited, info.si_pid()), (Ok(0), id.cast_signed()));
    }
    assert!(cat.wait_or_stop().unwrap().unwrap().success());
}

on_backends! { ALL_GONE;
    fn each_kind_of_call_is_stopped_or_refused() {
        let support = support();
        let asked = std::env::var("STOPRUNTIME_BACKEND").unwrap();
        let has = (support.membarrier, support.futex_waitv, support.pidfd, support.epoll_pwait2);
        assert_eq!(has, (false, false, false, false), "{support}");
        match support.rseq {
            Rseq::NotTried if !asked.is_empty() => {}
            Rseq::Refused(libc::ENOSYS | libc::EPERM) if stop_tests::HAS_WINDOWS => {}
            Rseq::NoWindow if !stop_tests::HAS_WINDOWS => {}
            other => panic!("{other}"),
        }
        if asked.is_empty() {
            let next = if stop_tests::HAS_WINDOWS { Backend::Handler } else { Backend::Ppoll };
            assert_eq!(support.backend, next);
        }
        in_a_read();
        in_a_futex();
        in_a_wait_for_a_child();
    }
}

/// A futex wait takes one word.
const NO_WAITV: [&str; 6] = [
    "rseq without futex_waitv",
    "handler without futex_waitv",
    "ppoll without futex_waitv",
    "rseq forbidding futex_waitv",
    "handler forbidding futex_waitv",
    "ppoll forbidding futex_waitv",
];

on_backends! { NO_WAITV;
    fn a_futex_wait_is_stopped_by_a_signal() {
        assert!(!support().futex_waitv);
        for _ in 0..10 {
            in_a_futex();
            assert!(stopped_in(&[libc::SYS_futex], || sleep_or_stop(Duration::MAX).is_err()));
        }
        let (lock, start) = (Mutex::new(()), Instant::now());
        let held = lock.lock().unwrap();
        let waited = Condvar::new().wait_timeout_or_stop(held, Duration::from_millis(20));
        assert!(waited.unwrap().unwrap().1.timed_out());
        assert!(start.elapsed() >= Duration::from_millis(20));
    }
}

on_backends! { [" without rseq", " forbidding rseq"];
    fn rseq_by_name_is_refused_where_there_is_none_and_ends_no_marked_call() {
        // SAFETY: no other thread of this process looks at the environment.
        unsafe { std::env::set_var("STOPRUNTIME_BACKEND", "rseq") };
        let refused = stopruntime::Config::new().install().unwrap_err();
        assert!(matches!(refused, InstallError::Unavailable(Backend::Rseq)), "{refused:?}");
        // The first marked call has no caller to hand an error to.
        assert!(stopruntime::check().is_ok());
        assert_eq!(support().ignored, Some(refused.to_string()));
        in_a_read();
    }
}

on_backends! { [" without rseq", " forbidding rseq"];
    fn without_rseq_the_errno_is_told() {
        let expected = support().rseq;
        if !stop_tests::HAS_WINDOWS {
            assert_eq!(expected, Rseq::NoWindow);
            return;
        }
        // What the kernel itself says to this thread.
        // SAFETY: no area.
        let raw = unsafe { libc::syscall(libc::SYS_rseq, 0, 0, 0, 0) };
        let errno = Error::last_os_error().raw_os_error().unwrap();
        assert_eq!((raw, expected), (-1, Rseq::Refused(errno)));
        assert!(matches!(errno, libc::ENOSYS | libc::EPERM));
    }
}

/// Writes more than there is room for until it is stopped; how much that was.
fn filled(descriptor: OwnedFd, parts: usize) -> usize {
    let data = vec![b'x'; 8 << 20];
    let fill = move || {
        let mut written = 0;
        let part = |from: usize, to: usize| libc::iovec {
            iov_base: data[from..to].as_ptr().cast_mut().cast(),
            iov_len: to - from,
        };
        let vector = [part(0, 0), part(0, 1), part(1, data.len())];
        loop {
            // SAFETY: the data outlives the call and is only read.
            let result: Result<isize, Stopped> = unsafe {
                if parts == 1 {
                    sys::write_or_stop(descriptor.as_raw_fd(), data.as_ptr().cast(), data.len())
                } else {
                    sys::writev_or_stop(descriptor.as_raw_fd(), vector.as_ptr(), 3)
                }
            };
            match result {
                Ok(length) => written += usize::try_from(length).expect("no error"),
                Err(_) => return written,
            }
        }
    };
    stopped_in(&[libc::SYS_write], fill)
}

fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (stream, listener.accept().unwrap().0)
}

fn all_of(mut reader: impl Read) -> usize {
    reader.read_to_end(&mut Vec::new()).unwrap()
}

on_backends! { NO_NOWAIT;
    fn a_long_write_waits_where_it_can_be_stopped() {
        for parts in [1, 3] {
            let (reader, writer) = pipe().unwrap();
            assert_eq!(filled(writer.into(), parts), all_of(reader), "a pipe");
            let (stream, peer) = UnixStream::pair().unwrap();
            assert_eq!(filled(stream.into(), parts), all_of(peer), "a Unix stream");
            let (stream, peer) = tcp_pair();
            assert_eq!(filled(stream.into(), parts), all_of(peer), "a TCP stream");
        }
    }

    fn many_that_read_from_one_pipe_wait_where_they_can_be_stopped() {
        let (reader, writer) = pipe().unwrap();
        let reader = Arc::new(reader);
        let read = |reader: &PipeReader| {
            let mut byte = [0_u8];
            // SAFETY: one byte.
            unsafe { sys::read_or_stop(reader.as_raw_fd(), byte.as_mut_ptr().cast(), 1) }
        };
        let threads: Vec<_> = (0..4).map(|_| {
            let reader = Arc::clone(&reader);
            thread::spawn(move || {
                let mut count = 0;
                while let Ok(length) = read(&reader) {
                    assert_eq!(length, 1, "{}", Error::last_os_error());
                    count += 1;
                }
                count
            })
        }).collect();
        let most = stop_tests::part_of(2_000);
        for _ in 0..most {
            assert!(stop_tests::signals::plain_write(writer.as_raw_fd()));
        }
        wait_for("all to be read", || stop_tests::signals::waiting(&writer) == 0);
        for thread in &threads {
            thread.request_stop();
        }
        let read: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!(read, most);
    }
}
