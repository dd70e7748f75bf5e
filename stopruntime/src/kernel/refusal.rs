//! Refused system calls.

/// Whether this raw result says that the call is not to be had, of a call that
/// fails with none of these for another reason.
pub(crate) fn is_refusal(raw: isize) -> bool {
    [libc::ENOSYS, libc::EPERM, libc::EACCES].iter().any(|errno| raw == -(*errno as isize))
}
