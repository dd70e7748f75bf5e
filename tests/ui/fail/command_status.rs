//! std waits for the child inside `status`.

use std::process::{Command, ExitStatus};

#[stopruntime::stoppable]
fn run() -> std::io::Result<ExitStatus> {
    #[blocking]
    let status = Command::new("true").status()?;
    Ok(status)
}

fn main() {}
