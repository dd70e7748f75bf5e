//! The stray signal.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Instant;
use stop_tests::proc::limit;

pub(super) const STRAY_SIGNALS: u32 = 3;

/// Stray signals that have reached the handler that was there before ours.
static STRAY: AtomicU32 = AtomicU32::new(0);

extern "C" fn on_stray_signal(_: libc::c_int) {
    STRAY.fetch_add(1, Ordering::SeqCst);
}

/// Installs a handler for the runtime to chain to; before the runtime is.
pub(super) fn count_stray_signals() {
    // SAFETY: a zeroed sigaction is valid, and the handler only adds to an
    // atomic.
    let result = unsafe {
        let mut action: libc::sigaction = core::mem::zeroed();
        action.sa_sigaction = on_stray_signal as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(libc::SIGURG, &raw const action, core::ptr::null_mut())
    };
    assert_eq!(result, 0, "sigaction");
}

/// Sends the stop signal as anyone in this process may, and returns when it
/// has been handled, or is pending because the thread waits with it blocked.
pub(super) fn send_stray_signal(thread: i32) -> Result<(), String> {
    let handled = STRAY.load(Ordering::SeqCst);
    let process = std::process::id();
    // SAFETY: three integers.
    let sent = unsafe { libc::syscall(libc::SYS_tgkill, process, thread, libc::SIGURG) };
    assert_eq!(sent, 0, "tgkill: {}", std::io::Error::last_os_error());
    let deadline = Instant::now() + limit();
    while STRAY.load(Ordering::SeqCst) == handled && !is_pending_and_blocked(thread) {
        if Instant::now() > deadline {
            return Err("the stray signal is neither handled nor pending".into());
        }
        thread::yield_now();
    }
    Ok(())
}

/// proc(5): `SigPnd` and `SigBlk`, a bit each signal.
fn is_pending_and_blocked(thread: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/self/task/{thread}/status")).unwrap_or_default();
    ["SigPnd:", "SigBlk:"].iter().all(|name| {
        let mask = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & (1 << (libc::SIGURG - 1)) != 0)
    })
}
