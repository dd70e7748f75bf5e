//! Commands and children, in the shapes they are written in.
#![deny(warnings, unsafe_code, clippy::pedantic)]

use std::io;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use stopruntime::stoppable;

struct Response;

impl Response {
    fn status(&self) -> u16 {
        200
    }
}

#[stoppable]
fn output(program: &str) -> io::Result<Output> {
    #[blocking]
    let output = Command::new(program).arg("-l").env("LANG", "C").output()?;
    Ok(output)
}

#[stoppable]
fn status(command: &mut Command) -> io::Result<ExitStatus> {
    #[blocking]
    command.stdout(Stdio::null()).status()
}

#[stoppable]
fn both(mut child: Child, other: &mut Child) -> io::Result<Vec<u8>> {
    #[blocking]
    let Output { stdout, .. } = child.wait_with_output()?;
    #[blocking]
    let code = other.wait()?.code();
    println!("{code:?}");
    Ok(stdout)
}

#[stoppable]
fn in_one_line() -> io::Result<bool> {
    let lines = blocking!(Command::new("who").output())?.stdout;
    #[blocking]
    let fine = !lines.is_empty() && Command::new("true").status()?.success();
    Ok(fine)
}

/// A getter of that name does not wait, and `strict` does not think so.
#[stoppable(strict)]
fn strict(command: &mut Command, response: &Response) -> io::Result<u16> {
    #[blocking]
    command.output()?;
    Ok(response.status())
}

fn main() {
    let _ = (output, status, both, in_one_line, strict);
}
