//! std opens and reads in one call, where no request reaches it.

use std::path::Path;
use std::{fs, io};

#[stopruntime::stoppable]
fn load(path: &Path) -> io::Result<String> {
    #[blocking]
    let text = fs::read_to_string(path)?;
    Ok(text)
}

fn main() {}
