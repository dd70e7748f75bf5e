//! The processes that a test has started, and theirs. proc(5).

use std::fs;

/// The process's children, theirs and so on, parents first; not itself.
#[must_use]
pub fn descendants(process: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = all().collect();
    let mut found = vec![process];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(parents.iter().filter(|(_, of)| *of == parent).map(|(child, _)| *child));
        next += 1;
    }
    found.split_off(1)
}

/// Each process and its parent.
fn all() -> impl Iterator<Item = (u32, u32)> {
    fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
        let process = entry.file_name().to_str()?.parse().ok()?;
        let status = fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name, in parentheses, may hold anything; then state and parent.
        let parent = status.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
        Some((process, parent))
    })
}

/// Kills a process that this one has started, and all that it has started. Its parent
/// still has to wait for it.
pub fn kill_with_descendants(process: u32) {
    let below = descendants(process);
    // From the top, so that no parent makes good for a child.
    for one in [process].into_iter().chain(below) {
        // SAFETY: two integers; the processes are ours.
        #[allow(unsafe_code)]
        unsafe {
            libc::kill(one.cast_signed(), libc::SIGKILL)
        };
    }
}
