//! The table of [`FOREIGN_CALLS`], row by row.

#![allow(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the kernel's constants"
)]

use crate::both_ways;
use crate::kit::{CANCELED, armed, errno, is_tick, reads_on};
use std::fs::File;
use std::io::{Read, Write, pipe};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::{Duration, Instant};
use stopruntime::{FOREIGN_CALLS, shield};

/// What each row is tried by: the beginning of its first column.
const CASES: &[(&str, fn())] = &[
    ("read readv", read_of_a_socket),
    ("read, of a pipe", read_of_a_pipe),
    ("read, of a terminal", read_of_an_eventfd),
    ("anything on files", || assert!(File::open("/etc/passwd").unwrap().read(&mut [0; 9]).is_ok())),
    ("write writev", write_to_a_socket),
    ("write, of a pipe", write_to_a_pipe),
    ("write, of a terminal", || assert_eq!(write(eventfd(0).as_raw_fd(), &[1; 8]), Ok(8))),
    ("sendto", || {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        assert_eq!(socket.send_to(b"x", socket.local_addr().unwrap()).unwrap(), 1);
    }),
    ("accept", || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(listener.accept().unwrap_err().raw_os_error(), Some(CANCELED));
    }),
    ("connect", connect),
    ("getsockopt", error_of_a_socket),
    ("poll", poll),
    ("select", select),
    ("epoll_wait", epoll),
    ("nanosleep", sleep),
    ("wait4", || {
        // SAFETY: no place for the status.
        wait(|child| result(unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) } as isize));
    }),
    ("waitid", || {
        wait(|child| {
            // SAFETY: zeroed is a siginfo of nothing, and a place for one.
            let raw = unsafe {
                let mut info: libc::siginfo_t = std::mem::zeroed();
                libc::waitid(libc::P_PID, child.unsigned_abs(), &raw mut info, libc::WEXITED)
            };
            result(raw as isize)
        });
    }),
    ("flock", || {
        // SAFETY: numbers.
        lock(|file| result(unsafe { libc::flock(file, libc::LOCK_EX) } as isize));
    }),
    ("fcntl", || lock(|file| set_lock(file, libc::F_OFD_SETLKW))),
    ("open", open),
    // SAFETY: takes no argument.
    ("pause", || assert_eq!(result(unsafe { libc::pause() } as isize), Err(libc::EINTR))),
    ("rt_sigtimedwait", || {
        // SAFETY: a set of no signals.
        let wait = || unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            result(libc::sigwaitinfo(&raw const set, std::ptr::null_mut()) as isize)
        };
        assert_eq!(ended(wait), CANCELED);
    }),
    ("sendfile", sendfile),
    // `hazards::surroundings::a_ring_with_an_operation_in_flight`.
    ("io_uring_enter", || ()),
    ("ioctl", ioctl),
    ("futex", lock_of_std),
    // SAFETY: takes no argument.
    ("all others", || assert!(unsafe { libc::getppid() } > 0)),
];

both_ways! {
    fn each_row() {
        if cfg!(target_env = "musl") && is_tick() {
            // Its wrappers have the number in a register, where the timer does not see it.
            return stop_tests::not_tested("each row by the timer", "musl");
        }
        for (calls, gives) in FOREIGN_CALLS {
            let case = CASES.iter().find(|(name, _)| calls.starts_with(name));
            let (_, case) = case.unwrap_or_else(|| panic!("no case: {calls}: {gives}"));
            eprintln!("{calls}");
            armed(case);
        }
        assert_eq!(CASES.len(), FOREIGN_CALLS.len());
    }
}

fn is_dispatch() -> bool {
    cfg!(target_arch = "x86_64") && !is_tick()
}

/// What a call gives that does not wait: handed over, it is ended; a timer finds it only if
/// it comes just before it.
fn gives<T: PartialEq + std::fmt::Debug>(found: &T, ended: &T, plain: &T) {
    assert!(found == ended || !is_dispatch() && found == plain, "{found:?}");
}

fn result(raw: isize) -> Result<isize, i32> {
    if raw < 0 { Err(errno()) } else { Ok(raw) }
}

