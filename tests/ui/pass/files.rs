//! Opening, syncing and locking files; the options of `OpenOptions` are no calls
//! that wait.
#![deny(warnings)]
#![forbid(unreachable_code, unreachable_patterns, unused_imports, unused_variables)]

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use stopruntime::stoppable;

struct Store;

impl Store {
    fn open(_: &str) -> io::Result<Store> {
        Ok(Store)
    }

    fn create(_: &str) -> io::Result<Store> {
        Ok(Store)
    }
}

#[stoppable]
fn opened(path: &str, flag: bool) -> io::Result<()> {
    #[blocking]
    let log = File::create(path)?;
    #[blocking]
    log.sync_data()?;
    #[blocking]
    log.sync_all()?;
    #[blocking]
    log.lock()?;
    let shared = Arc::new(log);
    #[blocking]
    shared.lock_shared()?;
    #[blocking]
    let file = std::fs::File::open(path)?;
    drop(file);
    #[blocking]
    let file = OpenOptions::new().read(flag).write(true).open(path)?;
    drop(file);
    #[blocking]
    let file = File::options().append(true).mode(0o600).custom_flags(0).open(path)?;
    drop(file);
    let mut options = OpenOptions::new();
    #[blocking]
    let file = options.read(true).write(false).open(path)?;
    drop(file);
    // Types of the user's own, and the call that is meant.
    #[blocking(as_is)]
    let _store = Store::open(path)?;
    #[blocking(as_is)]
    let _store = Store::create(path)?;
    let mut line = String::new();
    #[blocking]
    BufReader::new(File::open(path)?).read_line(&mut line)?;
    #[blocking]
    File::open(path)?.read_to_string(&mut line)?;
    std::fs::remove_file(path)?;
    #[blocking]
    let log = File::create_new(path)?;
    drop(log);
    std::fs::remove_file(path)
}

/// What seldom waits may go without a mark.
#[stoppable(strict)]
fn quiet(path: &str) -> io::Result<()> {
    #[blocking]
    std::thread::sleep(std::time::Duration::ZERO);
    let log = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    log.sync_all()?;
    std::fs::remove_file(path)
}

fn main() -> io::Result<()> {
    let path = std::env::temp_dir().join(format!("stop-ui-files-{}", std::process::id()));
    let path = path.to_str().unwrap();
    opened(path, true)?;
    quiet(path)
}
