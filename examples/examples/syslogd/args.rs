//! The command line.

use std::path::PathBuf;

use lexopt::prelude::*;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
Collects syslog messages (RFC 3164 and RFC 5424) into one file.

Usage: syslogd [--udp ADDR]... [--tcp ADDR]... [--unix PATH]... --output FILE

  --udp ADDR      receive datagrams at ADDR, such as 127.0.0.1:5514 or [::]:514
  --tcp ADDR      accept connections at ADDR; messages end with a newline or
                  begin with their length (RFC 6587)
  --unix PATH     receive datagrams at PATH
  --output FILE   append to FILE, one message a line
  --help          print this and exit

Port 0 takes a free port. The addresses in use are printed at the start, the
counts at the end. Without any address: --udp 127.0.0.1:5514 --tcp 127.0.0.1:5514.

Ctrl-C or SIGTERM ends it: what has arrived by then is written. SIGHUP makes it
open FILE anew, SIGUSR2 say what its threads do.";

const DEFAULT: &str = "127.0.0.1:5514";

/// What to listen on and where to write.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) udp: Vec<String>,
    pub(crate) tcp: Vec<String>,
    pub(crate) unix: Vec<PathBuf>,
    pub(crate) output: PathBuf,
}

/// The options, or nothing where only help is asked for.
pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options::default();
    let mut output = None;
    while let Some(argument) = parser.next()? {
        match argument {
            Long("udp") => options.udp.push(parser.value()?.string()?),
            Long("tcp") => options.tcp.push(parser.value()?.string()?),
            Long("unix") => options.unix.push(parser.value()?.into()),
            Short('o') | Long("output") => output = Some(parser.value()?.into()),
            Short('h') | Long("help") => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    options.output = output.ok_or("--output FILE is missing")?;
    if options.udp.is_empty() && options.tcp.is_empty() && options.unix.is_empty() {
        options.udp.push(DEFAULT.to_owned());
        options.tcp.push(DEFAULT.to_owned());
    }
    Ok(Some(options))
}
