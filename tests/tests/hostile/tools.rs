//! Programs with stops under strace(1), gdb(1) and valgrind(1): the stops are
//! the same. What such a tool cannot do is said here, and tested:
//!
//! - A debugger that steps through a marked call on `Rseq` never comes to its
//!   end: each step is a trap, a trap aborts the window, and it begins again.
//!   That is so of every restartable sequence (rseq(2)). It does end with
//!   `continue`, or on another backend.
//! - Valgrind has no rseq: the default is `Handler` there. A signal is
//!   delivered between two of its blocks of translated code, at the program
//!   counter that the program would have, so that the handler's look at it is
//!   as good as ever.
//! - Valgrind (3.19) has neither `futex_waitv(2)` nor `pidfd_open(2)`, with
//!   which `Ppoll` waits in `sync` and for children.

use super::flows::{KINDS, bout};
use std::io::Write;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use stop_tests::dice::{Dice, runs};
use stop_tests::{not_tested, on_backends, per_backend, thread_id, wait_until_blocked_in};
use stopruntime::ext::ReadOrStop;
use stopruntime::{
    Backend, Config, ForeignSupport, InstallError, backend, foreign_support, thread,
};

/// Set in the program that runs under the tool.
const INSIDE: &str = "STOP_TESTS_UNDER_TOOL";
/// An empty `STOPRUNTIME_BACKEND` is as good as none: the runtime chooses.
const NOT_SET: [&str; 1] = [""];

fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

fn say_that_all_stopped() {
    println!("all stopped on {}", backend());
}

/// Bouts with each kind of call but these.
fn bouts_without(left_out: &[&str]) {
    let mut dice = Dice::new();
    for kind in KINDS.iter().filter(|(name, _)| !left_out.contains(name)) {
        for _ in 0..runs(4) {
            bout(kind, &mut dice, |_| ());
        }
    }
    say_that_all_stopped();
}

/// How the tool runs a program that does nothing, and what it says then.
fn probe(tool: &str) -> (&'static [&'static str], &'static str) {
    match tool {
        "strace" => (&["-f"], "+++ exited with 0 +++"),
        "gdb" => (&["-batch", "-nx", "-ex", "run", "--args"], "exited normally"),
        "valgrind" => (&[], "ERROR SUMMARY: 0 errors"),
        other => unreachable!("{other}"),
    }
}

/// Whether the tool is there and can do its work, which a sandbox may keep it
/// from; says so if not.
fn is_usable(tool: &str) -> bool {
    if stop_tests::emulation_hides(tool, "the tool would see the emulator") {
        return false;
    }
    // They take a library of the program's own architecture.
    if cfg!(target_arch = "x86") && tool != "strace" {
        not_tested(tool, "it is for programs of 64 bits here");
        return false;
    }
    // These take their time.
    if stop_tests::is_a_developers() && tool != "strace" {
        not_tested(tool, "STOP_TESTS is not set");
        return false;
    }
    let (options, says) = probe(tool);
    match Command::new(tool).args(options).arg("true").output() {
        Err(error) => not_tested(tool, format_args!("skipped: no {tool} ({error})")),
        Ok(output) if !text(&output).contains(says) => {
            not_tested(tool, format_args!("skipped: it cannot run `true`: {}", text(&output)));
        }
        Ok(_) => return true,
    }
    false
}

/// Runs this test again under the tool: what came out, `None` if the tool is
/// missing.
fn under(tool: &str, options: &[&str]) -> Option<String> {
    if !is_usable(tool) {
        return None;
    }
    let output = Command::new(tool)
        .args(options)
        .arg(std::env::current_exe().expect("the test's own path"))
        .args(stop_tests::this_test())
        .env(INSIDE, "1")
        .env("RUST_BACKTRACE", "0")
        .output()
        .expect("the tool starts");
    assert!(output.status.success(), "{}: {}", output.status, text(&output));
    Some(text(&output))
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn all_stopped(text: &str, backend: Backend) -> bool {
    text.contains(&format!("all stopped on {backend}"))
}

/// Regions of foreign code, stopped as they wait.
fn regions() {
    for _ in 0..5 {
        let (mut reader, _writer) = std::io::pipe().unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        let handle = thread::spawn(move || {
            sender.send(thread_id()).unwrap();
            let region = stopruntime::foreign(|| {
                let read = std::io::Read::read(&mut reader, &mut [0]);
                std::thread::sleep(std::time::Duration::from_secs(3600));
                read.unwrap_err().raw_os_error()
            });
            std::thread::sleep(std::time::Duration::from_millis(1));
            region.unwrap()
        });
        wait_until_blocked_in(receiver.recv().unwrap(), &[libc::SYS_read]);
        assert!(handle.request_stop());
        assert_eq!(handle.join().unwrap(), Some(libc::ECANCELED));
    }
    println!("{}", stopruntime::foreign_support());
    say_that_all_stopped();
}

/// Where a debugger takes over.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn stop_tests_break_here() {
    std::hint::black_box(());
}

/// What it looks at: 1 once the first marked read has returned.
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals)]
static stop_tests_reads: AtomicU32 = AtomicU32::new(0);

