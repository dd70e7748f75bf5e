//! Sockets.
//!
//! # Safety
//!
//! See the parent module.

#![allow(unsafe_code)]

use super::calls;
use core::ffi::{c_int, c_uint, c_void};
use libc::{mmsghdr, msghdr, size_t, sockaddr, socklen_t, ssize_t, timespec};

calls! {
    /// accept(2).
    "accept" accept_or_stop(fd: c_int, address: *mut sockaddr, length: *mut socklen_t) -> c_int
        = SYS_accept4(fd, address, length, 0), ppoll: Accept;
    /// accept(2).
    "accept4" accept4_or_stop(fd: c_int, address: *mut sockaddr, length: *mut socklen_t, flags: c_int) -> c_int
        = SYS_accept4(fd, address, length, flags), ppoll: Accept;
    /// connect(2). Stopped while it waited, the attempt goes on, as after
    /// `EINTR`: close the socket, or wait until it is writable.
    "connect" connect_or_stop(fd: c_int, address: *const sockaddr, length: socklen_t) -> c_int
        = SYS_connect(fd, address, length), ppoll: Connect;
    /// recv(2).
    "recv" recv_or_stop(fd: c_int, buffer: *mut c_void, length: size_t, flags: c_int) -> ssize_t
        = SYS_recvfrom(fd, buffer, length, flags, 0, 0), ppoll: Receive;
    /// recvfrom(2).
    "recvfrom" recvfrom_or_stop(
        fd: c_int, buffer: *mut c_void, length: size_t, flags: c_int, address: *mut sockaddr, address_length: *mut socklen_t,
    ) -> ssize_t = SYS_recvfrom(fd, buffer, length, flags, address, address_length), ppoll: Receive;
    /// recvmsg(2).
    "recvmsg" recvmsg_or_stop(fd: c_int, message: *mut msghdr, flags: c_int) -> ssize_t
        = SYS_recvmsg(fd, message, flags), ppoll: Message;
    /// recvmmsg(2). If it is stopped after the first message, it returns what it
    /// has.
    "recvmmsg" recvmmsg_or_stop(fd: c_int, messages: *mut mmsghdr, count: c_uint, flags: c_int, timeout: *mut timespec) -> c_int
        = SYS_recvmmsg(fd, messages, count, flags, timeout), ppoll: Messages;
    /// send(2).
    "send" send_or_stop(fd: c_int, data: *const c_void, length: size_t, flags: c_int) -> ssize_t
        = SYS_sendto(fd, data, length, flags, 0, 0), ppoll: Send;
    /// sendto(2).
    "sendto" sendto_or_stop(
        fd: c_int, data: *const c_void, length: size_t, flags: c_int, address: *const sockaddr, address_length: socklen_t,
    ) -> ssize_t = SYS_sendto(fd, data, length, flags, address, address_length), ppoll: Send;
    /// sendmsg(2).
    "sendmsg" sendmsg_or_stop(fd: c_int, message: *const msghdr, flags: c_int) -> ssize_t
        = SYS_sendmsg(fd, message, flags), ppoll: Message;
    /// sendmmsg(2).
    "sendmmsg" sendmmsg_or_stop(fd: c_int, messages: *mut mmsghdr, count: c_uint, flags: c_int) -> c_int
        = SYS_sendmmsg(fd, messages, count, flags), ppoll: Messages;
}