/// The errno of a call that is ended: one that the kernel never restarts may say `EINTR`
/// once.
fn ended(call: impl Fn() -> Result<isize, i32>) -> i32 {
    loop {
        match call() {
            Err(libc::EINTR) => {}
            other => return other.unwrap_err(),
        }
    }
}

fn read(descriptor: RawFd) -> Result<isize, i32> {
    let mut bytes = [0_u8; 8];
    // SAFETY: room for 8 bytes.
    result(unsafe { libc::read(descriptor, bytes.as_mut_ptr().cast(), 8) })
}

fn write(descriptor: RawFd, bytes: &[u8]) -> Result<isize, i32> {
    // SAFETY: so many bytes.
    result(unsafe { libc::write(descriptor, bytes.as_ptr().cast(), bytes.len()) })
}

fn eventfd(flags: i32) -> OwnedFd {
    // SAFETY: a new descriptor.
    unsafe { OwnedFd::from_raw_fd(libc::eventfd(0, flags)) }
}

fn set_nonblocking(descriptor: &impl AsRawFd) {
    // SAFETY: numbers.
    unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
}

fn read_of_a_socket() {
    let (near, mut far) = UnixStream::pair().unwrap();
    assert_eq!(read(near.as_raw_fd()), Err(CANCELED));
    far.write_all(b"data").unwrap();
    // Data is there.
    gives(&read(near.as_raw_fd()), &Err(CANCELED), &Ok(4));
    // A question to the kernel, which answers at once.
    // SAFETY: a socket of its own, a request of 20 bytes, room for the answer.
    unsafe {
        let socket = libc::socket(libc::AF_NETLINK, libc::SOCK_RAW, 0);
        let socket = OwnedFd::from_raw_fd(socket);
        // RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP.
        let request: [u32; 5] = [20, 0x0301_0012, 1, 0, 0];
        let sent = libc::send(socket.as_raw_fd(), request.as_ptr().cast(), 20, 0);
        assert_eq!(sent, 20);
        let mut answer = [0_u8; 8192];
        let length = libc::recv(socket.as_raw_fd(), answer.as_mut_ptr().cast(), 8192, 0);
        assert!(length > 0, "{}", errno());
    }
}

fn read_of_a_pipe() {
    let (reader, mut writer) = pipe().unwrap();
    assert_eq!(read(reader.as_raw_fd()), Err(CANCELED));
    writer.write_all(b"data").unwrap();
    set_nonblocking(&reader);
    assert_eq!(read(reader.as_raw_fd()), Ok(4));
}

fn read_of_an_eventfd() {
    let eventfd = eventfd(0);
    assert_eq!(read(eventfd.as_raw_fd()), Err(CANCELED));
    assert_eq!(write(eventfd.as_raw_fd(), &[1; 8]), Ok(8));
    assert_eq!(read(eventfd.as_raw_fd()), Ok(8));
}

fn write_to_a_socket() {
    let (near, _far) = UnixStream::pair().unwrap();
    let piece = [0; 16 << 10];
    let mut sent = 0;
    let error = loop {
        match write(near.as_raw_fd(), &piece) {
            Ok(length) => sent += length,
            Err(error) => break error,
        }
    };
    assert_eq!(error, CANCELED);
    assert!(!is_dispatch() || sent <= 96 << 10, "{sent} bytes of goodbyes");
    assert!(sent >= 16 << 10);
}

fn write_to_a_pipe() {
    let (_reader, writer) = pipe().unwrap();
    let error = loop {
        match write(writer.as_raw_fd(), &[0; 10_000]) {
            Ok(length) => assert!(!is_dispatch() || length <= 4096, "{length}"),
            Err(error) => break error,
        }
    };
    assert_eq!(error, CANCELED);
}

fn connect() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let connected = TcpStream::connect(address).map_err(|error| error.raw_os_error());
    gives(&connected.err(), &Some(Some(CANCELED)), &None);
    UdpSocket::bind("127.0.0.1:0").unwrap().connect(address).unwrap();
}

