//! Sources and other ends in a state that is not the usual one.

use super::ends::{Requests, bytes, disk, fifo, tcp};
use super::{Ends, READS, progress};
use std::fs::File;
use std::io::{self, ErrorKind, PipeReader, Read, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use stop_tests::started::start;
use stop_tests::{per_backend, seccomp};
use stopruntime::ext::copy_or_stop;

fn set_nonblocking(end: &impl AsRawFd) {
    // SAFETY: operations on a number.
    unsafe {
        let flags = libc::fcntl(end.as_raw_fd(), libc::F_GETFL);
        assert_eq!(libc::fcntl(end.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK), 0);
    }
}

/// The error of a copy that says nothing of how far it came.
fn error(outcome: Result<io::Result<u64>, stopruntime::Stopped>) -> ErrorKind {
    outcome.unwrap().unwrap_err().kind()
}

/// What is in a pipe, to its end.
fn all(mut pipe: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).unwrap();
    bytes
}

fn room_for(pipe: &impl AsRawFd, bytes: i32) {
    // SAFETY: an operation on a number.
    assert!(unsafe { libc::fcntl(pipe.as_raw_fd(), libc::F_SETPIPE_SZ, bytes) } >= bytes);
}

/// As in a sandbox that lets these calls not pass: the copy is stopped while it
/// waits for more, and made again.
fn copied_without(call: libc::c_long) {
    let (pipe, mut other) = io::pipe().unwrap();
    let (mut out, writer) = UnixStream::pair().unwrap();
    other.write_all(b"early").unwrap();
    let ends = Ends { reader: Box::new(pipe), writer: Box::new(writer) };
    let copy = start(move || {
        seccomp::deny(call, libc::EPERM);
        ends.copy()
    });
    let mut got = [0; 5];
    out.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"early");
    copy.wait_until_at_rest_in(&READS);
    let (outcome, ends) = copy.stopped();
    assert_eq!(progress(&outcome), 5);
    other.write_all(b"late").unwrap();
    drop(other);
    assert_eq!(ends.copy_to_the_end(), 4);
    assert_eq!(all(out), b"late");
}

