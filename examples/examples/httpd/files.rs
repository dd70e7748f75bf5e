//! The files that are served, and nothing outside of their directory.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

/// A directory.
#[derive(Debug)]
pub(crate) struct Files {
    /// Without symbolic links and `..` in it.
    root: PathBuf,
}

/// What there is at a path.
pub(crate) enum Found {
    File(File, u64, &'static str),
    /// A directory, whose name needs a slash.
    Directory,
    Nothing,
}

impl Files {
    pub(crate) fn new(directory: &Path) -> io::Result<Files> {
        let root = directory.canonicalize()?;
        if root.is_dir() { Ok(Files { root }) } else { Err(ErrorKind::NotADirectory.into()) }
    }

    /// Looks up the decoded path of a request. What cannot be read is not there.
    pub(crate) fn find(&self, path: &[u8]) -> Found {
        let is_directory = path.ends_with(b"/");
        let relative = Path::new(OsStr::from_bytes(path));
        // `..` is refused before the file system sees it.
        let allowed =
            |it| matches!(it, Component::RootDir | Component::Normal(_) | Component::CurDir);
        if !relative.components().all(allowed) {
            return Found::Nothing;
        }
        let mut full = self.root.clone();
        full.extend(relative.components().filter(|it| matches!(it, Component::Normal(_))));
        if is_directory {
            full.push("index.html");
        }
        self.open(&full).unwrap_or(Found::Nothing)
    }

    fn open(&self, path: &Path) -> io::Result<Found> {
        // A symbolic link may lead to another place inside, and to none outside.
        let real = path.canonicalize()?;
        if !real.starts_with(&self.root) {
            return Ok(Found::Nothing);
        }
        // Not followed, if the name has become a link since; a FIFO does not block.
        let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(&real)?;
        let found = file.metadata()?;
        Ok(if found.is_dir() {
            Found::Directory
        } else if found.is_file() {
            Found::File(file, found.len(), kind(&real))
        } else {
            Found::Nothing
        })
    }
}

/// The type of its contents, by its name.
fn kind(path: &Path) -> &'static str {
    match path.extension().and_then(OsStr::to_str) {
        Some("html" | "htm") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("md" | "rs" | "toml" | "txt") => "text/plain; charset=utf-8",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
