//! POSIX message queues. `mq_overview(7)`.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::calls;
use core::ffi::{c_char, c_int, c_uint};
use libc::{mqd_t, size_t, ssize_t, timespec};

calls! {
    /// `mq_receive(3)`.
    "mq_receive" mq_receive_or_stop(queue: mqd_t, buffer: *mut c_char, length: size_t, priority: *mut c_uint) -> ssize_t
        = SYS_mq_timedreceive(queue, buffer, length, priority, 0), ppoll: Deadline;
    /// `mq_receive(3)`; the time-out is a time on `CLOCK_REALTIME`.
    "mq_timedreceive" mq_timedreceive_or_stop(
        queue: mqd_t, buffer: *mut c_char, length: size_t, priority: *mut c_uint, deadline: *const timespec,
    ) -> ssize_t = SYS_mq_timedreceive(queue, buffer, length, priority, deadline), ppoll: Deadline;
    /// `mq_send(3)`.
    "mq_send" mq_send_or_stop(queue: mqd_t, data: *const c_char, length: size_t, priority: c_uint) -> c_int
        = SYS_mq_timedsend(queue, data, length, priority, 0), ppoll: Deadline;
    /// `mq_send(3)`; the time-out is a time on `CLOCK_REALTIME`.
    "mq_timedsend" mq_timedsend_or_stop(
        queue: mqd_t, data: *const c_char, length: size_t, priority: c_uint, deadline: *const timespec,
    ) -> c_int = SYS_mq_timedsend(queue, data, length, priority, deadline), ppoll: Deadline;
}
