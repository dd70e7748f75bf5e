//! Where the kernel's restartable sequences are not to be had from the libc,
//! or not at all, nor membarrier: what comes in their place, and that it stops.

use super::flows::bouts;
use stop_tests::dice::{Dice, runs};
use stop_tests::seccomp::deny;
use stop_tests::{on_backends, per_backend};
use stopruntime::{Backend, Config, InstallError, backend};

/// An empty `STOPRUNTIME_BACKEND` is as good as none: the runtime chooses.
const NOT_SET: [&str; 1] = [""];
/// Names the backend that a program of these tests is to find.
const EXPECTED: &str = "STOP_TESTS_EXPECTED";
const TUNABLES: &str = "GLIBC_TUNABLES";
const WITHOUT_RSEQ: &str = "glibc.pthread.rseq=0";
/// Bouts with each kind of call.
const BOUTS: u64 = 6;

/// Runs this test again, as a new program, which expects this backend.
fn again(expected: Backend, tunables: &str) {
    let output = stop_tests::this_program()
        .args(stop_tests::this_test())
        .env(EXPECTED, expected.name())
        .env(TUNABLES, tunables)
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}", output.status);
}

/// In the new program: is it that backend, and does it stop?
fn is_found() -> bool {
    let Ok(expected) = std::env::var(EXPECTED) else { return false };
    assert_eq!(backend().name(), expected);
    bouts(runs(BOUTS), &mut Dice::new(), |_| ());
    true
}

/// `__rseq_size` of glibc; 0 if it has registered nothing, or is older than 2.35.
fn size_registered_by_libc() -> u32 {
    // SAFETY: a terminated name; the symbol, if there, is an unsigned int.
    unsafe {
        let size = libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_size".as_ptr()).cast::<u32>();
        size.as_ref().copied().unwrap_or(0)
    }
}

/// The best backend where the kernel has no rseq.
pub(super) fn next() -> Backend {
    if stop_tests::HAS_WINDOWS { Backend::Handler } else { Backend::Ppoll }
}

/// Takes the right to read from the code of this program, which has its constants
/// elsewhere; whether the machine can.
#[cfg(target_arch = "x86_64")]
fn only_executable() -> bool {
    use std::os::fd::AsRawFd;
    let program = std::env::current_exe().unwrap();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let code = maps.lines().filter(|line| line.ends_with(program.to_str().unwrap()));
    for line in code.filter(|line| line.contains(" r-xp ")) {
        let (from, rest) = line.split_once('-').unwrap();
        let (to, _) = rest.split_once(' ').unwrap();
        let [from, to] = [from, to].map(|text| usize::from_str_radix(text, 16).unwrap());
        let address = core::ptr::with_exposed_provenance_mut(from);
        // SAFETY: whole pages of code, which no code here reads.
        assert_eq!(unsafe { libc::mprotect(address, to - from, libc::PROT_EXEC) }, 0);
    }
    let (_reader, writer) = std::io::pipe().unwrap();
    // SAFETY: the kernel reads a byte, or says that it cannot.
    let wrote = unsafe { libc::write(writer.as_raw_fd(), only_executable as *const _, 1) };
    wrote < 0
}

per_backend! {
    fn without_membarrier() {
        deny(libc::SYS_membarrier, libc::EPERM);
        bouts(runs(BOUTS), &mut Dice::new(), |_| ());
    }

    /// Which numbers the signals of requests; in its place there is tgkill(2).
    fn without_queued_signals() {
        deny(libc::SYS_rt_tgsigqueueinfo, libc::EPERM);
        bouts(runs(BOUTS), &mut Dice::new(), |_| ());
    }

    fn without_queued_signals_and_without_membarrier() {
        deny(libc::SYS_rt_tgsigqueueinfo, libc::EPERM);
        deny(libc::SYS_membarrier, libc::EPERM);
        bouts(runs(BOUTS), &mut Dice::new(), |_| ());
    }

    /// Later than the runtime's registration with it.
    fn without_membarrier_from_some_moment_on() {
        assert!(stopruntime::check().is_ok());
        deny(libc::SYS_membarrier, libc::EPERM);
        bouts(runs(BOUTS), &mut Dice::new(), |_| ());
    }
}

on_backends! { NOT_SET;
    /// The runtime registers an area of its own.
    fn without_the_registration_of_the_libc() {
        if is_found() {
            assert_eq!(size_registered_by_libc(), 0, "the tunable has no effect");
            return;
        }
        again(backend(), WITHOUT_RSEQ);
    }

    /// A sandbox around the whole program: the libc finds no rseq either.
    fn without_rseq() {
        if std::env::var_os(EXPECTED).is_some() {
            let refused = Config::new().backend(Backend::Rseq).install();
            assert!(matches!(refused, Err(InstallError::Unavailable(Backend::Rseq))), "{refused:?}");
            assert!(is_found());
            assert_eq!(size_registered_by_libc(), 0, "the filter has no effect");
            return;
        }
        for errno in [libc::ENOSYS, libc::EPERM] {
            deny(libc::SYS_rseq, errno);
            again(next(), "");
        }
    }

    fn without_rseq_and_without_membarrier() {
        if is_found() {
            return;
        }
        deny(libc::SYS_rseq, libc::EPERM);
        deny(libc::SYS_membarrier, libc::EPERM);
        again(next(), "");
    }

    /// The kernel reads a signature in the code, and ends the process if it cannot.
    #[cfg(target_arch = "x86_64")]
    fn with_code_that_may_only_be_executed() {
        if only_executable() {
            let refused = Config::new().backend(Backend::Rseq).install();
            assert!(matches!(refused, Err(InstallError::Unavailable(Backend::Rseq))), "{refused:?}");
            assert_eq!(backend(), next());
            assert_eq!(stopruntime::support().rseq, stopruntime::Rseq::CodeUnreadable);
            bouts(runs(BOUTS), &mut Dice::new(), |_| ());
        } else {
            stop_tests::not_tested("code that may only be executed", "it stays readable without protection keys");
        }
    }

    /// Later than the choice of the backend: threads that start then have no
    /// area, and their windows are guarded by the handler alone.
    fn without_rseq_from_some_moment_on() {
        if std::env::var_os(EXPECTED).is_some() {
            // Chosen before the filter, with an area of the runtime's own.
            let chosen = backend();
            deny(libc::SYS_rseq, libc::EPERM);
            assert_eq!(chosen, backend());
            assert!(is_found());
            return;
        }
        again(backend(), WITHOUT_RSEQ);
    }
}