per_backend! {
    fn a_source_that_does_not_wait_says_so() {
        let (mut pipe, mut other) = io::pipe().unwrap();
        set_nonblocking(&pipe);
        other.write_all(b"early").unwrap();
        let mut copy = Vec::new();
        assert_eq!(error(copy_or_stop(&mut pipe, &mut copy)), ErrorKind::WouldBlock);
        assert_eq!(copy, b"early");
        let (mut socket, mut other) = UnixStream::pair().unwrap();
        socket.set_nonblocking(true).unwrap();
        other.write_all(b" and late").unwrap();
        assert_eq!(error(copy_or_stop(&mut socket, &mut copy)), ErrorKind::WouldBlock);
        assert_eq!(copy, b"early and late");
    }

    /// And the source keeps what did not fit.
    fn another_end_that_does_not_wait_says_so() {
        let bytes = bytes(1 << 20);
        let (out, mut writer) = io::pipe().unwrap();
        set_nonblocking(&writer);
        let mut file = disk(&bytes);
        assert_eq!(error(copy_or_stop(&mut file, &mut writer)), ErrorKind::WouldBlock);
        // A reader that cannot give back is not read where nothing can be written.
        let (socket, mut other) = UnixStream::pair().unwrap();
        let mut own = super::ends::own(socket);
        other.write_all(b"kept").unwrap();
        assert_eq!(error(copy_or_stop(&mut own, &mut writer)), ErrorKind::WouldBlock);
        drop((writer, other));
        let first = all(out);
        let rest = all(file);
        assert!([first, rest].concat() == bytes);
        assert_eq!(all(own), b"kept");
    }

    fn another_end_that_is_gone_takes_nothing() {
        let (gone, mut writer) = io::pipe().unwrap();
        drop(gone);
        let (mut pipe, mut other) = io::pipe().unwrap();
        other.write_all(b"kept").unwrap();
        drop(other);
        assert_eq!(error(copy_or_stop(&mut pipe, &mut writer)), ErrorKind::BrokenPipe);
        let (mut socket, mut other) = tcp();
        other.write_all(b"kept").unwrap();
        drop(other);
        assert_eq!(error(copy_or_stop(&mut socket, &mut writer)), ErrorKind::BrokenPipe);
        assert_eq!([all(pipe), all(socket)].concat(), b"keptkept");
    }

    /// `SO_PEEK_OFF`, socket(7): a look at it does not begin where a read does.
    fn a_socket_with_a_place_of_its_own_to_look_at_is_copied_whole() {
        let (mut socket, mut other) = UnixStream::pair().unwrap();
        let offset = 3_i32;
        // SAFETY: an int, which has four bytes.
        let set = unsafe {
            let value = (&raw const offset).cast();
            libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_PEEK_OFF, value, 4)
        };
        if set != 0 {
            stop_tests::leave_out("SO_PEEK_OFF", std::io::Error::last_os_error());
        }
        let bytes = bytes(100_000);
        let mut copy = Vec::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                other.write_all(&bytes).unwrap();
                drop(other);
            });
            assert_eq!(copy_or_stop(&mut socket, &mut copy).unwrap().unwrap(), 100_000);
        });
        assert!(copy == bytes);
    }

    /// An urgent byte is none of the stream (tcp(7)), wherever it stands.
    fn an_urgent_byte_is_passed_over_as_by_std() {
        let with_urgent_bytes = || {
            let (reader, mut writer) = tcp();
            for part in [&b"ab"[..], b"!", b"!", b"cd", b"!", b"e"] {
                if part == b"!" {
                    // SAFETY: one byte.
                    let sent = unsafe {
                        libc::send(writer.as_raw_fd(), part.as_ptr().cast(), 1, libc::MSG_OOB)
                    };
                    assert_eq!(sent, 1);
                } else {
                    writer.write_all(part).unwrap();
                }
            }
            reader
        };
        let (mut copy, mut plain) = (Vec::new(), Vec::new());
        let length = copy_or_stop(&mut with_urgent_bytes(), &mut copy).unwrap().unwrap();
        assert_eq!(length, io::copy(&mut with_urgent_bytes(), &mut plain).unwrap());
        assert_eq!(copy, plain);
    }

    fn the_time_out_of_a_socket_is_its_own() {
        let (mut socket, mut other) = UnixStream::pair().unwrap();
        socket.set_read_timeout(Some(std::time::Duration::from_millis(20))).unwrap();
        other.write_all(b"early").unwrap();
        let mut copy = Vec::new();
        assert_eq!(error(copy_or_stop(&mut socket, &mut copy)), ErrorKind::WouldBlock);
        assert_eq!(copy, b"early");
    }

    fn a_big_pipe_is_copied_whole() {
        let (mut pipe, mut other) = io::pipe().unwrap();
        room_for(&pipe, 1 << 20);
        let bytes = bytes(1 << 20);
        other.write_all(&bytes).unwrap();
        drop(other);
        let mut copy = Vec::new();
        assert_eq!(copy_or_stop(&mut pipe, &mut copy).unwrap().unwrap(), 1 << 20);
        assert!(copy == bytes);
    }

    /// `O_DIRECT`, pipe(2): each write is one read.
    fn a_pipe_of_packets_is_copied_whole() {
        let mut ends = [0; 2];
        // SAFETY: a place for two descriptors, which nothing else owns.
        let (mut pipe, mut other) = unsafe {
            assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_DIRECT | libc::O_CLOEXEC), 0);
            (PipeReader::from(OwnedFd::from_raw_fd(ends[0])), File::from_raw_fd(ends[1]))
        };
        let bytes = bytes(10_000);
        for packet in bytes.chunks(1_000) {
            other.write_all(packet).unwrap();
        }
        drop(other);
        let mut copy = Vec::new();
        assert_eq!(copy_or_stop(&mut pipe, &mut copy).unwrap().unwrap(), 10_000);
        assert!(copy == bytes);
    }

    fn a_fifo_that_no_one_writes_to_is_at_its_end() {
        let (mut reader, writer) = fifo();
        drop(writer);
        let mut copy = Vec::new();
        assert_eq!(copy_or_stop(&mut reader, &mut copy).unwrap().unwrap(), 0);
        // Also where poll(2) does not say so: nothing has written to it yet.
        let again = format!("/proc/self/fd/{}", reader.as_raw_fd());
        let mut fresh = std::fs::OpenOptions::new();
        let fresh = std::os::unix::fs::OpenOptionsExt::custom_flags(
            fresh.read(true),
            libc::O_NONBLOCK,
        );
        let mut fresh = fresh.open(again).unwrap();
        // SAFETY: an operation on a number.
        unsafe { libc::fcntl(fresh.as_raw_fd(), libc::F_SETFL, 0) };
        assert_eq!(copy_or_stop(&mut fresh, &mut copy).unwrap().unwrap(), 0);
    }

    /// The kernel's own files look like files on a disk.
    fn a_file_in_proc_is_copied_whole() {
        let mut copy = Vec::new();
        let mut file = File::open("/proc/filesystems").unwrap();
        let length = copy_or_stop(&mut file, &mut copy).unwrap().unwrap();
        assert_eq!(length, copy.len() as u64);
        assert_eq!(copy, std::fs::read("/proc/filesystems").unwrap());
    }

    /// What is left of this one cannot be read after the first read of it.
    fn a_file_that_is_read_at_once_is_copied_at_once() {
        let path = "/proc/sys/kernel/pid_max";
        let mut file = File::open(path).unwrap();
        let (outcome, copy) = start(move || {
            let mut requests = Requests::after(4);
            (copy_or_stop(&mut file, &mut requests), requests.copy)
        })
        .ended();
        assert_eq!(copy, std::fs::read(path).unwrap());
        assert_eq!(progress(&outcome), copy.len() as u64);
    }

    fn a_directory_is_no_source() {
        let mut directory = File::open("/").unwrap();
        let outcome = copy_or_stop(&mut directory, &mut io::sink()).unwrap();
        assert_eq!(outcome.unwrap_err().raw_os_error(), Some(libc::EISDIR));
    }

    /// A copy from a pipe has one of its own, and does without it.
    fn a_pipe_is_copied_from_without_a_descriptor() {
        let (pipe, mut other) = io::pipe().unwrap();
        other.write_all(b"kept").unwrap();
        drop(other);
        let ends = Ends { reader: Box::new(pipe), writer: Box::new(io::sink()) };
        let (outcome, _ends) = start(move || {
            let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            // SAFETY: a valid place for the limits.
            unsafe {
                assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit), 0);
                let all = limit.rlim_cur;
                limit.rlim_cur = 3;
                assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit), 0);
                assert!(io::pipe().is_err(), "there is none");
                let copied = ends.copy();
                limit.rlim_cur = all;
                assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit), 0);
                copied
            }
        })
        .ended();
        assert_eq!(outcome.unwrap().unwrap(), 4);
    }

    fn a_pipe_is_copied_from_where_a_filter_refuses_tee() {
        copied_without(libc::SYS_tee);
    }

    fn a_pipe_is_copied_from_where_a_filter_refuses_splice() {
        copied_without(libc::SYS_splice);
    }

    fn no_descriptor_is_left_behind() {
        let count = || std::fs::read_dir("/proc/self/fd").unwrap().count();
        let (pipe, _other) = io::pipe().unwrap();
        let before = count();
        let ends = Ends { reader: Box::new(pipe), writer: Box::new(io::sink()) };
        let copy = start(move || ends.copy());
        copy.wait_until_at_rest_in(&READS);
        assert_eq!(count(), before + 2, "the pipe of its own");
        let (outcome, ends) = copy.stopped();
        assert_eq!(progress(&outcome), 0);
        assert_eq!(count(), before);
        drop(ends);
    }

    /// Read by its lock, and put back for the reads that come after.
    fn the_lock_of_standard_input_is_a_source() {
        let (reader, mut other) = io::pipe().unwrap();
        // SAFETY: two descriptors; nothing owns standard input yet.
        assert_eq!(unsafe { libc::dup2(reader.as_fd().as_raw_fd(), 0) }, 0);
        other.write_all(b"one\ntwo\nthree\n").unwrap();
        drop(other);
        let mut line = String::new();
        let mut input = io::stdin().lock();
        stopruntime::ext::BufReadOrStop::read_line_or_stop(&mut input, &mut line).unwrap().unwrap();
        assert_eq!(line, "one\n");
        let mut small = [0; 5];
        assert_eq!(error(copy_or_stop(&mut input, &mut &mut small[..])), ErrorKind::WriteZero);
        assert_eq!(&small, b"two\nt");
        let mut rest = Vec::new();
        assert_eq!(copy_or_stop(&mut input, &mut rest).unwrap().unwrap(), 5);
        assert_eq!(rest, b"hree\n");
    }
}
