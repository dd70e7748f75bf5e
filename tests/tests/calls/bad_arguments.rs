//! Arguments that the kernel refuses, or takes although no slice could be made
//! of them: the stop-checked call says what the plain one says, and looks at
//! nothing that the kernel would not look at.

#![allow(unsafe_code)]
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

use core::ffi::{c_int, c_long};
use core::mem::zeroed;
use core::ptr::{from_ref, null, null_mut};
use libc::{SYS_futex, SYS_openat2, SYS_ppoll, SYS_pselect6, iovec, pollfd, sembuf, timespec};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use stop_tests::on_backends;
use stopruntime::sys;

const BACKENDS: [&str; 4] =
    ["rseq", "handler", "ppoll", "ppoll without pwritev2 and preadv2 and futex_waitv"];

/// What a call came to: its result and, if it failed, its error.
type Result = (c_long, c_int);

fn seen(result: c_long) -> Result {
    let errno = io::Error::last_os_error().raw_os_error().expect("a system call's");
    (result, if result < 0 { errno } else { 0 })
}

/// The same call twice: the plain one, the stop-checked one.
macro_rules! same {
    ($($name:ident / $variant:ident $arguments:tt;)*) => {$(
        // SAFETY: the kernel refuses these arguments or makes nothing of them.
        let plain = unsafe { seen(long(libc::$name $arguments)) };
        // SAFETY: as above.
        let marked = unsafe { seen(long(sys::$variant $arguments.expect("no request"))) };
        assert_eq!(marked, plain, "{}", stringify!($name $arguments));
    )*};
}

fn long<T: TryInto<c_long>>(result: T) -> c_long {
    result.try_into().ok().expect("as wide as a register")
}

/// The same by its number.
fn by_number(number: c_long, args: [usize; 6]) {
    // SAFETY: the kernel refuses these arguments or makes nothing of them.
    let plain = unsafe {
        seen(libc::syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]))
    };
    // SAFETY: as above.
    let marked = seen(unsafe { sys::syscall_or_stop(number, args) }.expect("no request"));
    assert_eq!(marked, plain, "system call {number} with {args:x?}");
}

/// A value at an odd address.
fn misaligned<T>(value: T) -> (Vec<u8>, usize) {
    let mut room = vec![0_u8; size_of::<T>() + 16];
    let address = room.as_mut_ptr() as usize | 1;
    // SAFETY: there is room for it, wherever the buffer begins.
    unsafe { (address as *mut T).write_unaligned(value) };
    (room, address)
}

static A_WHILE: timespec = timespec { tv_sec: 0, tv_nsec: 1_000_000 };
static NO_TIMES: [timespec; 3] = [
    timespec { tv_sec: 0, tv_nsec: 1_000_000_000 },
    timespec { tv_sec: 0, tv_nsec: -1 },
    timespec { tv_sec: -1, tv_nsec: 0 },
];

