//! How a system call is made stoppable without a window. The text of each is what
//! the table at [`sys`](crate::sys#backends) says of its calls.

/// A text with `|` in it is rows of that table as they are, where some uses of a
/// call go another way than others.
#[derive(Clone, Copy)]
#[allow(dead_code, reason = "some are of numbers that not every architecture has")]
pub(crate) enum How {
    /// the call with a vector that the stop signal's handler spoils
    Buffer,
    /// the call with a vector that the stop signal's handler spoils
    Vector,
    /// the call with a message that the handler spoils
    Receive,
    /// the call with a message that the handler spoils
    Send,
    /// the call with a message that the handler spoils
    Message,
    /// the call with a message that the handler spoils
    Messages,
    /// of a Unix address, the call with an address that the handler spoils; of others, `O_NONBLOCK` while it is made, and `ppoll`
    Connect,
    /// `ppoll`, then the call, one at a time among this process's stop-checked callers
    Accept,
    /// `creat` `open` `open(O_WRONLY)` `openat` `openat(O_WRONLY)` `openat2` | the call with a path that the handler spoils
    Path,
    /// the call with a handle that the handler spoils
    Handle,
    /// `fcntl(F_OFD_SETLKW)` `fcntl(F_SETLKW)` `lockf` | the call with a range that the handler spoils
    Range,
    /// the call with a time-out that the handler spoils
    Deadline,
    /// the call with a time-out that the handler spoils
    Semaphore,
    /// the call with a message that the handler spoils
    Msgsnd,
    /// `futex(FUTEX_WAIT)` `futex(FUTEX_WAIT_BITSET)` | `futex_waitv` over the word and the flag (Linux 5.16); without it, or for some bits alone, the call with a time-out that the handler spoils, which other signals end only if the caller gave one
    /// `futex(FUTEX_LOCK_PI)` `futex(FUTEX_LOCK_PI2)` `futex(FUTEX_WAIT_REQUEUE_PI)` | the call with a time-out that the handler spoils
    Futex,
    /// `futex_waitv` over the words and the flag; for 128 words, the call with a time-out that the handler spoils
    FutexWaitv,
    /// `ppoll` with the signal unblocked in its mask
    Poll,
    /// with the signal unblocked in the call's own mask
    Ppoll,
    /// with the signal unblocked in the call's own mask
    Select,
    /// with the signal unblocked in the call's own mask
    Epoll,
    /// `epoll_pwait` with the signal unblocked in its mask
    EpollWait,
    /// with the signal unblocked in the call's own mask
    Suspend,
    /// `ppoll` with the signal unblocked in its mask
    Pause,
    /// with the signal unblocked in the call's own mask
    Ring,
    /// with the stop signal among those waited for
    Signals,
    /// `ppoll` of a timer
    Sleep,
    /// `waitid` | of one child, a pidfd (Linux 5.3; without it, one that has ended already)
    /// `waitid(P_ALL)` | the call if it does not have to wait, else `ENOTSUP`
    Child,
    /// `wait4` `waitpid` | of one child, a pidfd (Linux 5.3; without it, one that has ended already)
    /// `wait` `wait3` `waitpid(-1)` | the call if it does not have to wait, else `ENOTSUP`
    AnyChild,
    /// `sendfile(offset)` | the call with an offset that the handler spoils
    /// `sendfile` | `ENOTSUP`
    Sendfile,
    /// `splice(offset)` | the call with an offset that the handler spoils
    /// `splice` | `ENOTSUP`
    Splice,
    /// by a second thread, as on the others
    SecondThread,
    /// the plain call: it ends by itself
    Plain,
    /// the call if it does not have to wait, else `ENOTSUP`
    Flock,
    /// the call if it does not have to wait, else `ENOTSUP`
    Msgrcv,
    /// `ioctl` `tcdrain` `tee`, `syscall` of another number | `ENOTSUP`
    Refused,
}
