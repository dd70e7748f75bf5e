//! Message queues, semaphores and futexes.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::calls;
use core::ffi::{c_char, c_int, c_long, c_uint, c_void};
use libc::{clockid_t, futex_waitv, mqd_t, sembuf, size_t, ssize_t, timespec};

calls! {
    /// `mq_receive(3)`.
    "mq_receive" mq_receive_or_stop(queue: mqd_t, buffer: *mut c_char, length: size_t, priority: *mut c_uint) -> ssize_t
        = SYS_mq_timedreceive(queue, buffer, length, priority, 0);
    /// `mq_receive(3)`; the time-out is a time on `CLOCK_REALTIME`.
    "mq_timedreceive" mq_timedreceive_or_stop(
        queue: mqd_t, buffer: *mut c_char, length: size_t, priority: *mut c_uint, deadline: *const timespec,
    ) -> ssize_t = SYS_mq_timedreceive(queue, buffer, length, priority, deadline);
    /// `mq_send(3)`.
    "mq_send" mq_send_or_stop(queue: mqd_t, data: *const c_char, length: size_t, priority: c_uint) -> c_int
        = SYS_mq_timedsend(queue, data, length, priority, 0);
    /// `mq_send(3)`; the time-out is a time on `CLOCK_REALTIME`.
    "mq_timedsend" mq_timedsend_or_stop(
        queue: mqd_t, data: *const c_char, length: size_t, priority: c_uint, deadline: *const timespec,
    ) -> c_int = SYS_mq_timedsend(queue, data, length, priority, deadline);
    /// msgrcv(2).
    "msgrcv" msgrcv_or_stop(queue: c_int, message: *mut c_void, size: size_t, kind: c_long, flags: c_int) -> ssize_t
        = SYS_msgrcv(queue, message, size, kind, flags);
    /// msgsnd(2).
    "msgsnd" msgsnd_or_stop(queue: c_int, message: *const c_void, size: size_t, flags: c_int) -> c_int
        = SYS_msgsnd(queue, message, size, flags);
    /// semop(2).
    "semop" semop_or_stop(set: c_int, operations: *mut sembuf, count: size_t) -> c_int
        = SYS_semtimedop(set, operations, count, 0);
    /// semop(2).
    "semtimedop" semtimedop_or_stop(set: c_int, operations: *mut sembuf, count: size_t, timeout: *const timespec) -> c_int
        = SYS_semtimedop(set, operations, count, timeout);
    /// futex(2), by its kernel signature: `FUTEX_WAIT`, `FUTEX_WAIT_BITSET` and
    /// `FUTEX_LOCK_PI` wait. Stopped, no wake-up was consumed and no lock taken.
    "futex" futex_or_stop(
        word: *mut u32, operation: c_int, value: u32, timeout: *const timespec, second: *mut u32, third: u32,
    ) -> c_long = SYS_futex(word, operation, value, timeout, second, third);
    /// `futex_waitv(2)`, by its kernel signature: the index of a word that was
    /// woken. Stopped, none was.
    "futex_waitv" futex_waitv_or_stop(
        words: *const futex_waitv, count: c_uint, flags: c_uint, deadline: *const timespec, clock: clockid_t,
    ) -> c_long = SYS_futex_waitv(words, count, flags, deadline, clock);
}