on_backends! { BACKENDS;
    fn parts_of_a_transfer() {
        let (reader, writer) = io::pipe().unwrap();
        let (socket, _peer) = UnixStream::pair().unwrap();
        let byte = [7_u8];
        let part = iovec { iov_base: byte.as_ptr().cast_mut().cast(), iov_len: 1 };
        let endless = [part, iovec { iov_base: part.iov_base, iov_len: usize::MAX }];
        for fd in [writer.as_raw_fd(), socket.as_raw_fd()] {
            same! {
                writev / writev_or_stop(fd, null(), 0);
                writev / writev_or_stop(fd, null(), 1);
                writev / writev_or_stop(fd, null(), -1);
                writev / writev_or_stop(fd, &raw const part, c_int::MAX);
                writev / writev_or_stop(fd, &raw const part, -1);
                writev / writev_or_stop(fd, endless.as_ptr(), 2);
                write / write_or_stop(fd, null(), 0);
            }
            let (_room, odd) = misaligned(part);
            same! { writev / writev_or_stop(fd, odd as *const iovec, 1); }
        }
        for fd in [reader.as_raw_fd(), socket.as_raw_fd()] {
            same! {
                readv / readv_or_stop(fd, null(), 0);
                readv / readv_or_stop(fd, &raw const part, c_int::MAX);
                readv / readv_or_stop(fd, endless.as_ptr(), -1);
            }
        }
        // Not by musl's functions, which look at the messages themselves.
        let socket = socket.as_raw_fd() as usize;
        by_number(libc::SYS_sendmsg, [socket, 0, 0, 0, 0, 0]);
        by_number(libc::SYS_recvmsg, [socket, 0, 0, 0, 0, 0]);
        by_number(libc::SYS_sendmmsg, [socket, 0, 1, 0, 0, 0]);
        by_number(libc::SYS_sendmmsg, [socket, 0, 0, 0, 0, 0]);
    }

    fn entries_and_their_time_outs() {
        let (reader, _writer) = io::pipe().unwrap();
        let mut entry = pollfd { fd: reader.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let many = libc::nfds_t::MAX >> 8;
        same! {
            poll / poll_or_stop(null_mut(), 1, 1);
            poll / poll_or_stop(&raw mut entry, many, 1);
            poll / poll_or_stop(null_mut(), 0, 1);
            ppoll / ppoll_or_stop(null_mut(), 1, &raw const A_WHILE, null());
            ppoll / ppoll_or_stop(&raw mut entry, many, &raw const A_WHILE, null());
        }
        let (_room, odd) = misaligned(entry);
        let (_other, time) = misaligned(A_WHILE);
        by_number(SYS_ppoll, [odd, 1, time, 0, 0, 0]);
        for time in &NO_TIMES {
            same! { ppoll / ppoll_or_stop(&raw mut entry, 1, time, null()); }
        }
        // SAFETY: zeroed is a set.
        let mask: libc::sigset_t = unsafe { zeroed() };
        let mask = from_ref(&mask) as usize;
        let time = from_ref(&A_WHILE) as usize;
        let entries = &raw mut entry as usize;
        by_number(SYS_ppoll, [entries, 1, time, mask, 4, 0]);
        by_number(SYS_pselect6, [0, 0, 0, 0, time, [mask, 4].as_ptr() as usize]);
        by_number(libc::SYS_epoll_pwait, [usize::MAX, 0, 1, 0, mask, 4]);
    }

    fn masks_and_sets() {
        // SAFETY: zeroed is a set.
        let set: libc::sigset_t = unsafe { zeroed() };
        let set = from_ref(&set);
        let mut info = core::mem::MaybeUninit::uninit();
        same! {
            sigsuspend / sigsuspend_or_stop(null());
            sigtimedwait / sigtimedwait_or_stop(null(), null_mut(), &raw const A_WHILE);
            sigtimedwait / sigtimedwait_or_stop(set, info.as_mut_ptr(), &raw const A_WHILE);
            sigtimedwait / sigtimedwait_or_stop(set, null_mut(), &raw const NO_TIMES[0]);
            sigwaitinfo / sigwaitinfo_or_stop(null(), null_mut());
        }
        by_number(libc::SYS_rt_sigsuspend, [set as usize, 4, 0, 0, 0, 0]);
        by_number(libc::SYS_rt_sigtimedwait, [set as usize, 0, 0, 4, 0, 0]);
    }

    fn times() {
        // On 32 bits glibc reads the time itself, to make a longer one of it.
        if cfg!(target_pointer_width = "64") {
            same! { nanosleep / nanosleep_or_stop(null(), null_mut()); }
        }
        for time in &NO_TIMES {
            same! { nanosleep / nanosleep_or_stop(time, null_mut()); }
        }
        let (_room, odd) = misaligned(A_WHILE);
        by_number(libc::SYS_clock_nanosleep, [libc::CLOCK_MONOTONIC as usize, 0, odd, 0, 0, 0]);
        let while_ = from_ref(&A_WHILE) as usize;
        // No clock, one that nothing sleeps by, and the thread's own.
        for clock in [77, libc::CLOCK_MONOTONIC_RAW, libc::CLOCK_THREAD_CPUTIME_ID] {
            by_number(libc::SYS_clock_nanosleep, [clock as usize, 0, while_, 0, 0, 0]);
        }
        // libc's takes these for whole seconds; the kernel's does not.
        let time = libc::timeval { tv_sec: 0, tv_usec: 1_001_000 };
        let none = null_mut();
        let plain = std::thread::spawn(move || {
            let mut time = time;
            // SAFETY: no sets, and a time-out.
            unsafe { libc::select(0, null_mut(), null_mut(), null_mut(), &raw mut time) }
        });
        let mut time = time;
        // SAFETY: as above.
        let marked = unsafe { sys::select_or_stop(0, none, none, none, &raw mut time) };
        let plain = plain.join().unwrap();
        assert_eq!((plain, marked), (0, Ok(0)));
        // And a negative part for no time, whatever the other one is.
        for (seconds, microseconds) in [(-1, 1_000_000), (5, -1_000_000)] {
            let mut time = libc::timeval { tv_sec: seconds, tv_usec: microseconds };
            // SAFETY: no sets, and a time-out.
            let (plain, marked) = unsafe {
                let plain = libc::select(0, none, none, none, &raw mut time);
                (plain, sys::select_or_stop(0, none, none, none, &raw mut time))
            };
            assert_eq!((plain, marked), (-1, Ok(-1)), "{seconds} s, {microseconds} us");
            assert_eq!(io::Error::last_os_error().raw_os_error(), Some(libc::EINVAL));
            assert_eq!((time.tv_sec, time.tv_usec), (seconds, microseconds));
        }
    }

    fn words() {
        let word = 0_u32;
        let address = from_ref(&word) as usize;
        for time in &NO_TIMES {
            let time = from_ref(time) as usize;
            by_number(SYS_futex, [address, libc::FUTEX_WAIT as usize, 0, time, 0, 0]);
            let bits = libc::FUTEX_BITSET_MATCH_ANY as usize;
            by_number(SYS_futex, [address, libc::FUTEX_WAIT_BITSET as usize, 0, time, 0, bits]);
        }
        let (_room, odd) = misaligned(A_WHILE);
        by_number(SYS_futex, [address, libc::FUTEX_WAIT as usize, 0, odd, 0, 0]);
        by_number(SYS_futex, [0, libc::FUTEX_WAIT as usize, 0, from_ref(&A_WHILE) as usize, 0, 0]);
    }

    fn queues_and_semaphores() {
        // SAFETY: a set of one semaphore, which is removed below.
        let set = unsafe { libc::semget(libc::IPC_PRIVATE, 1, 0o600) };
        assert!(set >= 0);
        let mut up = sembuf { sem_num: 0, sem_op: 1, sem_flg: 0 };
        let (_room, odd) = misaligned(up);
        // One operation, of which 4,000 are said to be: over the limit.
        same! {
            semop / semop_or_stop(set, &raw mut up, 4_000);
            semop / semop_or_stop(set, &raw mut up, usize::MAX);
            semop / semop_or_stop(set, null_mut(), 1);
            semop / semop_or_stop(set, &raw mut up, 0);
            semop / semop_or_stop(set, odd as *mut sembuf, 1);
        }
        for time in &NO_TIMES {
            // SAFETY: one operation and a time-out.
            let marked = unsafe { sys::semtimedop_or_stop(set, &raw mut up, 1, time) };
            assert_eq!(seen(marked.expect("no request").into()), (-1, libc::EINVAL));
        }
        // SAFETY: our own set.
        unsafe { libc::semctl(set, 0, libc::IPC_RMID) };

        let name = format!("/stop-tests-{}", std::process::id());
        let name = std::ffi::CString::new(name).unwrap();
        let flags = libc::O_CREAT | libc::O_EXCL | libc::O_RDWR;
        // SAFETY: a terminated name, which is taken away again.
        let queue = unsafe {
            let queue = libc::mq_open(name.as_ptr(), flags, 0o600, null::<libc::mq_attr>());
            libc::mq_unlink(name.as_ptr());
            queue
        };
        assert!(queue >= 0, "{}", io::Error::last_os_error());
        let mut message = [0; 8192];
        for time in &NO_TIMES {
            let place = message.as_mut_ptr();
            same! {
                mq_timedreceive / mq_timedreceive_or_stop(queue, place, 8192, null_mut(), time);
                mq_timedsend / mq_timedsend_or_stop(queue, place, 1, 0, time);
            }
        }
        // SAFETY: our own.
        unsafe { libc::mq_close(queue) };
    }

    fn paths() {
        let here = libc::AT_FDCWD as usize;
        let path = c"/dev/null".as_ptr() as usize;
        let flags = 0_u64;
        by_number(SYS_openat2, [here, path, 0, 24, 0, 0]);
        by_number(SYS_openat2, [here, path, from_ref(&flags) as usize, 8, 0, 0]);
        by_number(SYS_openat2, [here, path, from_ref(&flags) as usize, 0, 0, 0]);
        same! {
            open / open_or_stop(null(), 0, 0);
        }
    }
}
