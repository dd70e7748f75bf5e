//! Processes made by a stoppable thread while requests to it are in flight: a
//! forked child has none of them, and a program that is executed finds the
//! signals as any program does.

use core::ptr::null_mut;
use std::io::{PipeReader, Read, pipe};
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Instant;
use stop_tests::per_backend;
use stop_tests::proc::limit;
use stop_tests::seccomp::deny;
use stop_tests::signals::STOP;
use stopruntime::ext::ReadOrStop;
use stopruntime::{Backend, Stopper, backend, stop_requested, thread};

/// How often a thread forks, or starts a program in each way.
const FORKS: usize = 8;
/// How many keep requesting.
const REQUESTERS: usize = 3;

/// Runs `body` in a thread that is requested to stop all the time meanwhile.
fn under_requests<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, begun) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let their_begun = Arc::clone(&begun);
    let handle = thread::spawn(move || {
        while !their_begun.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        body()
    });
    let requested = Arc::new(Barrier::new(REQUESTERS + 1));
    let requesters: Vec<_> = (0..REQUESTERS)
        .map(|_| {
            let (stopper, done) = (handle.stopper(), Arc::clone(&done));
            let requested = Arc::clone(&requested);
            std::thread::spawn(move || {
                stopper.request_stop();
                requested.wait();
                while !done.load(Ordering::Relaxed) {
                    stopper.request_stop();
                    // Others may need the processor more.
                    std::thread::yield_now();
                }
            })
        })
        .collect();
    requested.wait();
    let deadline = Instant::now() + limit();
    // Not before every thread has been started, and from here on nothing is allocated: a
    // child that libc has not made would find libc's locks held for ever.
    begun.store(true, Ordering::Release);
    while !handle.is_finished() && Instant::now() < deadline {
        std::thread::yield_now();
    }
    done.store(true, Ordering::Relaxed);
    for requester in requesters {
        requester.join().unwrap();
    }
    assert!(handle.is_finished(), "the thread does not end");
    handle.join().expect("no panic")
}

/// In the child of a fork: a stop and its after-effects, and another thread's.
fn stops_in_a_child() -> bool {
    let (mut reader, writer) = pipe().unwrap();
    // The request is a fact of the thread, and so of its copy.
    let own = stop_requested() && reader.read_or_stop(&mut [0]).is_err();
    let other = thread::spawn(move || reader.read_or_stop(&mut [0]).is_err());
    let again = !Stopper::current().request_stop();
    let stopped = other.stop_and_join().unwrap();
    drop(writer);
    own && again && stopped
}

/// Forks; true if the child's checks were fine. A child that hangs ends by its
/// alarm.
fn fork_and_check() -> bool {
    // SAFETY: a child of a process with several threads. It allocates and
    // starts threads, which glibc prepares for in its own fork.
    is_fine(unsafe { libc::fork() })
}

/// The same without `pthread_atfork(3)`, clone(2).
fn clone_and_check() -> bool {
    // SAFETY: as above; no other thread of the parent allocates meanwhile.
    let child = unsafe { libc::syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0) };
    is_fine(child.try_into().unwrap())
}

fn is_fine(child: libc::pid_t) -> bool {
    if child == 0 {
        // SAFETY: integers.
        unsafe { libc::alarm(limit().as_secs().try_into().unwrap()) };
        let fine = std::panic::catch_unwind(stops_in_a_child).unwrap_or(false);
        // SAFETY: ends the child at once.
        unsafe { libc::_exit(i32::from(!fine)) }
    }
    let mut status = 0;
    // SAFETY: our child, a valid place.
    while unsafe { libc::waitpid(child, &raw mut status, 0) } != child {}
    status == 0
}

fn forks(fork_and_check: fn() -> bool) {
    if stop_tests::emulation_hides("a fork of several threads", stop_tests::NO_FORKS) {
        return;
    }
    assert_eq!(under_requests(move || (0..FORKS).filter(|_| fork_and_check()).count()), FORKS);
}

/// The line of /proc/self/status with this name, as bits, and whether the stop
/// signal's is set.
fn has_stop(status: &str, name: &str) -> bool {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a known field");
    let mask = line.trim_start_matches(':').trim();
    u64::from_str_radix(mask, 16).expect("a mask") & (1 << (STOP - 1)) != 0
}

const PROGRAM: &str = "cat";
const ARGUMENT: &str = "/proc/self/status";

