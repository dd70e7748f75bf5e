//! Moving data through a pipe, or without a buffer. pipe(7).
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::calls;
use core::ffi::{c_int, c_uint};
use libc::{iovec, off_t, off64_t, size_t, ssize_t};

calls! {
    /// sendfile(2).
    "sendfile" sendfile_or_stop(to: c_int, from: c_int, offset: *mut off_t, count: size_t) -> ssize_t
        = SYS_sendfile(to, from, offset, count), ppoll: Sendfile;
    /// splice(2).
    "splice" splice_or_stop(
        from: c_int, from_offset: *mut off64_t, to: c_int, to_offset: *mut off64_t, length: size_t, flags: c_uint,
    ) -> ssize_t = SYS_splice(from, from_offset, to, to_offset, length, flags), ppoll: Splice;
    /// tee(2).
    "tee" tee_or_stop(from: c_int, to: c_int, length: size_t, flags: c_uint) -> ssize_t
        = SYS_tee(from, to, length, flags), ppoll: Refused;
    /// vmsplice(2).
    "vmsplice" vmsplice_or_stop(fd: c_int, vector: *const iovec, count: size_t, flags: c_uint) -> ssize_t
        = SYS_vmsplice(fd, vector, count, flags), ppoll: Vector;
}