fn error_of_a_socket() {
    let option = |socket: RawFd| {
        let (mut value, mut length) = (-1_i32, 4);
        let name = libc::SO_ERROR;
        // SAFETY: two places.
        let raw = unsafe {
            let value = (&raw mut value).cast();
            libc::getsockopt(socket, libc::SOL_SOCKET, name, value, &raw mut length)
        };
        assert_eq!(raw, 0);
        value
    };
    let (near, _far) = UnixStream::pair().unwrap();
    assert_eq!(option(near.as_raw_fd()), 0);
    // SAFETY: a new descriptor.
    let alone = unsafe { OwnedFd::from_raw_fd(libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0)) };
    gives(&option(alone.as_raw_fd()), &CANCELED, &0);
}

fn poll() {
    let (reader, _writer) = pipe().unwrap();
    let mut entry = libc::pollfd { fd: reader.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry.
    let polled = |entry: &mut _| result(unsafe { libc::poll(entry, 1, 0) } as isize);
    assert_eq!(polled(&mut entry), Ok(0), "no time");
    let slept = loop {
        // SAFETY: no entries.
        match result(unsafe { libc::poll(std::ptr::null_mut(), 0, 100_000) } as isize) {
            // Once, and by the timer alone.
            Err(libc::EINTR) if !is_dispatch() => {}
            slept => break slept,
        }
    };
    gives(&slept, &Ok(0), &Err(CANCELED));
}

fn select() {
    let (reader, _writer) = pipe().unwrap();
    let call = || {
        // SAFETY: a set with room for this descriptor.
        unsafe {
            let mut set: libc::fd_set = std::mem::zeroed();
            libc::FD_SET(reader.as_raw_fd(), &raw mut set);
            let (count, none) = (reader.as_raw_fd() + 1, std::ptr::null_mut());
            let forever = std::ptr::null_mut();
            result(libc::select(count, &raw mut set, none, none, forever) as isize)
        }
    };
    if is_dispatch() {
        assert_eq!(call(), Ok(1));
    } else {
        assert_eq!(ended(call), CANCELED);
    }
}

fn epoll() {
    if !is_dispatch() {
        return;
    }
    let (reader, _writer) = pipe().unwrap();
    // SAFETY: a new instance, and events in places of this function's.
    unsafe {
        let instance = OwnedFd::from_raw_fd(libc::epoll_create1(0));
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 77 };
        let (number, add) = (instance.as_raw_fd(), libc::EPOLL_CTL_ADD);
        assert_eq!(libc::epoll_ctl(number, add, reader.as_raw_fd(), &raw mut event), 0);
        let mut found = libc::epoll_event { events: 0, u64: 0 };
        assert_eq!(libc::epoll_wait(number, &raw mut found, 1, -1), 1);
        let expected = libc::EPOLLIN | libc::EPOLLERR | libc::EPOLLHUP;
        assert_eq!(({ found.events }, { found.u64 }), (expected.cast_unsigned(), 77));
    }
}

fn sleep() {
    let start = Instant::now();
    for _ in 0..20 {
        let hour = libc::timespec { tv_sec: 3600, tv_nsec: 0 };
        // SAFETY: a time.
        let slept = unsafe { libc::nanosleep(&raw const hour, std::ptr::null_mut()) };
        assert_eq!(slept, 0);
    }
    // The first eight at once, the others after a millisecond.
    assert!(!is_dispatch() || start.elapsed() >= Duration::from_millis(12), "it spins");
}

fn wait(call: impl Fn(i32) -> Result<isize, i32>) {
    let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
    assert_eq!(call(child.id().cast_signed()), Err(CANCELED));
    child.kill().unwrap();
    shield(|| child.wait()).unwrap();
    let mut child = Command::new("true").spawn().unwrap();
    shield(|| {
        // SAFETY: zeroed is a siginfo of nothing, and a place for one. It is not reaped.
        unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            let how = libc::WEXITED | libc::WNOWAIT;
            assert_eq!(libc::waitid(libc::P_PID, child.id(), &raw mut info, how), 0);
        }
    });
    assert!(call(child.id().cast_signed()).is_ok(), "a status that is there");
    assert!(shield(|| child.wait()).is_err(), "it was reaped once");
}

