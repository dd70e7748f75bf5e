//! What a thread waits for, by the arguments of its system call.

use super::descriptor::Descriptor;
use super::memory::read;
use crate::runtime::records;
use core::ffi::c_int;
use core::fmt;
use std::path::Path;

/// Says what a thread waits for.
///
/// # Examples
///
/// ```
/// use std::net::UdpSocket;
/// use std::os::fd::AsRawFd;
/// use stopruntime::ext::RecvOrStop;
/// use stopruntime::report::{Activity, WaitsFor};
/// use stopruntime::thread;
///
/// let socket = UdpSocket::bind("127.0.0.1:0")?;
/// let number = socket.as_raw_fd();
/// let receives = thread::spawn(move || socket.recv_or_stop(&mut [0; 16]).is_err());
/// # while !matches!(receives.report().activity, Activity::Waits(_)) { thread::yield_now() }
/// if let Activity::Waits(wait) = receives.report().activity {
///     assert!(wait.marked);
///     match wait.on {
///         Some(WaitsFor::Descriptors(all)) => assert_eq!(all[0].number, number),
///         other => panic!("{other:?}"),
///     }
/// }
/// assert!(receives.stop_and_join().unwrap());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitsFor {
    /// One of these descriptors.
    Descriptors(Vec<Descriptor>),
    /// A lock, a condition or whatever else is made of this word. futex(2).
    #[non_exhaustive]
    Futex {
        /// The word's address.
        address: usize,
    },
    /// The end of a thread.
    #[non_exhaustive]
    Thread {
        /// The thread's id in the kernel, if it is known.
        id: Option<c_int>,
    },
    /// The end of a child process.
    #[non_exhaustive]
    Child {
        /// The child's id; none if it is any child.
        id: Option<c_int>,
    },
}

impl fmt::Display for WaitsFor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WaitsFor::Descriptors(descriptors) => {
                for (at, descriptor) in descriptors.iter().enumerate() {
                    let word = if at == 0 { "on" } else { " and" };
                    write!(formatter, "{word} {descriptor}")?;
                }
                Ok(())
            }
            WaitsFor::Futex { address } => write!(formatter, "on the word at {address:#x}"),
            WaitsFor::Thread { id: Some(id) } => write!(formatter, "for the end of thread {id}"),
            WaitsFor::Thread { id: None } => formatter.write_str("for the end of a thread"),
            WaitsFor::Child { id: Some(id) } => write!(formatter, "for child {id}"),
            WaitsFor::Child { id: None } => formatter.write_str("for any child"),
        }
    }
}

/// What a call of this name waits for.
pub(super) fn waits_for(name: Option<&str>, args: [usize; 6]) -> Option<WaitsFor> {
    let numbers: Vec<c_int> = match name? {
        "futex" => return futex(args),
        "futex_waitv" => return futexes(args),
        "wait4" => return Some(child(args[0] as c_int)),
        "waitid" => match args[0] as libc::idtype_t {
            libc::P_PID => return Some(child(args[1] as c_int)),
            libc::P_PIDFD => vec![args[1] as c_int],
            _ => return Some(child(-1)),
        },
        "poll" | "ppoll" => polled(args[0], args[1]),
        "splice" | "copy_file_range" => vec![args[0] as c_int, args[2] as c_int],
        "tee" | "sendfile" => vec![args[0] as c_int, args[1] as c_int],
        name if FIRST.contains(&name) => vec![args[0] as c_int],
        _ => return None,
    };
    let descriptors: Vec<_> = numbers.into_iter().map(Descriptor::of).collect();
    (!descriptors.is_empty()).then_some(WaitsFor::Descriptors(descriptors))
}

/// Calls whose first argument is a descriptor.
const FIRST: &[&str] = &[
    "accept",
    "accept4",
    "close",
    "connect",
    "epoll_pwait",
    "epoll_pwait2",
    "epoll_wait",
    "fallocate",
    "fcntl",
    "fcntl64",
    "fdatasync",
    "flock",
    "fsync",
    "getdents64",
    "io_uring_enter",
    "ioctl",
    "mq_timedreceive",
    "mq_timedsend",
    "pread64",
    "preadv",
    "preadv2",
    "pwrite64",
    "pwritev",
    "pwritev2",
    "read",
    "readv",
    "recvfrom",
    "recvmmsg",
    "recvmsg",
    "sendmmsg",
    "sendmsg",
    "sendto",
    "sync_file_range",
    "syncfs",
    "vmsplice",
    "write",
    "writev",
];

fn child(id: c_int) -> WaitsFor {
    WaitsFor::Child { id: (id > 0).then_some(id) }
}

fn futex([address, operation, value, ..]: [usize; 6]) -> Option<WaitsFor> {
    if let Some(thread) = thread_of(address) {
        return Some(thread);
    }
    if is_flag(address) {
        // A sleep, which ends at a time.
        return None;
    }
    let operation = operation as c_int;
    let waits = [libc::FUTEX_WAIT, libc::FUTEX_WAIT_BITSET].contains(&(operation & 0x7f));
    let id = value as c_int;
    // As glibc's pthread_join(3) waits: for the id, which the kernel takes away, and wakes
    // as for a word that other processes might have.
    if waits && operation & libc::FUTEX_PRIVATE_FLAG == 0 && is_thread(id) {
        return Some(WaitsFor::Thread { id: Some(id) });
    }
    Some(WaitsFor::Futex { address })
}

fn is_thread(id: c_int) -> bool {
    id > 0 && Path::new("/proc/self/task").join(id.to_string()).exists()
}

fn is_flag(address: usize) -> bool {
    records::taken().any(|record| record.has_its_flag_at(address))
}

/// The thread whose end is told by this word.
fn thread_of(address: usize) -> Option<WaitsFor> {
    let record = records::taken().find(|record| record.tells_its_end_at(address))?;
    Some(WaitsFor::Thread { id: record.known.thread() })
}

/// Of several words the first that is not the flag of a thread: the runtime's own.
fn futexes([words, count, ..]: [usize; 6]) -> Option<WaitsFor> {
    // `struct futex_waitv`: the value, the address and flags, each with 64 bits.
    let each = (0..count.min(2)).map_while(|at| read::<[u64; 2]>(words.wrapping_add(24 * at)));
    let mut addresses = each.map(|[_, address]| address as usize);
    let address = addresses.find(|address| !is_flag(*address))?;
    Some(thread_of(address).unwrap_or(WaitsFor::Futex { address }))
}

/// The descriptors that are polled, as many as fit in a line.
fn polled(first: usize, count: usize) -> Vec<c_int> {
    const MANY: usize = 4;
    // `struct pollfd`: the descriptor, then four bytes of events.
    let each = (0..count.min(MANY)).map_while(|at| read::<[c_int; 2]>(first.wrapping_add(8 * at)));
    each.map(|[number, _]| number).filter(|number| *number >= 0).collect()
}
