//! While no stop is requested: what std's calls do, to the byte.

use crate::children::prelude::*;
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// How a stream can be set; the files are looked for by name.
const SETTINGS: [&str; 5] = ["unset", "inherit", "null", "piped", "file"];

fn setting(name: &str, file: &Path) -> Option<Stdio> {
    match name {
        "unset" => None,
        "inherit" => Some(Stdio::inherit()),
        "null" => Some(Stdio::null()),
        "piped" => Some(Stdio::piped()),
        _ => Some(File::options().read(true).write(true).open(file).unwrap().into()),
    }
}

struct Files {
    streams: [PathBuf; 3],
    report: PathBuf,
}

impl Files {
    fn new() -> Files {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let path = |name| directory.join(format!("children-{}-{name}", std::process::id()));
        let files = Files { streams: ["in", "out", "err"].map(path), report: path("report") };
        for file in &files.streams {
            fs::write(file, "given").unwrap();
        }
        files
    }

    /// A command that reports what its streams are and writes to both.
    fn command(&self, settings: [&str; 3]) -> Command {
        let mut command = shell(
            "readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2 >\"$REPORT\"
             echo out; echo err >&2; exit 4",
        );
        command.env("REPORT", &self.report);
        let [stdin, stdout, stderr] = [0, 1, 2].map(|at| setting(settings[at], &self.streams[at]));
        stdin.map(|stdin| command.stdin(stdin));
        stdout.map(|stdout| command.stdout(stdout));
        stderr.map(|stderr| command.stderr(stderr));
        command
    }

    /// The streams that a child has found; a pipe of its own is not told from
    /// another.
    fn reported(&self) -> Vec<String> {
        let own = [0, 1, 2].map(link);
        let report = fs::read_to_string(&self.report).unwrap();
        fs::remove_file(&self.report).unwrap();
        let lines = report.lines().map(|line| match line {
            line if own.contains(&line.to_owned()) => line.to_owned(),
            line if line.starts_with("pipe:") => "a pipe".to_owned(),
            line => line.to_owned(),
        });
        lines.collect()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        for file in &self.streams {
            let _ = fs::remove_file(file);
        }
    }
}

fn link(descriptor: i32) -> String {
    fs::read_link(format!("/proc/self/fd/{descriptor}")).unwrap().display().to_string()
}

/// Gives this process a standard input that is not null, so that inherited and
/// null differ.
fn take_an_input() {
    let zero = File::open("/dev/zero").unwrap();
    // SAFETY: two descriptors that are open; this test is alone in its process.
    assert_eq!(unsafe { libc::dup2(zero.as_raw_fd(), 0) }, 0);
}

fn all_settings() -> impl Iterator<Item = [&'static str; 3]> {
    let each = SETTINGS.into_iter();
    each.clone().flat_map(move |stdin| {
        let each = each.clone();
        each.clone().flat_map(move |stdout| each.clone().map(move |stderr| [stdin, stdout, stderr]))
    })
}

fn shape(output: io::Result<Output>) -> (ExitStatus, Vec<u8>, Vec<u8>) {
    let Output { status, stdout, stderr } = output.unwrap();
    (status, stdout, stderr)
}

