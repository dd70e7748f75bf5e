//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
Serves the files of a directory over HTTP/1.1.

Usage: httpd [--listen ADDR] [--limit SECONDS] [--verbose] DIRECTORY

  --listen ADDR    accept connections at ADDR; 127.0.0.1:8080 unless it is given.
                   Port 0 takes a free port; the address is printed
  --limit SECONDS  how long an answer may go on after Ctrl-C; 10 unless it is given
  --verbose        say each request on standard error
  --help           print this and exit

Ctrl-C or SIGTERM ends it: answers that have begun are finished.";

/// What to serve, and where.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) listen: String,
    pub(crate) limit: Duration,
    pub(crate) verbose: bool,
    pub(crate) directory: PathBuf,
}

/// The options, or nothing where only help is asked for.
pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Option<Options>, lexopt::Error> {
    let (mut listen, mut limit, mut verbose) = ("127.0.0.1:8080".to_owned(), 10.0, false);
    let mut directory = None;
    while let Some(argument) = parser.next()? {
        match argument {
            Long("listen") => listen = parser.value()?.string()?,
            Long("limit") => limit = parser.value()?.parse()?,
            Short('v') | Long("verbose") => verbose = true,
            Short('h') | Long("help") => return Ok(None),
            Value(path) if directory.is_none() => directory = Some(path.into()),
            other => return Err(other.unexpected()),
        }
    }
    let directory = directory.ok_or("DIRECTORY is missing")?;
    let limit = Duration::try_from_secs_f64(limit).map_err(|_| "--limit: no such time")?;
    Ok(Some(Options { listen, limit, verbose, directory }))
}