/// As std starts programs: what the program sees of its signals.
fn command(by_fork: bool) -> String {
    let mut command = Command::new(PROGRAM);
    command.arg(ARGUMENT).stderr(Stdio::inherit());
    if by_fork {
        // SAFETY: does nothing; it makes std fork and exec.
        unsafe { command.pre_exec(|| Ok(())) };
    }
    let output = command.output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// `posix_spawnp(3)` without attributes: as a C library of the program does.
fn spawned() -> String {
    let (mut reader, writer): (PipeReader, _) = pipe().unwrap();
    let [program, argument] = [PROGRAM, ARGUMENT].map(|text| std::ffi::CString::new(text).unwrap());
    let arguments = [program.as_ptr().cast_mut(), argument.as_ptr().cast_mut(), null_mut()];
    let environment = [null_mut()];
    let mut child = 0;
    // SAFETY: terminated strings in terminated lists, initialised actions.
    unsafe {
        let mut actions = core::mem::zeroed();
        assert_eq!(libc::posix_spawn_file_actions_init(&raw mut actions), 0);
        let (from, to) = (writer.as_raw_fd(), libc::STDOUT_FILENO);
        assert_eq!(libc::posix_spawn_file_actions_adddup2(&raw mut actions, from, to), 0);
        let path = c"/bin/cat".as_ptr();
        let (arguments, environment) = (arguments.as_ptr(), environment.as_ptr());
        let actions_of = &raw const actions;
        let spawned = libc::posix_spawn(
            &raw mut child,
            path,
            actions_of,
            core::ptr::null(),
            arguments,
            environment,
        );
        assert_eq!(spawned, 0);
        libc::posix_spawn_file_actions_destroy(&raw mut actions);
    }
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    let mut status = 0;
    // SAFETY: our child, a valid place.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0);
    text
}

/// Of a program's status: no request has come along.
fn has_a_fresh_start(status: &str) {
    for name in ["SigPnd", "ShdPnd", "SigIgn", "SigCgt"] {
        assert!(!has_stop(status, name), "{name} of\n{status}");
    }
    // A program inherits the mask of the thread that starts it.
    assert_eq!(has_stop(status, "SigBlk"), backend() == Backend::Ppoll, "{status}");
}

fn programs() {
    let statuses = under_requests(|| {
        let each = || [command(false), command(true), spawned()];
        (0..FORKS).map(|_| each()).collect::<Vec<_>>()
    });
    statuses.iter().flatten().for_each(|status| has_a_fresh_start(status));
}

/// In a program of its own: a thread that is requested to stop becomes another
/// program, which tells of its signals. execve(2).
fn becomes_a_program() {
    under_requests(|| {
        let arguments = [c"cat".as_ptr(), c"/proc/self/status".as_ptr(), core::ptr::null()];
        // SAFETY: terminated strings in a terminated list.
        unsafe { libc::execv(c"/bin/cat".as_ptr(), arguments.as_ptr()) };
        panic!("execv: {}", std::io::Error::last_os_error());
    });
}

per_backend! {
    fn a_thread_that_becomes_a_program_takes_no_request_along() {
        const INSIDE: &str = "STOP_TESTS_BECOMES";
        if std::env::var_os(INSIDE).is_some() {
            return becomes_a_program();
        }
        for _ in 0..FORKS {
            let output = stop_tests::this_program()
                .args(stop_tests::this_test())
                .env(INSIDE, "1")
                .output()
                .unwrap();
            let status = String::from_utf8_lossy(&output.stdout);
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{}: {errors}", output.status);
            has_a_fresh_start(&status);
        }
    }

    fn a_child_of_fork_waits_for_no_requester_of_the_parents() {
        forks(fork_and_check);
    }

    fn nor_does_a_child_that_libc_has_not_made() {
        forks(clone_and_check);
    }

    /// Every request sends its signal, inside or not.
    fn nor_without_membarrier() {
        assert!(thread::spawn(|| ()).join().is_ok());
        deny(libc::SYS_membarrier, libc::ENOSYS);
        forks(fork_and_check);
        forks(clone_and_check);
    }

    fn a_program_finds_the_signals_as_any_does() {
        programs();
    }

    fn also_without_membarrier() {
        deny(libc::SYS_membarrier, libc::ENOSYS);
        programs();
    }
}
