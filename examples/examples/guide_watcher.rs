//! A thread that watches a directory (`inotify(7)`) and ends when it is stopped. The
//! runtime knows nothing of inotify: the mark waits, stop-checked, until the descriptor
//! is readable, and then makes the call unchanged.
//!
//! `cargo run --example guide_watcher`

use rustix::fs::inotify::{self, CreateFlags, Event, Reader, WatchFlags};
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::path::Path;
use std::sync::mpsc;
use stopruntime::{stoppable, thread};

/// Sends the name of each file that has been written and closed.
#[stoppable]
fn watch(directory: &Path, names: &mpsc::Sender<String>) -> io::Result<()> {
    let inotify = inotify::init(CreateFlags::CLOEXEC)?;
    inotify::add_watch(&inotify, directory, WatchFlags::CLOSE_WRITE)?;
    // The watch is there: main may write now.
    names.send(".".into()).expect("main receives");
    let mut buffer = [MaybeUninit::uninit(); 4096];
    let mut events = Reader::new(&inotify, &mut buffer);
    let tell = |event: Event<'_>| {
        if let Some(name) = event.file_name() {
            names.send(name.to_string_lossy().into_owned()).expect("main receives");
        }
    };
    loop {
        #[blocking(readable = &inotify)]
        let event = events.next()?;
        tell(event);
        // One read may have brought several: these do not wait.
        while !events.is_buffer_empty() {
            tell(events.next()?);
        }
    }
    println!("the watch is over");
    Ok(())
}

fn main() -> io::Result<()> {
    let directory = std::env::temp_dir().join(format!("guide-watcher-{}", std::process::id()));
    fs::create_dir(&directory)?;
    let (sender, names) = mpsc::channel();
    let path = directory.clone();
    let watcher = thread::spawn(move || watch(&path, &sender));
    assert_eq!(names.recv().expect("the watch begins"), ".");
    for name in ["first", "second", "third"] {
        fs::write(directory.join(name), name)?;
    }
    for name in names.iter().take(3) {
        println!("written: {name}");
    }
    let ended = watcher.stop_and_join().expect("no panic");
    fs::remove_dir_all(directory)?;
    ended
}
