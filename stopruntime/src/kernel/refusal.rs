//! Refused system calls.

/// Whether this raw result says that the call is not available. Ask it only of a call
/// that fails with these errors for no other reason.
pub(crate) fn is_refusal(raw: isize) -> bool {
    [libc::ENOSYS, libc::EPERM, libc::EACCES].iter().any(|errno| raw == -(*errno as isize))
}
