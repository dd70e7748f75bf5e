//! Message queues, semaphores, futexes.

use super::{Arranged, Case, arranged, case};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::ffi::CString;
use std::sync::Arc;
use stopruntime::{Stopped, sys};

/// A POSIX queue of one message.
fn queue() -> libc::mqd_t {
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
        queue
    }
}

fn post(queue: libc::mqd_t) {
    // SAFETY: one readable byte.
    assert_eq!(unsafe { libc::mq_send(queue, c"x".as_ptr(), 1, 0) }, 0);
}

fn take(queue: libc::mqd_t) {
    let mut buffer = [0; 8];
    // SAFETY: eight writable bytes.
    assert_eq!(unsafe { libc::mq_receive(queue, buffer.as_mut_ptr(), 8, null_mut()) }, 1);
}

fn receiving(timed: bool) -> Arranged {
    let queue = queue();
    arranged(
        move || {
            let mut buffer = [0; 8];
            let far = libc::timespec { tv_sec: i64::MAX / 4, tv_nsec: 0 };
            // SAFETY: eight writable bytes.
            let length = unsafe {
                if timed {
                    sys::mq_timedreceive_or_stop(
                        queue,
                        buffer.as_mut_ptr(),
                        8,
                        null_mut(),
                        &raw const far,
                    )
                } else {
                    sys::mq_receive_or_stop(queue, buffer.as_mut_ptr(), 8, null_mut())
                }
            }?;
            Ok(length as i64)
        },
        move || post(queue),
    )
}

fn sending(timed: bool) -> Arranged {
    let queue = queue();
    post(queue);
    arranged(
        move || {
            let far = libc::timespec { tv_sec: i64::MAX / 4, tv_nsec: 0 };
            // SAFETY: one readable byte.
            let done = unsafe {
                if timed {
                    sys::mq_timedsend_or_stop(queue, c"x".as_ptr(), 1, 0, &raw const far)
                } else {
                    sys::mq_send_or_stop(queue, c"x".as_ptr(), 1, 0)
                }
            }?;
            Ok(done.into())
        },
        move || take(queue),
    )
}

#[repr(C)]
struct Message {
    kind: libc::c_long,
    text: [u8; 8],
}

/// A System V queue, removed when the case is over with the process's help:
/// it is marked for removal by the feed or left to the next `ipcrm`.
fn old_queue() -> i32 {
    // SAFETY: two integers.
    let queue = unsafe { libc::msgget(libc::IPC_PRIVATE, 0o600) };
    assert!(queue >= 0, "{}", std::io::Error::last_os_error());
    queue
}

fn old_receiving() -> Arranged {
    let queue = old_queue();
    arranged(
        move || {
            let mut message = Message { kind: 0, text: [0; 8] };
            // SAFETY: a place for eight bytes of text.
            let result = unsafe { sys::msgrcv_or_stop(queue, (&raw mut message).cast(), 8, 0, 0) };
            // SAFETY: removes the queue made above.
            unsafe { libc::msgctl(queue, libc::IPC_RMID, null_mut()) };
            Ok(result? as i64)
        },
        move || {
            let message = Message { kind: 1, text: [0; 8] };
            // SAFETY: eight bytes of text.
            assert_eq!(unsafe { libc::msgsnd(queue, (&raw const message).cast(), 8, 0) }, 0);
        },
    )
}

fn old_sending() -> Arranged {
    let queue = old_queue();
    let message = Message { kind: 1, text: [0; 8] };
    // SAFETY: eight bytes of text, until the queue is full.
    while unsafe { libc::msgsnd(queue, (&raw const message).cast(), 8, libc::IPC_NOWAIT) } == 0 {}
    arranged(
        move || {
            let message = Message { kind: 1, text: [0; 8] };
            // SAFETY: eight bytes of text.
            let result = unsafe { sys::msgsnd_or_stop(queue, (&raw const message).cast(), 8, 0) };
            // SAFETY: removes the queue made above.
            unsafe { libc::msgctl(queue, libc::IPC_RMID, null_mut()) };
            Ok(result?.into())
        },
        move || {
            let mut message = Message { kind: 0, text: [0; 8] };
            // SAFETY: a place for eight bytes of text.
            assert_eq!(unsafe { libc::msgrcv(queue, (&raw mut message).cast(), 8, 0, 0) }, 8);
        },
    )
}

fn semaphore(timed: bool) -> Arranged {
    // SAFETY: three integers.
    let set = unsafe { libc::semget(libc::IPC_PRIVATE, 1, 0o600) };
    assert!(set >= 0, "{}", std::io::Error::last_os_error());
    let one = |by| libc::sembuf { sem_num: 0, sem_op: by, sem_flg: 0 };
    arranged(
        move || {
            let mut operation = one(-1);
            let far = libc::timespec { tv_sec: 1_000, tv_nsec: 0 };
            // SAFETY: one operation.
            let result = unsafe {
                if timed {
                    sys::semtimedop_or_stop(set, &raw mut operation, 1, &raw const far)
                } else {
                    sys::semop_or_stop(set, &raw mut operation, 1)
                }
            };
            // SAFETY: removes the set made above.
            unsafe { libc::semctl(set, 0, libc::IPC_RMID) };
            Ok(result?.into())
        },
        move || {
            let mut operation = one(1);
            // SAFETY: one operation.
            assert_eq!(unsafe { libc::semop(set, &raw mut operation, 1) }, 0);
        },
    )
}

/// A word that keeps its value until it is fed: then the wait does not begin,
/// which futex(2) reports as `EAGAIN`.
fn waiting(operation: i32, third: u32) -> Arranged {
    let word = Arc::new(AtomicU32::new(0));
    let ours = Arc::clone(&word);
    arranged(
        move || {
            // SAFETY: the word outlives the call.
            let result: Result<i64, Stopped> = unsafe {
                sys::futex_or_stop(
                    ours.as_ptr(),
                    operation,
                    0,
                    core::ptr::null(),
                    null_mut(),
                    third,
                )
            };
            result
        },
        move || word.store(1, Ordering::SeqCst),
    )
}

pub fn cases() -> Vec<Case> {
    vec![
        case("mq_receive", || receiving(false)),
        case("mq_timedreceive", || receiving(true)),
        case("mq_send", || sending(false)),
        case("mq_timedsend", || sending(true)),
        case("msgrcv", old_receiving).not_on_ppoll(),
        case("msgsnd", old_sending).not_on_ppoll(),
        case("semop", || semaphore(false)).not_on_ppoll(),
        case("semtimedop", || semaphore(true)).not_on_ppoll(),
        case("futex wait", || waiting(libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG, 0))
            .fails_with(libc::EAGAIN),
        case("futex bitset", || {
            waiting(libc::FUTEX_WAIT_BITSET | libc::FUTEX_PRIVATE_FLAG, u32::MAX)
        })
        .fails_with(libc::EAGAIN),
    ]
}
