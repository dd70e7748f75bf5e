//! Which streams of a `Command` are set.
//!
//! `output` gives defaults of its own to the streams that are not set, and those
//! alone: to capture what the user has sent to a file, or to inherit what they
//! have not set, would be wrong without a word. std keeps that to itself, but
//! for `{:#?}`, whose struct has a field for each stream that is set. Such text
//! is no contract, so it is not trusted but tried: on first use, commands whose
//! streams are known must be told apart by it. A std that prints something else
//! makes `output_or_stop` fail; it is never taken for "not set".
//!
//! (The other ways were worse. What is inherited can only be seen in the child,
//! where inherited by wish and by default are the same. A hook there, `pre_exec`,
//! stays on the user's command, and runs after the user's own. std's `output` in
//! a thread of its own cannot be left while a grandchild holds a pipe open.)

use std::io::{self, ErrorKind};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

struct Stream {
    /// As `{:#?}` names its field.
    name: &'static str,
    /// What `output` makes of it if it is not set.
    default: fn() -> Stdio,
    set: fn(&mut Command, Stdio) -> &mut Command,
}

const STREAMS: [Stream; 3] = [
    Stream { name: "stdin", default: Stdio::null, set: |command, to| command.stdin(to) },
    Stream { name: "stdout", default: Stdio::piped, set: |command, to| command.stdout(to) },
    Stream { name: "stderr", default: Stdio::piped, set: |command, to| command.stderr(to) },
];

/// Sets the streams that are not set to what `output` takes for them.
pub(super) fn capture(command: &mut Command) -> io::Result<()> {
    static TELLS: OnceLock<bool> = OnceLock::new();
    if !TELLS.get_or_init(tells_what_is_set) {
        return Err(io::Error::new(
            ErrorKind::Unsupported,
            "this std does not tell which streams of a Command are set: set all three, spawn it, \
             and mark its wait_with_output",
        ));
    }
    for (is_set, stream) in what_is_set(command).into_iter().zip(STREAMS) {
        if !is_set {
            (stream.set)(command, (stream.default)());
        }
    }
    Ok(())
}

/// A field of the outermost struct has a line of its own that begins with four
/// spaces. Strings of the user's cannot look like one: a line feed in them is
/// escaped.
fn what_is_set(command: &Command) -> [bool; 3] {
    let text = format!("{command:#?}");
    STREAMS.map(|stream| {
        let field = format!("    {}: Some(", stream.name);
        text.lines().any(|line| line == field)
    })
}

/// Whether commands whose streams are known are told apart: none set, and each
/// alone set to each kind there is.
fn tells_what_is_set() -> bool {
    let kinds: [fn() -> Stdio; 4] =
        [Stdio::inherit, Stdio::null, Stdio::piped, || Stdio::from(io::stdout())];
    let none = || {
        let mut command = Command::new("\n    stdin: Some(\n");
        command.arg("\n    stdout: Some(\n").env("\n    stderr: Some(\n", "").current_dir("/");
        command
    };
    let alone = |at: usize, kind: fn() -> Stdio| {
        let mut command = none();
        (STREAMS[at].set)(&mut command, kind());
        what_is_set(&command) == [0, 1, 2].map(|other| other == at)
    };
    what_is_set(&none()) == [false; 3]
        && (0..STREAMS.len()).all(|at| kinds.iter().all(|kind| alone(at, *kind)))
}

#[cfg(test)]
mod tests {
    use super::{STREAMS, capture, what_is_set};
    use std::fs::File;
    use std::process::{Command, Stdio};

    #[test]
    fn what_is_set_stays_and_the_rest_is_set() {
        for chosen in 0..8 {
            let mut command = Command::new("true");
            let wanted = [0, 1, 2].map(|stream| chosen & 1 << stream != 0);
            for (is_set, stream) in wanted.into_iter().zip(STREAMS) {
                if is_set {
                    (stream.set)(&mut command, Stdio::from(File::open("/dev/null").unwrap()));
                }
            }
            assert_eq!(what_is_set(&command), wanted);
            capture(&mut command).unwrap();
            assert_eq!(what_is_set(&command), [true; 3]);
            // Files stay files: only the others are what `output` sets.
            let files = format!("{command:#?}").matches("OwnedFd").count();
            assert_eq!(files, wanted.iter().filter(|is_set| **is_set).count());
        }
    }
}
