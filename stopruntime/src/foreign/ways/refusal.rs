//! What a call says that is ended.
//!
//! In [`foreign_reset`](crate::foreign_reset) what moves data through a socket says that the
//! connection is reset: libraries take `ECANCELED` for an error of the moment, and keep a
//! connection with half of a request on it, or with an answer that is still to come. Writes
//! say `ECONNRESET` as reads do, and not `EPIPE`, which comes with a `SIGPIPE`.

use super::kernel::CANCELED;
use super::look::{Kind, kind};
use crate::runtime::region::Region;
use core::ffi::c_long;
use core::sync::atomic::Ordering::Relaxed;

const RESET: isize = -(libc::ECONNRESET as isize);

/// The result of this call.
pub(super) fn refusal(region: &Region, number: c_long, args: &[usize; 6]) -> isize {
    // mutant: calls-of-sockets-are-reset
    let resets = region.resets.load(Relaxed);
    if resets && is_of_a_socket(number, args) { RESET } else { CANCELED }
}

/// The same of a call whose number is not known: none of those that are recognised by their
/// arguments moves data.
#[cfg(target_arch = "x86_64")]
pub(super) fn of_unknown(region: &Region, args: &[usize; 6]) -> isize {
    refusal(region, libc::SYS_read, args)
}

fn is_of_a_socket(number: c_long, args: &[usize; 6]) -> bool {
    let is_socket = |which: usize| kind(args[which]) == Kind::Socket;
    match number {
        libc::SYS_read
        | libc::SYS_readv
        | libc::SYS_pread64
        | libc::SYS_preadv
        | libc::SYS_preadv2
        | libc::SYS_recvfrom
        | libc::SYS_recvmsg
        | libc::SYS_recvmmsg
        | libc::SYS_write
        | libc::SYS_writev
        | libc::SYS_pwrite64
        | libc::SYS_pwritev
        | libc::SYS_pwritev2
        | libc::SYS_sendto
        | libc::SYS_sendmsg
        | libc::SYS_sendmmsg
        | libc::SYS_sendfile => is_socket(0),
        libc::SYS_splice => is_socket(0) || is_socket(2),
        _ => false,
    }
}
