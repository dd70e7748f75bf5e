//! `Config`, `Backend`, `InstallError`: what is installed, when, and what is
//! refused. Each test has a process of its own, because these things happen once in a process.

use std::error::Error;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::sync::{Barrier, mpsc};
use std::thread::scope;
use stop_tests::seccomp::deny;
use stop_tests::{on_backends, per_backend, thread_id, wait_until_blocked};
use stopruntime::ext::ReadOrStop;
use stopruntime::{Backend, Config, InstallError, Stopper, backend, thread};

/// An empty `STOPRUNTIME_BACKEND` is as good as none.
pub(super) const NOT_SET: [&str; 1] = [""];

pub(super) const ALL: [Backend; 3] = [Backend::Rseq, Backend::Handler, Backend::Ppoll];

/// The signals this process catches, a bit each. proc(5).
pub(super) fn caught() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("proc is mounted");
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).expect("SigCgt");
    u64::from_str_radix(mask.trim(), 16).expect("a mask")
}

fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

/// That what is installed works: a read that waits is stopped, and another one
/// that is not requested to gets its data.
pub(super) fn stops_and_reads() {
    let start = |mut stream: UnixStream| {
        let (sender, receiver) = mpsc::channel();
        let handle = thread::spawn(move || {
            sender.send(thread_id()).unwrap();
            let mut byte = [0];
            stream.read_or_stop(&mut byte).map(|result| (result.unwrap(), byte[0]))
        });
        let _ = wait_until_blocked(receiver.recv().unwrap());
        handle
    };
    let (stream, mut peer) = UnixStream::pair().unwrap();
    let (left_alone, stopped) = (start(stream.try_clone().unwrap()), start(stream));
    assert!(stopped.request_stop());
    assert!(stopped.join().unwrap().is_err());
    peer.write_all(b"x").unwrap();
    assert_eq!(left_alone.join().unwrap(), Ok((1, b'x')));
}

/// rseq is proved with a timer; without timers it cannot be.
pub(super) fn make_rseq_unavailable() {
    deny(libc::SYS_timer_create, libc::ENOSYS);
}

