//! What `support()` says, on this kernel and on kernels that lack something:
//! the call that is missing fails by a seccomp filter.

use std::io::pipe;
use std::process::Command;
use std::sync::mpsc;
use stop_tests::seccomp::deny;
use stop_tests::started::blocked;
use stop_tests::{emulation_hides, on_backends, per_backend};
use stopruntime::ext::{JoinOrStop, ReadOrStop, WaitOrStop};
use stopruntime::{Backend, Rseq, Support, support, thread};

/// A read is stopped, whatever is missing.
fn stops() {
    let (mut reader, _writer) = pipe().unwrap();
    let (handle, _) =
        blocked(&[libc::SYS_read, libc::SYS_ppoll], move || reader.read_or_stop(&mut [0]).is_err());
    assert!(handle.stop_and_join().unwrap());
}

/// What is said without this call, which fails with this errno.
fn without(call: libc::c_long, errno: i32) -> Option<Support> {
    if emulation_hides("a kernel that lacks a call", stop_tests::NO_FILTERS) {
        return None;
    }
    deny(call, errno);
    let support = support();
    stops();
    Some(support)
}

/// `sync` and `join` wait and are stopped; only the call itself is refused.
fn without_futex_waitv_because(errno: i32) {
    let Some(support) = without(libc::SYS_futex_waitv, errno) else { return };
    assert!(!support.futex_waitv);
    let says = "futex_waitv: no: stops of futex waits take a signal";
    assert!(support.to_string().contains(says), "{support}");
    joins();
    // SAFETY: zeroed is an entry to be filled in.
    let mut entry: libc::futex_waitv = unsafe { core::mem::zeroed() };
    let word = 0_u32;
    entry.uaddr = &raw const word as u64;
    entry.flags = libc::FUTEX2_SIZE_U32.unsigned_abs();
    // SAFETY: one entry, whose word outlives the call.
    let result = unsafe {
        stopruntime::sys::futex_waitv_or_stop(&raw mut entry, 1, 0, core::ptr::null(), 0)
    };
    let error = std::io::Error::last_os_error().raw_os_error();
    assert_eq!((result, error), (Ok(-1), Some(errno)), "as the plain call");
}

/// A thread that waits for another one, in a futex, is stopped.
fn joins() {
    let (gate, until) = mpsc::channel::<()>();
    let other = thread::spawn(move || until.recv());
    let (handle, _) =
        blocked(&[libc::SYS_futex, libc::SYS_futex_waitv], move || other.join_or_stop().is_err());
    assert!(handle.stop_and_join().unwrap());
    drop(gate);
}

per_backend! {
    fn it_is_what_is_in_force() {
        let support = support();
        assert_eq!(support.backend, stopruntime::backend());
        assert_eq!(support.signal, libc::SIGURG);
        assert_eq!(support.windows, stop_tests::HAS_WINDOWS);
        let text = support.to_string();
        let lines = [
            format!("backend: {}", support.backend),
            format!("rseq: {}", support.rseq),
            format!("foreign code: {}", support.foreign),
        ];
        for line in lines {
            assert!(text.lines().any(|one| one == line), "{line} in {text}");
        }
        assert_eq!(text.lines().count(), 8, "{text}");
        match support.backend {
            Backend::Rseq => assert!(matches!(support.rseq, Rseq::Libc | Rseq::Own)),
            _ => assert_eq!(support.rseq, Rseq::NotTried),
        }
    }

    fn without_membarrier() {
        let Some(support) = without(libc::SYS_membarrier, libc::EPERM) else { return };
        assert!(!support.membarrier);
        let used = support.backend != Backend::Ppoll;
        let says = if used { "no: every request sends the signal" } else { "no, and not used" };
        assert!(support.to_string().contains(&format!("membarrier: {says}")), "{support}");
    }

    fn without_futex_waitv() {
        without_futex_waitv_because(libc::ENOSYS);
    }

    fn with_futex_waitv_forbidden() {
        without_futex_waitv_because(libc::EPERM);
    }

    fn without_pidfds() {
        let Some(support) = without(libc::SYS_pidfd_open, libc::ENOSYS) else { return };
        assert!(!support.pidfd);
        let mut child = Command::new("sleep").arg("1000").spawn().unwrap();
        if support.backend == Backend::Ppoll {
            // Not a word about it would be an unstoppable wait.
            let error = child.wait_or_stop().unwrap().unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::ENOTSUP));
            child.kill().unwrap();
            child.wait().unwrap();
        } else {
            child.kill().unwrap();
            assert!(!child.wait_or_stop().unwrap().unwrap().success());
        }
    }

    fn without_epoll_pwait2() {
        let Some(support) = without(libc::SYS_epoll_pwait2, libc::ENOSYS) else { return };
        assert!(!support.epoll_pwait2);
        // SAFETY: no descriptor, no place for an event.
        let result = unsafe {
            stopruntime::sys::epoll_pwait2_or_stop(
                -1,
                core::ptr::null_mut(),
                1,
                core::ptr::null(),
                core::ptr::null(),
            )
        };
        let error = std::io::Error::last_os_error().raw_os_error();
        assert_eq!((result, error), (Ok(-1), Some(libc::ENOSYS)));
    }
}

// Not `rseq` by name: that is refused there.
on_backends! { [""];
    fn without_rseq_the_reason_is_told() {
        if !stop_tests::HAS_WINDOWS {
            return stop_tests::not_tested("a kernel without rseq", "no windows here");
        }
        if emulation_hides("a kernel whose rseq never aborts", "rseq(2) is ENOSYS") {
            assert_eq!(support().rseq, Rseq::Refused(libc::ENOSYS));
            return stops();
        }
        // What the kernel does not let libc do, in a process of its own.
        deny(libc::SYS_timer_create, libc::ENOSYS);
        let support = support();
        assert_eq!((support.backend, support.rseq), (Backend::Handler, Rseq::NeverAborts));
        stops();
    }
}
