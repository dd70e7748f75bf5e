//! A stop leaves the child to its owner, so it is not taken by value.

use std::process::{Child, Output};

#[stopruntime::stoppable]
fn finish(child: Child) -> std::io::Result<Output> {
    #[blocking]
    let output = child.wait_with_output()?;
    Ok(output)
}

fn main() {}
