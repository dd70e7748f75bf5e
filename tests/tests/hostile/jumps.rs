//! A handler that leaves a marked call by `siglongjmp`. The frames that are
//! skipped hold nothing to drop; the runtime's own end of the call is skipped
//! as well, so that the thread counts as inside until its next marked call.
//! What comes of it, exactly: the next marked call is as any other; a request
//! before it is not lost, but its signal may end an unmarked call with `EINTR`.
//!
//! The jump is in C (`jump.c`), compiled by the C compiler that links Rust
//! programs.
//!
//! # Safety
//!
//! The invariant of this module: between `was_left` and the marked call there
//! is no frame with a destructor.

use core::ffi::{c_int, c_void};
use std::ffi::CString;
use std::io::{PipeReader, pipe};
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use stop_tests::proc::{limit, rest, wait_for};
use stop_tests::signals::{STOP, errno, is_masked, plain_write, send, waiting};
use stop_tests::{not_tested, per_backend, thread_id, wait_until_blocked_in};
use stopruntime::thread::{self, JoinHandle};
use stopruntime::{Backend, Stopper, backend, sys};

const READS: [libc::c_long; 2] = [libc::SYS_read, libc::SYS_ppoll];
const JUMP: i32 = libc::SIGUSR1;

type Call = extern "C" fn(*mut c_void);

type WasLeft = unsafe extern "C" fn(Call, *mut c_void) -> c_int;

#[derive(Clone, Copy)]
struct Jumps {
    was_left: WasLeft,
}

impl Jumps {
    /// Compiles and loads the C part, and installs its handler.
    fn load() -> Option<Jumps> {
        if cfg!(target_feature = "crt-static") {
            not_tested("a jump out of a marked call", "a static program loads no library");
            return None;
        }
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/jump.c");
        let name = format!("jump-{}.so", std::process::id());
        let library = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
        let status = Command::new(compiler)
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&library, &source])
            .status()
            .expect("a C compiler");
        assert!(status.success());
        let path = CString::new(library.to_str().expect("a path in UTF-8")).unwrap();
        // SAFETY: a library of our own without constructors; its functions have
        // the types that jump.c gives them.
        let jumps = unsafe {
            let handle = libc::dlopen(path.as_ptr(), libc::RTLD_NOW);
            assert!(!handle.is_null(), "dlopen");
            let leave_on = libc::dlsym(handle, c"leave_on".as_ptr());
            let was_left = libc::dlsym(handle, c"was_left".as_ptr());
            assert!(!leave_on.is_null() && !was_left.is_null());
            let leave_on =
                core::mem::transmute::<*mut c_void, unsafe extern "C" fn(c_int) -> c_int>(leave_on);
            assert_eq!(leave_on(JUMP), 0);
            Jumps { was_left: core::mem::transmute::<*mut c_void, WasLeft>(was_left) }
        };
        std::fs::remove_file(&library).unwrap();
        Some(jumps)
    }
}

/// What the read comes to if it is not left.
struct Read {
    descriptor: c_int,
    stopped: bool,
    length: isize,
}