fn set_lock(file: RawFd, command: i32) -> Result<isize, i32> {
    // SAFETY: zeroed is a lock of the whole file.
    unsafe {
        let mut lock: libc::flock = std::mem::zeroed();
        lock.l_type = libc::F_WRLCK as _;
        result(libc::fcntl(file, command, &raw mut lock) as isize)
    }
}

/// Of a file that another description has locked in both ways, and of one that none has.
fn lock(call: impl Fn(RawFd) -> Result<isize, i32>) {
    let path = std::env::temp_dir().join(format!("stop-foreign-table-{}", std::process::id()));
    let holder = File::create(&path).unwrap();
    let file = File::options().write(true).open(&path).unwrap();
    // SAFETY: numbers.
    assert_eq!(unsafe { libc::flock(holder.as_raw_fd(), libc::LOCK_EX) }, 0);
    assert!(set_lock(holder.as_raw_fd(), libc::F_OFD_SETLK).is_ok());
    assert_eq!(call(file.as_raw_fd()), Err(CANCELED));
    drop(holder);
    assert_eq!(call(file.as_raw_fd()), Ok(0));
    std::fs::remove_file(&path).unwrap();
}

fn open() {
    let directory = std::env::temp_dir().join(format!("stop-foreign-open-{}", std::process::id()));
    let path = std::ffi::CString::new(directory.to_str().unwrap()).unwrap();
    // SAFETY: a path.
    unsafe {
        assert_eq!(libc::mkfifo(path.as_ptr(), 0o600), 0);
        assert_eq!(result(libc::open(path.as_ptr(), libc::O_RDONLY) as isize), Err(CANCELED));
        let opened = libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_NONBLOCK);
        drop(OwnedFd::from_raw_fd(opened));
        libc::unlink(path.as_ptr());
    }
}

fn sendfile() {
    let (from, (_reader, to)) = (File::open("/etc/passwd").unwrap(), pipe().unwrap());
    // SAFETY: numbers.
    let send = |to, count| unsafe {
        result(libc::sendfile(to, from.as_raw_fd(), std::ptr::null_mut(), count))
    };
    gives(&send(to.as_raw_fd(), 9), &Err(CANCELED), &Ok(9));
}

/// One that waits for what a filter reports, which is nothing.
fn ioctl() {
    // SAFETY: a filter of one step, numbers, and room for a report.
    unsafe {
        let allow = libc::SECCOMP_RET_ALLOW;
        let code = (libc::BPF_RET | libc::BPF_K) as u16;
        let mut step = libc::sock_filter { code, jt: 0, jf: 0, k: allow };
        let program = libc::sock_fprog { len: 1, filter: &raw mut step };
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        let listener = libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            libc::SECCOMP_FILTER_FLAG_NEW_LISTENER,
            &raw const program,
        );
        if listener < 0 {
            return stop_tests::not_tested("an ioctl that waits", errno());
        }
        let listener = OwnedFd::from_raw_fd(listener as RawFd);
        let mut report = [0_u64; 32];
        let receive = 0xc050_2100_u32; // SECCOMP_IOCTL_NOTIF_RECV
        let raw = libc::ioctl(listener.as_raw_fd(), receive as _, report.as_mut_ptr());
        assert_eq!(result(raw as isize), Err(CANCELED));
    }
}

/// No result of a futex ends a wait; the call behind it is ended.
fn lock_of_std() {
    let held = std::sync::Arc::new(std::sync::Mutex::new(0));
    let (sender, receiver) = std::sync::mpsc::channel();
    let this = stop_tests::thread_id();
    let holder = std::thread::spawn({
        let held = std::sync::Arc::clone(&held);
        move || {
            let mut guard = held.lock().unwrap();
            sender.send(()).unwrap();
            stop_tests::wait_until_blocked_in(this, &[libc::SYS_futex]);
            *guard = 7;
        }
    });
    receiver.recv().unwrap();
    assert_eq!(*held.lock().unwrap(), 7, "it waits as it should");
    holder.join().unwrap();
    shield(reads_on);
}