on_backends! { NOT_SET;
    fn without_a_config_the_first_use_installs_sigurg_and_a_backend() {
        assert_eq!(caught() & bit(libc::SIGURG), 0, "nothing is installed before");
        let chosen = backend();
        assert_ne!(caught() & bit(libc::SIGURG), 0);
        assert_eq!(backend(), chosen, "it does not change");
        let refused = Config::new().install();
        assert!(
            matches!(refused, Err(InstallError::AlreadyInstalled { signal: libc::SIGURG, backend: now, .. }) if now == chosen),
            "{refused:?}"
        );
        stops_and_reads();
    }

    fn a_stopper_of_the_calling_thread_installs() {
        let _stopper = Stopper::current();
        assert_ne!(caught() & bit(libc::SIGURG), 0);
        assert!(matches!(Config::new().install(), Err(InstallError::AlreadyInstalled { .. })));
    }

    fn the_handler_backend_can_be_chosen() {
        if stop_tests::HAS_WINDOWS {
            Config::new().backend(Backend::Handler).install().unwrap();
            assert_eq!(backend(), Backend::Handler);
            stops_and_reads();
        } else {
            let refused = Config::new().backend(Backend::Handler).install();
            assert!(matches!(refused, Err(InstallError::Unavailable(Backend::Handler))));
        }
    }

    fn the_ppoll_backend_can_be_chosen() {
        Config::new().backend(Backend::Ppoll).install().unwrap();
        assert_eq!(backend(), Backend::Ppoll);
        stops_and_reads();
    }

    fn the_rseq_backend_is_what_was_chosen_or_refused() {
        match Config::new().backend(Backend::Rseq).install() {
            Ok(()) => assert_eq!(backend(), Backend::Rseq),
            Err(error) => assert!(
                matches!(error, InstallError::Unavailable(Backend::Rseq)),
                "{error}"
            ),
        }
    }

    fn without_rseq_the_default_is_the_next_backend() {
        make_rseq_unavailable();
        let next = if stop_tests::HAS_WINDOWS { Backend::Handler } else { Backend::Ppoll };
        assert_eq!(backend(), next);
        stops_and_reads();
    }

    fn after_an_unavailable_backend_another_can_be_installed() {
        make_rseq_unavailable();
        let before = caught();
        let refused = Config::new().backend(Backend::Rseq).install();
        assert!(matches!(refused, Err(InstallError::Unavailable(Backend::Rseq))), "{refused:?}");
        assert_eq!(caught(), before, "its handler");
        Config::new().backend(Backend::Ppoll).install().unwrap();
        assert_eq!(backend(), Backend::Ppoll);
        // A foreign signal goes to the handler that was there before the first
        // attempt, which is none: not to ours, round and round.
        // SAFETY: the signal has a handler.
        assert_eq!(unsafe { libc::raise(libc::SIGURG) }, 0);
        stops_and_reads();
    }

    fn a_refused_signal_changes_nothing() {
        let before = caught();
        let faults = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP];
        // What stops the process by default, nothing but the kernel can do.
        let stops = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
        // 32 and 33 are the libc's own; 0 and 65 are none.
        let others = [libc::SIGKILL, 0, -1, 32, 33, 65].into_iter();
        for signal in others.chain(faults).chain(stops) {
            let refused = Config::new().signal(signal).install();
            assert!(
                matches!(refused, Err(InstallError::UnusableSignal(named)) if named == signal),
                "signal {signal}: {refused:?}"
            );
            assert_eq!(caught(), before, "signal {signal}");
        }
    }

    fn after_a_refused_signal_another_can_be_installed() {
        assert!(Config::new().signal(libc::SIGKILL).install().is_err());
        Config::new().signal(libc::SIGUSR2).install().unwrap();
        assert_ne!(caught() & bit(libc::SIGUSR2), 0);
        stops_and_reads();
    }

    fn after_a_refused_signal_the_first_use_installs_the_default() {
        assert!(Config::new().signal(libc::SIGKILL).install().is_err());
        assert!(ALL.contains(&backend()));
        assert_ne!(caught() & bit(libc::SIGURG), 0);
        stops_and_reads();
    }

    fn of_many_that_install_at_once_one_does() {
        const MANY: usize = 8;
        let barrier = Barrier::new(MANY);
        let outcomes: Vec<_> = scope(|scope| {
            let install = || {
                barrier.wait();
                Config::new().backend(Backend::Ppoll).install()
            };
            let threads: Vec<_> = (0..MANY).map(|_| scope.spawn(install)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        for outcome in outcomes {
            assert!(matches!(
                outcome,
                Ok(()) | Err(InstallError::AlreadyInstalled { signal: libc::SIGURG, backend: Backend::Ppoll, .. })
            ));
        }
    }
}

per_backend! {
    fn without_membarrier_a_request_arrives_too() {
        if stop_tests::emulation_hides("a kernel without membarrier", stop_tests::NO_FILTERS) {
            return;
        }
        deny(libc::SYS_membarrier, libc::ENOSYS);
        stops_and_reads();
    }

    fn another_signal_can_be_chosen() {
        if stop_tests::emulation_hides("which signals are caught", "/proc shows its own handlers") {
            return;
        }
        let before = caught();
        Config::new().signal(libc::SIGUSR1).install().unwrap();
        assert_eq!(caught() & !before, bit(libc::SIGUSR1), "that one and no other");
        stops_and_reads();
        let refused = Config::new().install();
        assert!(
            matches!(refused, Err(InstallError::AlreadyInstalled { signal: libc::SIGUSR1, .. })),
            "{refused:?}"
        );
        let error = io::Error::from(refused.unwrap_err());
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        let text = error.to_string();
        assert!(text.contains(backend().name()) && text.contains("before the first marked call"), "{text:?}");
    }

    /// When too many signals are pending, sending a real-time one fails: a
    /// request would be lost.
    fn a_real_time_signal_is_refused() {
        let before = caught();
        let signal = libc::SIGRTMIN() + 3;
        let refused = Config::new().signal(signal).install();
        assert!(matches!(refused, Err(InstallError::UnusableSignal(other)) if other == signal));
        assert_eq!(caught(), before);
    }
}

#[test]
fn the_texts_name_the_remedy() {
    let text = InstallError::UnusableSignal(libc::SIGKILL).to_string();
    assert!(text.contains('9') && text.contains("SIGUSR1"), "{text:?}");
    let text = InstallError::Unavailable(Backend::Rseq).to_string();
    assert!(text.contains("rseq"), "{text:?}");
}

#[test]
fn a_refusal_becomes_an_error_of_io_of_its_kind() {
    for (refusal, kind) in [
        (InstallError::UnusableSignal(libc::SIGKILL), ErrorKind::InvalidInput),
        (InstallError::UnknownBackend("smoke".into()), ErrorKind::InvalidInput),
        (InstallError::Unavailable(Backend::Rseq), ErrorKind::Unsupported),
        (InstallError::Io(io::Error::from_raw_os_error(libc::EAGAIN)), ErrorKind::WouldBlock),
    ] {
        let text = refusal.to_string();
        let error = io::Error::from(refusal);
        assert_eq!((error.kind(), error.to_string()), (kind, text));
        assert!(error.get_ref().is_some_and(<dyn Error + Send + Sync>::is::<InstallError>));
    }
}