/// A marked read(2) with nothing to drop in its frame.
extern "C" fn marked_read(argument: *mut c_void) {
    // SAFETY: `Read::make` passes one.
    let read = unsafe { &mut *argument.cast::<Read>() };
    let mut byte = 0_u8;
    // SAFETY: one writable byte.
    match unsafe { sys::read_or_stop(read.descriptor, (&raw mut byte).cast(), 1) } {
        Ok(length) => read.length = length,
        Err(_stopped) => read.stopped = true,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Left,
    Stopped,
    Length(isize),
}

fn read(jumps: Jumps, descriptor: c_int) -> Outcome {
    let mut read = Read { descriptor, stopped: false, length: -1 };
    // SAFETY: the C function calls ours with this argument, once; the module's
    // invariant.
    let left = unsafe { (jumps.was_left)(marked_read, (&raw mut read).cast()) };
    match (left, read.stopped) {
        (0, false) => Outcome::Length(read.length),
        (0, true) => Outcome::Stopped,
        _ => Outcome::Left,
    }
}

/// A thread that has been made to leave its marked read, and then does this.
fn after_a_jump<T: Send + 'static>(
    jumps: Jumps,
    then: impl FnOnce(Jumps, &PipeReader) -> T + Send + 'static,
) -> (JoinHandle<T>, i32, std::io::PipeWriter) {
    let (reader, writer) = pipe().unwrap();
    let (sender, receiver) = mpsc::channel();
    let (left, was_left) = mpsc::channel();
    let handle = thread::spawn(move || {
        sender.send(thread_id()).unwrap();
        assert_eq!(read(jumps, reader.as_raw_fd()), Outcome::Left);
        left.send(()).unwrap();
        then(jumps, &reader)
    });
    let thread = receiver.recv().unwrap();
    wait_until_blocked_in(thread, &READS);
    send(thread, JUMP);
    was_left.recv().expect("the jump");
    (handle, thread, writer)
}

fn joined<T>(handle: JoinHandle<T>) -> T {
    let Ok(result) = handle.join_timeout(limit()) else { panic!("request lost") };
    result.expect("no panic")
}

/// ppoll(2) on one descriptor, as it is: its result or the errno.
fn plain_poll(descriptor: c_int) -> Result<c_int, c_int> {
    let mut entry = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry, which outlives the call.
    let ready = unsafe { libc::ppoll(&raw mut entry, 1, core::ptr::null(), core::ptr::null()) };
    if ready < 0 { Err(errno()) } else { Ok(ready) }
}

/// A plain read that is ended, then a signal whose handler jumps.
extern "C" fn plain_call_and_jump(argument: *mut c_void) {
    // SAFETY: a descriptor, and one writable byte.
    unsafe {
        let descriptor = *argument.cast::<c_int>();
        let mut byte = 0_u8;
        assert_eq!(libc::read(descriptor, (&raw mut byte).cast(), 1), -1);
        assert_eq!(errno(), libc::ECANCELED);
        libc::pthread_kill(libc::pthread_self(), JUMP);
    }
    unreachable!("it jumps");
}

/// The same in a region that the jump leaves.
extern "C" fn region_and_jump(argument: *mut c_void) {
    let _ = stopruntime::foreign(|| plain_call_and_jump(argument));
}

/// In a scope that the jump leaves, and says nothing of it.
extern "C" fn scope_and_jump(_: *mut c_void) {
    Stopper::new().run(|| {
        // SAFETY: a signal to this thread.
        unsafe { libc::pthread_kill(libc::pthread_self(), JUMP) };
    });
}

/// Out of a scope that is in another one: this is left as if it were the innermost.
fn jump_out_of_a_scope(jumps: Jumps) {
    // No core file: it would not be read.
    // SAFETY: an integer.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0) };
    Stopper::new().run(|| {
        // SAFETY: as of `read`, except for the frame of the scope: what its destructor
        // does not do is what the test looks at.
        let left = unsafe { (jumps.was_left)(scope_and_jump, core::ptr::null_mut()) };
        assert_eq!(left, 1);
    });
}

