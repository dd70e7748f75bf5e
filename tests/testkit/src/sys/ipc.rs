//! Message queues and semaphores of POSIX and of System V.

use super::{Arranged, Case, FromWord, arranged, case};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::ffi::CString;
use std::sync::Arc;
use stopruntime::{Stopped, sys};

const FAR: libc::timespec = libc::timespec { tv_sec: MOST_SECONDS, tv_nsec: 0 };

const MOST_SECONDS: libc::time_t = libc::time_t::MAX >> if SHORT_TIMES { 0 } else { 2 };
/// Those of 32 bits end in 2038.
const SHORT_TIMES: bool = size_of::<libc::time_t>() == 4;

/// A POSIX queue of one message of eight bytes.
struct Queue(libc::mqd_t);

impl Queue {
    fn new() -> Queue {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = CString::new(format!("/stop-tests-{}-{count}", std::process::id())).unwrap();
        // SAFETY: a terminated name and a zeroed attribute, filled in.
        unsafe {
            let mut attribute: libc::mq_attr = std::mem::zeroed();
            attribute.mq_maxmsg = 1;
            attribute.mq_msgsize = 8;
            let flags = libc::O_CREAT | libc::O_RDWR;
            let queue = libc::mq_open(name.as_ptr(), flags, 0o600, &raw mut attribute);
            assert!(queue >= 0, "{}", std::io::Error::last_os_error());
            libc::mq_unlink(name.as_ptr());
            Queue(queue)
        }
    }

    fn post(&self) {
        // SAFETY: one readable byte.
        assert_eq!(unsafe { libc::mq_send(self.0, c"x".as_ptr(), 1, 0) }, 0);
    }

    fn take(&self) {
        let mut buffer = [0; 8];
        // SAFETY: eight writable bytes.
        assert_eq!(unsafe { libc::mq_receive(self.0, buffer.as_mut_ptr(), 8, null_mut()) }, 1);
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: opened by us.
        unsafe { libc::mq_close(self.0) };
    }
}

fn receiving(call: fn(libc::mqd_t, *mut libc::c_char) -> Result<isize, Stopped>) -> Arranged {
    let queue = Arc::new(Queue::new());
    let other = Arc::clone(&queue);
    arranged(move || call(queue.0, [0; 8].as_mut_ptr()).map(i64::from_word), move || other.post())
}

fn sending(call: fn(libc::mqd_t) -> Result<i32, Stopped>) -> Arranged {
    let queue = Arc::new(Queue::new());
    queue.post();
    let other = Arc::clone(&queue);
    arranged(move || call(queue.0).map(i64::from), move || other.take())
}

#[repr(C)]
struct Message {
    kind: libc::c_long,
    text: [u8; 8],
}

/// A System V queue; dropped, it is removed.
struct OldQueue(i32);

impl OldQueue {
    fn new() -> OldQueue {
        // SAFETY: two integers.
        let queue = unsafe { libc::msgget(libc::IPC_PRIVATE, 0o600) };
        assert!(queue >= 0, "{}", std::io::Error::last_os_error());
        OldQueue(queue)
    }

    fn post(&self, flags: i32) -> bool {
        let message = Message { kind: 1, text: [0; 8] };
        // SAFETY: eight bytes of text.
        unsafe { libc::msgsnd(self.0, (&raw const message).cast(), 8, flags) == 0 }
    }
}

impl Drop for OldQueue {
    fn drop(&mut self) {
        // SAFETY: removes our own.
        unsafe { libc::msgctl(self.0, libc::IPC_RMID, null_mut()) };
    }
}

fn old_receiving() -> Arranged {
    let queue = Arc::new(OldQueue::new());
    let other = Arc::clone(&queue);
    arranged(
        move || {
            let mut message = Message { kind: 0, text: [0; 8] };
            // SAFETY: a place for eight bytes of text.
            let result =
                unsafe { sys::msgrcv_or_stop(queue.0, (&raw mut message).cast(), 8, 0, 0) };
            result.map(i64::from_word)
        },
        move || assert!(other.post(0)),
    )
}

fn old_sending() -> Arranged {
    let queue = Arc::new(OldQueue::new());
    while queue.post(libc::IPC_NOWAIT) {}
    let other = Arc::clone(&queue);
    arranged(
        move || {
            let message = Message { kind: 1, text: [0; 8] };
            // SAFETY: eight bytes of text.
            let result = unsafe { sys::msgsnd_or_stop(queue.0, (&raw const message).cast(), 8, 0) };
            result.map(i64::from)
        },
        move || {
            let mut message = Message { kind: 0, text: [0; 8] };
            // SAFETY: a place for eight bytes of text.
            assert_eq!(unsafe { libc::msgrcv(other.0, (&raw mut message).cast(), 8, 0, 0) }, 8);
        },
    )
}

/// A set of one System V semaphore; dropped, it is removed.
struct OldSemaphore(i32);

impl Drop for OldSemaphore {
    fn drop(&mut self) {
        // SAFETY: removes our own.
        unsafe { libc::semctl(self.0, 0, libc::IPC_RMID) };
    }
}

fn semaphore(call: fn(i32, *mut libc::sembuf) -> Result<i32, Stopped>) -> Arranged {
    // SAFETY: three integers.
    let set = unsafe { libc::semget(libc::IPC_PRIVATE, 1, 0o600) };
    assert!(set >= 0, "{}", std::io::Error::last_os_error());
    let set = Arc::new(OldSemaphore(set));
    let one = |by| libc::sembuf { sem_num: 0, sem_op: by, sem_flg: 0 };
    let other = Arc::clone(&set);
    arranged(
        move || call(set.0, &mut one(-1)).map(i64::from),
        move || {
            let mut operation = one(1);
            // SAFETY: one operation.
            assert_eq!(unsafe { libc::semop(other.0, &raw mut operation, 1) }, 0);
        },
    )
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("mq_receive", || {
            receiving(made!(|queue, place| sys::mq_receive_or_stop(queue, place, 8, null_mut())))
        })
        .gives(1),
        case("mq_timedreceive", || {
            receiving(made!(|queue, place| {
                sys::mq_timedreceive_or_stop(queue, place, 8, null_mut(), &FAR)
            }))
        })
        .gives(1),
        case("mq_send", || {
            sending(made!(|queue| sys::mq_send_or_stop(queue, c"x".as_ptr(), 1, 0)))
        }),
        case("mq_timedsend", || {
            sending(made!(|queue| sys::mq_timedsend_or_stop(queue, c"x".as_ptr(), 1, 0, &FAR)))
        }),
        case("msgrcv", old_receiving).gives(8),
        case("msgsnd", old_sending),
        case("semop", || semaphore(made!(|set, operation| sys::semop_or_stop(set, operation, 1)))),
        case("semtimedop", || {
            semaphore(made!(|set, operation| {
                let long = libc::timespec { tv_sec: 1_000, tv_nsec: 0 };
                sys::semtimedop_or_stop(set, operation, 1, &raw const long)
            }))
        }),
    ]
}
