//! Why a thread does not stop.

use super::{says, start};
use std::hint::spin_loop;
use std::io::{self, PipeReader, PipeWriter, Read, Write, pipe};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use stop_tests::{leave_out, on_backends, per_backend};
use stopruntime::ext::{ReadOrStop, sleep_or_stop};
use stopruntime::report::{Activity, Obstacle};
use stopruntime::{Cause, Stopper, foreign, shield, stoppable, within};

/// A pipe's end to read from, what a thread says of it, and the other end.
fn waits() -> (PipeReader, String, PipeWriter) {
    let (reader, writer) = pipe().unwrap();
    let number = reader.as_raw_fd();
    let link = std::fs::read_link(format!("/proc/self/fd/{number}")).unwrap();
    let what = link.to_str().unwrap().replace(":[", " ").replace(']', "");
    (reader, format!("on descriptor {number} ({what})"), writer)
}

per_backend! {
    fn a_call_that_is_not_marked() {
        let (mut reader, on, writer) = waits();
        let it = start(move || reader.read(&mut [0]).unwrap());
        says(&it, &format!("waits in read (not marked) {on}; would not stop: its call is not marked"));
        assert_eq!(it.report().obstacles, [Obstacle::NotMarked]);
        it.request_stop_because("reload");
        let line = format!(
            "waits in read (not marked) {on}; stop requested: reload; its call is not marked"
        );
        says(&it, &line);
        // The handle that a join gives back says the same.
        let it = it.join_timeout(Duration::ZERO).unwrap_err();
        says(&it, &line);
        drop(writer);
        assert_eq!(it.join().unwrap(), 0);
    }

    fn a_shield() {
        let (mut reader, on, writer) = waits();
        let it = start(move || shield(|| reader.read(&mut [0]).unwrap()));
        says(&it, &format!("waits in read (not marked) {on}; would not stop: it is in a shield"));
        it.request_stop();
        says(&it, &format!("waits in read (not marked) {on}; stop requested; it is in a shield"));
        drop(writer);
        assert_eq!(it.join().unwrap(), 0);
    }

    fn a_shield_in_a_job() {
        let service = Stopper::new();
        let (mut reader, _, writer) = waits();
        let job = service.child();
        let it = start(move || job.run(|| shield(|| reader.read(&mut [0]).unwrap())));
        while !matches!(it.report().activity, Activity::Waits(_)) {
            std::thread::yield_now();
        }
        service.request_stop_because("reload");
        let report = it.report();
        assert_eq!(report.obstacles, [Obstacle::Shielded]);
        assert_eq!(report.request.unwrap().reason.unwrap().as_str(), "reload");
        drop(writer);
        assert_eq!(it.join().unwrap(), 0);
        assert!(!stopruntime::stop_requested());
    }

    fn a_deadline() {
        let (mut reader, _, writer) = waits();
        let it = start(move || {
            within(Duration::ZERO, || reader.read(&mut [0])).unwrap()
        });
        while !matches!(it.report().activity, Activity::Waits(_)) {
            std::thread::yield_now();
        }
        let report = it.report();
        assert_eq!(report.obstacles, [Obstacle::NotMarked]);
        let line = report.to_string();
        assert!(line.contains("; its deadline passed ") && line.contains(" s ago; "), "{line}");
        assert_eq!(report.request.unwrap().cause, Cause::Deadline);
        drop(writer);
        assert_eq!(it.join().unwrap(), 0);
    }

    fn a_region_of_foreign_code() {
        // Runs on whatever is done to its calls.
        let ends = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&ends);
        let (sender, begun) = std::sync::mpsc::channel();
        let it = start(move || {
            foreign(|| {
                sender.send(()).unwrap();
                while !theirs.load(Ordering::Relaxed) {
                    spin_loop();
                }
            })
            .is_ok()
        });
        begun.recv().unwrap();
        says(&it, "runs");
        it.request_stop();
        says(
            &it,
            "runs; stop requested; it is in a region of foreign code, which goes on until it gives up",
        );
        ends.store(true, Ordering::Relaxed);
        assert!(it.join().unwrap(), "it began before the request");
    }

    fn a_wait_in_a_region_of_foreign_code() {
        let (mut reader, on, writer) = waits();
        let it = start(move || foreign(|| reader.read(&mut [0]).unwrap()).unwrap());
        says(&it, &format!("waits in read (foreign) {on}"));
        drop(writer);
        assert_eq!(it.join().unwrap(), 0);
    }

    fn a_loop_that_computes() {
        let ends = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&ends);
        let it = start(move || {
            while !theirs.load(Ordering::Relaxed) {
                spin_loop();
            }
        });
        says(&it, "runs");
        it.request_stop();
        says(&it, "runs; stop requested; it runs without a marked call or a checkpoint");
        ends.store(true, Ordering::Relaxed);
        it.join().unwrap();
    }

    fn a_caller_that_takes_a_stop_for_an_error() {
        #[stoppable]
        fn read(reader: &mut PipeReader) -> io::Result<usize> {
            #[blocking]
            let count = reader.read(&mut [0])?;
            Ok(count)
        }
        let (mut reader, _, writer) = waits();
        let ends = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&ends);
        let it = start(move || {
            while !theirs.load(Ordering::Relaxed) {
                let _ = read(&mut reader);
            }
        });
        it.request_stop();
        if cfg!(debug_assertions) {
            says(
                &it,
                "runs; stop requested; it has been stopped a thousand times and goes on: a caller \
                 takes the stop for an ordinary error",
            );
        }
        ends.store(true, Ordering::Relaxed);
        it.join().unwrap();
        drop(writer);
    }

    fn a_debugger() {
        let it = start(|| sleep_or_stop(Duration::MAX).is_err());
        while !matches!(it.report().activity, Activity::Waits(_)) {
            std::thread::yield_now();
        }
        let thread = it.report().id.unwrap();
        let (mut told, tells) = pipe().unwrap();
        let (waits, mut go_on) = pipe().unwrap();
        // SAFETY: numbers; the child makes async-signal-safe calls only.
        #[allow(unsafe_code)]
        let child = unsafe {
            // Where a process may trace only those that it has started.
            libc::prctl(libc::PR_SET_PTRACER, libc::PR_SET_PTRACER_ANY);
            let child = libc::fork();
            if child == 0 {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                let mut byte = [u8::from(
                    libc::ptrace(libc::PTRACE_SEIZE, thread, 0, 0) == 0
                        && libc::ptrace(libc::PTRACE_INTERRUPT, thread, 0, 0) == 0
                        && libc::waitpid(thread, std::ptr::null_mut(), libc::__WALL) == thread,
                )];
                libc::write(tells.as_raw_fd(), byte.as_ptr().cast(), 1);
                libc::read(waits.as_raw_fd(), byte.as_mut_ptr().cast(), 1);
                libc::ptrace(libc::PTRACE_DETACH, thread, 0, 0);
                libc::_exit(0);
            }
            child
        };
        let mut byte = [0];
        told.read_exact(&mut byte).unwrap();
        if byte == [0] {
            leave_out("a thread under a debugger", "it has no ptrace(2)");
        }
        it.request_stop();
        says(
            &it,
            "is held by a debugger; stop requested; it stops when the debugger lets it go on",
        );
        go_on.write_all(b"x").unwrap();
        // SAFETY: a child of its own.
        #[allow(unsafe_code)]
        unsafe {
            libc::waitpid(child, std::ptr::null_mut(), 0);
        }
        assert!(it.join().unwrap());
    }

    fn a_handler_in_place_of_the_runtimes() {
        // A sleep takes no signal.
        let (mut reader, _writer) = pipe().unwrap();
        let it = start(move || reader.read_or_stop(&mut [0]).is_err());
        while !matches!(it.report().activity, Activity::Waits(_)) {
            std::thread::yield_now();
        }
        let signal = stopruntime::support().signal;
        // SAFETY: zeroed is an action, and to ignore a signal calls nothing.
        #[allow(unsafe_code)]
        let ours = unsafe {
            let mut ignored: libc::sigaction = core::mem::zeroed();
            ignored.sa_sigaction = libc::SIG_IGN;
            let mut ours: libc::sigaction = core::mem::zeroed();
            assert_eq!(libc::sigaction(signal, &raw const ignored, &raw mut ours), 0);
            ours
        };
        let before = it.report();
        assert_eq!(before.obstacles, [Obstacle::HandlerReplaced], "{before}");
        let end = "; would not stop: the handler of the stop signal has been replaced";
        assert!(before.to_string().ends_with(end), "{before}");
        it.request_stop();
        let report = it.report();
        let line = report.to_string();
        assert_eq!(report.obstacles, [Obstacle::HandlerReplaced], "{line}");
        assert!(line.ends_with("; the handler of the stop signal has been replaced"), "{line}");
        // SAFETY: what has been there, with its flags.
        #[allow(unsafe_code)]
        let put_back = unsafe { libc::sigaction(signal, &raw const ours, core::ptr::null_mut()) };
        assert_eq!(put_back, 0);
        // Requested once more, it is signalled once more.
        it.request_stop();
        assert!(it.join().unwrap());
    }

    fn a_thread_that_is_about_to_stop() {
        // Of a marked call that has been requested, the line says no reason; nothing of it
        // lasts.
        let it = start(|| sleep_or_stop(Duration::MAX).is_err());
        while !matches!(it.report().activity, Activity::Waits(_)) {
            std::thread::yield_now();
        }
        it.request_stop();
        assert_eq!(it.report().obstacles.iter().filter(|obstacle| **obstacle != Obstacle::NoCheckpoint).count(), 0);
        assert!(it.join().unwrap());
    }

    fn a_fork_that_the_kernel_waits_for() {
        let (reader, mut writer) = pipe().unwrap();
        let number = reader.as_raw_fd();
        let it = start(move || {
            let flags = libc::CLONE_VFORK | libc::SIGCHLD;
            // SAFETY: as fork(2), except that the parent waits until the child has ended,
            // which makes async-signal-safe calls only.
            #[allow(unsafe_code)]
            unsafe {
                let child = libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0);
                if child == 0 {
                    // It does not outlive a test that has failed.
                    libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                    libc::read(number, [0_u8].as_mut_ptr().cast(), 1);
                    libc::_exit(0);
                }
                assert!(child > 0);
                let child = libc::pid_t::try_from(child).unwrap();
                assert_eq!(libc::waitpid(child, std::ptr::null_mut(), 0), child);
            }
            drop(reader);
        });
        says(
            &it,
            "waits in clone (not marked); would not stop: its call is not marked; no signal ends its wait",
        );
        it.request_stop();
        says(
            &it,
            "waits in clone (not marked); stop requested; its call is not marked; no signal ends its wait",
        );
        writer.write_all(b"x").unwrap();
        it.join().unwrap();
    }
}

on_backends! { ["rseq", "handler"];
    fn a_thread_that_blocks_the_signal() {
        let (mut reader, on, writer) = waits();
        let it = start(move || {
            // Registered, and then against the rules.
            assert!(stopruntime::check().is_ok());
            let _ = Stopper::current();
            let mut urgent = nix::sys::signal::SigSet::empty();
            urgent.add(nix::sys::signal::Signal::SIGURG);
            urgent.thread_block().unwrap();
            reader.read_or_stop(&mut [0]).is_ok()
        });
        says(&it, &format!("waits in read (marked) {on}; would not stop: it blocks the stop signal"));
        it.request_stop();
        says(&it, &format!("waits in read (marked) {on}; stop requested; it blocks the stop signal"));
        drop(writer);
        it.join().unwrap();
    }
}