per_backend! {
    /// The process is ended: what the thread runs under is not known any more.
    fn a_jump_out_of_a_scope() {
        const JUMPS: &str = "STOP_TESTS_JUMPS";
        let Some(jumps) = Jumps::load() else { return };
        if std::env::var_os(JUMPS).is_some() {
            return jump_out_of_a_scope(jumps);
        }
        let mut again = stop_tests::this_program();
        let output = again.args(stop_tests::this_test()).env(JUMPS, "1").output().unwrap();
        assert_eq!(output.status.signal(), Some(libc::SIGABRT));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("a scope was left that is not the innermost one"), "{said}");
    }

    /// In a region of foreign code that is stopped: it is as if nothing were armed.
    fn a_jump_inside_of_a_region() {
        let Some(jumps) = Jumps::load() else { return };
        let (reader, _writer) = pipe().unwrap();
        let mut descriptor = reader.as_raw_fd();
        let job = stopruntime::Stopper::new();
        job.request_stop();
        let region = stopruntime::foreign(|| {
            job.run(|| {
                for _ in 0..50 {
                    // SAFETY: as of `read`.
                    let left = unsafe {
                        (jumps.was_left)(plain_call_and_jump, (&raw mut descriptor).cast())
                    };
                    assert_eq!(left, 1);
                }
            });
        });
        region.unwrap();
        assert!(!is_masked(libc::SIGSYS));
    }

    /// Out of one: the thread stays in it, until it ends; the next one of its record is in
    /// none.
    fn a_jump_out_of_a_region() {
        let Some(jumps) = Jumps::load() else { return };
        for _ in 0..20 {
            let (sender, receiver) = mpsc::channel();
            let handle = thread::spawn(move || {
                sender.send(thread_id()).unwrap();
                let (reader, _writer) = pipe().unwrap();
                let mut descriptor = reader.as_raw_fd();
                // SAFETY: as of `read`.
                let left = unsafe {
                    (jumps.was_left)(region_and_jump, (&raw mut descriptor).cast())
                };
                assert_eq!(left, 1);
            });
            wait_until_blocked_in(receiver.recv().unwrap(), &[libc::SYS_read]);
            handle.request_stop();
            joined(handle);
            let handle = thread::spawn(|| {
                let (mut reader, writer) = pipe().unwrap();
                drop(writer);
                (std::io::Read::read(&mut reader, &mut [0]).unwrap(), stopruntime::foreign(|| 1))
            });
            assert_eq!(joined(handle), (0, Ok(1)));
        }
    }

    fn the_next_call_is_as_any_other() {
        let Some(jumps) = Jumps::load() else { return };
        let (handle, thread, writer) = after_a_jump(jumps, |jumps, reader| {
            let first = read(jumps, reader.as_raw_fd());
            // And again, in the middle of it all.
            (first, read(jumps, reader.as_raw_fd()), read(jumps, reader.as_raw_fd()))
        });
        wait_until_blocked_in(thread, &READS);
        assert!(plain_write(writer.as_raw_fd()));
        wait_for("the byte to be taken", || {
            waiting(&writer) == 0
        });
        wait_until_blocked_in(thread, &READS);
        send(thread, JUMP);
        wait_for("the jump", || {
            rest(thread).pending == 0
        });
        wait_until_blocked_in(thread, &READS);
        assert!(handle.request_stop());
        let expected = (Outcome::Length(1), Outcome::Left, Outcome::Stopped);
        assert_eq!(joined(handle), expected);
    }

    fn a_request_before_the_next_call_is_seen_by_it() {
        let Some(jumps) = Jumps::load() else { return };
        let (handle, thread, writer) = after_a_jump(jumps, |jumps, reader| {
            // Nothing but a signal ends it before there is a byte.
            let poll = plain_poll(reader.as_raw_fd());
            let masked = is_masked(STOP);
            (poll, masked, read(jumps, reader.as_raw_fd()), is_masked(STOP))
        });
        wait_until_blocked_in(thread, &[libc::SYS_ppoll]);
        assert!(handle.request_stop());
        if backend() == Backend::Ppoll {
            // Its signal is held off outside of marked calls.
            assert!(plain_write(writer.as_raw_fd()));
            assert_eq!(joined(handle), (Ok(1), true, Outcome::Stopped, true));
        } else {
            // The limit: one signal, and it is blocked until the next call.
            let limit = (Err(libc::EINTR), true, Outcome::Stopped, false);
            assert_eq!(joined(handle), limit);
        }
    }
}
