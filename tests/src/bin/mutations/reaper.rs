//! No process of a test outlives it, whatever became of the test.

#![allow(unsafe_code)]

use stop_tests::descendants;

/// Whose parent dies becomes a child of this process, and not of init.
/// `PR_SET_CHILD_SUBREAPER(2const)`.
pub(crate) fn adopt_orphans() {
    // SAFETY: integers.
    let done = unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) };
    assert_eq!(done, 0, "prctl: {}", std::io::Error::last_os_error());
}

/// Runs this, then ends every process that has come since.
pub(crate) fn reaping<T>(f: impl FnOnce() -> T) -> T {
    let before = descendants(std::process::id());
    let result = f();
    loop {
        let mut since = descendants(std::process::id());
        since.retain(|process| !before.contains(process));
        if since.is_empty() {
            return result;
        }
        for process in since {
            let process = process.cast_signed();
            // SAFETY: integers, and a process of ours; no status is asked for.
            unsafe {
                libc::kill(process, libc::SIGKILL);
                libc::waitpid(process, core::ptr::null_mut(), libc::WNOHANG | libc::__WALL);
            }
        }
        std::thread::yield_now();
    }
}