per_backend! {
    fn output_takes_the_streams_that_std_takes() {
        take_an_input();
        let before = begin();
        let files = Files::new();
        for settings in all_settings() {
            let plain = shape(files.command(settings).output());
            let streams = files.reported();
            let mut command = files.command(settings);
            // The second time some that were not set are.
            for time in 1..=2 {
                let ours = shape(command.output_or_stop().unwrap());
                assert_eq!(ours, plain, "{settings:?}, time {time}");
                assert_eq!(files.reported(), streams, "{settings:?}, time {time}");
            }
        }
        check_nothing_is_left(before);
    }

    fn status_takes_the_streams_that_std_takes() {
        take_an_input();
        let before = begin();
        let files = Files::new();
        for settings in SETTINGS.map(|setting| [setting; 3]) {
            let plain = files.command(settings).status().unwrap();
            let streams = files.reported();
            let mut command = files.command(settings);
            let set = format!("{command:#?}");
            for _ in 0..2 {
                assert_eq!(command.status_or_stop().unwrap().unwrap(), plain, "{settings:?}");
                assert_eq!(files.reported(), streams, "{settings:?}");
            }
            assert_eq!(format!("{command:#?}"), set, "left as it was");
        }
        check_nothing_is_left(before);
    }

    fn errors_and_ends_are_those_of_std() {
        let before = begin();
        for script in ["exit 0", "exit 255", "kill -TERM $$", "echo out; kill -KILL $$"] {
            assert_eq!(
                shape(shell(script).output_or_stop().unwrap()),
                shape(shell(script).output()),
                "{script}"
            );
            let mut command = shell(script);
            command.stdout(Stdio::null());
            assert_eq!(command.status_or_stop().unwrap().unwrap(), command.status().unwrap());
        }
        let missing = "what std says of a program that is missing";
        if stop_tests::emulation_hides(missing, "vfork is fork there, and the child's errno lost") {
            return;
        }
        for program in ["/nowhere", "/", "with\0nul"] {
            let plain = Command::new(program).output().unwrap_err();
            let output = Command::new(program).output_or_stop().unwrap().unwrap_err();
            let status = Command::new(program).status_or_stop().unwrap().unwrap_err();
            for ours in [output, status] {
                assert_eq!(format!("{ours:?}"), format!("{plain:?}"));
            }
        }
        check_nothing_is_left(before);
    }

    fn more_than_a_pipe_holds_is_read_from_both() {
        let before = begin();
        let [stdout, stderr] = noise();
        assert_eq!([stdout.len(), stderr.len()], [NOISE; 2]);
        let output = noisy().output_or_stop().unwrap().unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert!(output.stdout == stdout && output.stderr == stderr);
        // One of them alone; neither.
        let output = noisy().stderr(Stdio::null()).output_or_stop().unwrap().unwrap();
        assert!(output.stdout == stdout && output.stderr.is_empty());
        let mut child = noisy().stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output_or_stop().unwrap().unwrap();
        assert!(output.stdout.is_empty() && output.stderr == stderr);
        let mut child =
            noisy().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let output = child.wait_with_output_or_stop().unwrap().unwrap();
        assert!(output.status.code() == Some(3) && output.stdout.is_empty());
        check_nothing_is_left(before);
    }

    fn the_input_is_closed_first() {
        let before = begin();
        let mut command = shell("cat; echo end");
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.as_mut().unwrap().write_all(b"a line\n").unwrap();
        let output = child.wait_with_output_or_stop().unwrap().unwrap();
        assert_eq!(output.stdout, b"a line\nend\n");
        assert_eq!(command.output_or_stop().unwrap().unwrap().stdout, b"end\n");
        assert!(command.status_or_stop().unwrap().unwrap().success());
        drop(child);
        check_nothing_is_left(before);
    }

    fn a_child_that_was_reaped_is_read_to_its_end() {
        let before = begin();
        let mut child = shell("echo out; exit 5").stdout(Stdio::piped()).spawn().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(5));
        let mut buffers = (b"before ".to_vec(), Vec::new());
        let status = child.read_output_or_stop(&mut buffers.0, &mut buffers.1);
        assert_eq!(status.unwrap().unwrap().code(), Some(5));
        assert_eq!(buffers, (b"before out\n".to_vec(), Vec::new()));
        // And once more, with nothing left to do.
        let output = child.wait_with_output_or_stop().unwrap().unwrap();
        assert!(output.status.code() == Some(5) && output.stdout.is_empty());
        check_nothing_is_left(before);
    }

    /// Its owner may have made a pipe non-blocking; std does so itself.
    fn a_pipe_that_does_not_block_is_waited_for() {
        let before = begin();
        let mut command = shell("read -r go; echo out");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let pipe = child.stdout.as_ref().unwrap().as_raw_fd();
        // SAFETY: flags of a descriptor that is open.
        unsafe { assert_eq!(libc::fcntl(pipe, libc::F_SETFL, libc::O_NONBLOCK), 0) };
        let waiting = waiting(move || child.wait_with_output_or_stop());
        input.write_all(b"go\n").unwrap();
        let output = waiting.join().unwrap().unwrap().unwrap();
        assert_eq!(output.stdout, b"out\n");
        drop(input);
        check_nothing_is_left(before);
    }

    /// On ppoll the thread itself has the stop signal blocked.
    fn the_child_has_the_stop_signal_open() {
        let blocked = |status: &str| {
            let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
            u64::from_str_radix(mask.trim(), 16).unwrap() & (1 << (libc::SIGURG - 1)) != 0
        };
        let own = || fs::read_to_string("/proc/thread-self/status").unwrap();
        let on_ppoll = stopruntime::backend() == stopruntime::Backend::Ppoll;
        let before = begin();
        assert_eq!(blocked(&own()), on_ppoll);
        let mut command = Command::new("cat");
        command.arg("/proc/self/status");
        let output = command.output_or_stop().unwrap().unwrap();
        assert!(!blocked(&String::from_utf8_lossy(&output.stdout)));
        let mut file = Files::new();
        file.streams.reverse();
        command.stdout(File::create(&file.streams[0]).unwrap());
        assert!(command.status_or_stop().unwrap().unwrap().success());
        assert!(!blocked(&fs::read_to_string(&file.streams[0]).unwrap()));
        assert_eq!(blocked(&own()), on_ppoll, "as it was");
        drop(command);
        check_nothing_is_left(before);
    }
}