/// A marked read that has its byte, and one that waits.
fn two_reads() {
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(b"x").unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    let handle = thread::spawn(move || {
        assert!(stopruntime::check().is_ok());
        stop_tests_break_here();
        let first = reader.read_or_stop(&mut [0]);
        stop_tests_reads.store(1, Ordering::SeqCst);
        sender.send(thread_id()).unwrap();
        let second = reader.read_or_stop(&mut [0]);
        (first.unwrap().unwrap(), second.is_err())
    });
    wait_until_blocked_in(receiver.recv().unwrap(), &[libc::SYS_read, libc::SYS_ppoll]);
    assert!(handle.request_stop());
    assert_eq!(handle.join().unwrap(), (1, true));
    say_that_all_stopped();
}

per_backend! {
    fn strace() {
        if is_inside() {
            // Stopped where it certainly waits.
            two_reads();
            return bouts_without(&[]);
        }
        let Some(text) = under("strace", &["-f"]) else { return };
        assert!(all_stopped(&text, backend()), "{text}");
        assert!(text.contains("--- SIGURG {"), "no signal was traced");
    }

    /// The stop signal is one that gdb passes on and does not speak of.
    fn gdb() {
        if is_inside() {
            return bouts_without(&[]);
        }
        let Some(text) = under("gdb", &["-batch", "-nx", "-ex", "run", "--args"]) else {
            return;
        };
        assert!(all_stopped(&text, backend()), "{text}");
        assert!(!text.contains("received signal"), "{text}");
    }

    fn regions_under_strace() {
        if foreign_support() == ForeignSupport::None {
            return not_tested("regions under strace", "nothing ends them here");
        }
        if is_inside() {
            return regions();
        }
        let Some(text) = under("strace", &["-f"]) else { return };
        assert!(all_stopped(&text, backend()), "{text}");
        let handed_over = text.contains("SYS_USER_DISPATCH");
        assert_eq!(handed_over, text.contains("each call is handed over"), "{text}");
    }

    /// `SIGSYS` is one that gdb has to be told to pass on and not to speak of.
    fn regions_under_gdb() {
        if foreign_support() == ForeignSupport::None {
            return not_tested("regions under gdb", "nothing ends them here");
        }
        if is_inside() {
            return regions();
        }
        let pass = "handle SIGSYS nostop noprint pass";
        let options = ["-batch", "-nx", "-ex", pass, "-ex", "run", "--args"];
        let Some(text) = under("gdb", &options) else { return };
        assert!(all_stopped(&text, backend()), "{text}");
        assert!(!text.contains("received signal"), "{text}");
    }

    fn gdb_that_steps() {
        if is_inside() {
            return two_reads();
        }
        // Many times what a marked read takes.
        let commands = [
            "break stop_tests_break_here", "run", "stepi 4000",
            // By the name that the linker knows, in whatever scope that has ended.
            "set language c", "x/1dw (int *) &stop_tests_reads", "continue",
        ];
        let mut options = vec!["-batch", "-nx"];
        options.extend(commands.iter().flat_map(|command| ["-ex", command]));
        options.push("--args");
        let Some(text) = under("gdb", &options) else { return };
        let looked = text.lines().find(|line| line.contains("<stop_tests_reads>"));
        let reads = looked.and_then(|line| line.rsplit_once('\t')).map(|(_, number)| number);
        let expected = if backend() == Backend::Rseq { "0" } else { "1" };
        assert_eq!(reads, Some(expected), "{text}");
        // Let go, it ends, and as it should.
        assert!(all_stopped(&text, backend()), "{text}");
    }
}

on_backends! { ["handler", "ppoll"];
    fn valgrind() {
        if is_inside() {
            let missing = ["Mutex::lock", "Condvar::wait", "Child::wait"];
            return bouts_without(if backend() == Backend::Ppoll { &missing } else { &[] });
        }
        // memcheck: no access is wrong, no jump depends on what nothing wrote. It
        // cannot put its own allocator in the place of a static program's, and
        // musl's looks at what a slot's last owner has left in front of the next
        // one: written or not is not a question to ask there.
        let mut options = vec!["--error-exitcode=9", "--leak-check=no"];
        // An argument that is spoiled is an error to it: that is what it is for.
        let checks = backend() != Backend::Ppoll;
        if !checks {
            options = vec!["--tool=none"];
        } else if cfg!(target_feature = "crt-static") {
            options.push("--undef-value-errors=no");
        }
        let Some(text) = under("valgrind", &options) else { return };
        assert!(all_stopped(&text, backend()), "{text}");
        assert!(!checks || text.contains("ERROR SUMMARY: 0 errors"), "{text}");
    }
}

on_backends! { ["handler"];
    /// It would hand the kernel's dispatch on, and its own calls would be handed over.
    fn regions_under_valgrind() {
        if foreign_support() == ForeignSupport::None {
            return not_tested("regions under valgrind", "nothing ends them here");
        }
        if is_inside() {
            return regions();
        }
        let Some(text) = under("valgrind", &["--tool=none"]) else { return };
        assert!(all_stopped(&text, backend()), "{text}");
        assert!(text.contains("a timer looks"), "{text}");
    }
}

on_backends! { NOT_SET;
    fn valgrind_has_no_rseq() {
        if is_inside() {
            match Config::new().backend(Backend::Rseq).install() {
                // One that has it: as good.
                Ok(()) => assert_eq!(backend(), Backend::Rseq),
                Err(InstallError::Unavailable(Backend::Rseq)) => {
                    assert_eq!(backend(), super::registration::next());
                }
                Err(error) => panic!("{error}"),
            }
            return two_reads();
        }
        let options = ["--tool=none"];
        let Some(text) = under("valgrind", &options) else { return };
        assert!(text.contains("all stopped on "), "{text}");
    }
}
