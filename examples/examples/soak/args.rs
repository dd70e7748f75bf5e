//! The command line.

use crate::calls::Way;
use lexopt::prelude::*;
use std::path::PathBuf;
use std::time::Duration;
use stopruntime::Backend;

/// What `--help` prints.
pub(crate) const USAGE: &str = "\
Stops threads at random moments, over and over, in every kind of call and on
every backend, and counts what is lost.

Usage: soak [--minutes N | --seconds N] [option]...

  --minutes N, --seconds N   how long; a minute unless given
  --backend NAME             this backend alone: rseq, handler or ppoll
  --foreign                  plain calls in regions of foreign code instead, which
                             are sent other signals as well
  --foreign-by-timer         the same where a timer ends the regions
  --call TEXT                calls with TEXT in their name alone
  --jobs N                   processes at once; as many as processors unless given
  --against-pthread-cancel   the same stress on pthread_cancel(3) of this
                             machine's libc as well; takes a C compiler (cc)
  --svg FILE                 where to draw the distribution of the latencies;
                             soak.svg unless given
  --help                     print this and exit

Ctrl-C ends it early, with the table. The exit status is 0 if nothing was lost,
1 if anything was (of ours: what pthread_cancel loses is shown, not judged),
2 for an argument that is not understood.";

/// What to soak, and for how long.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) time: Duration,
    pub(crate) backend: Option<Backend>,
    pub(crate) call: Option<String>,
    pub(crate) jobs: usize,
    pub(crate) against: bool,
    /// Plain calls in regions of foreign code, and what ends them.
    pub(crate) foreign: Option<Way>,
    pub(crate) svg: PathBuf,
    /// Set in the processes that the soak starts: it is one bout.
    pub(crate) bout: bool,
}

/// The options, or nothing where only help is asked for.
pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options {
        time: Duration::from_secs(60),
        backend: None,
        call: None,
        jobs: std::thread::available_parallelism().map_or(1, usize::from),
        against: false,
        foreign: None,
        svg: "soak.svg".into(),
        bout: false,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("minutes") => options.time = time(parser.value()?.parse::<f64>()? * 60.0)?,
            Long("seconds") => options.time = time(parser.value()?.parse()?)?,
            Long("backend") => options.backend = Some(backend(&parser.value()?.string()?)?),
            Long("call") => options.call = Some(parser.value()?.string()?),
            Long("jobs") => options.jobs = parser.value()?.parse::<usize>()?.max(1),
            Long("foreign") => options.foreign = Some(Way::Chosen),
            Long("foreign-by-timer") => options.foreign = Some(Way::Timer),
            Long("against-pthread-cancel") => options.against = true,
            Long("svg") => options.svg = parser.value()?.into(),
            Long("bout") => options.bout = true,
            Short('h') | Long("help") => return Ok(None),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Some(options))
}

fn time(seconds: f64) -> Result<Duration, lexopt::Error> {
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string().into())
}

fn backend(name: &str) -> Result<Backend, lexopt::Error> {
    BACKENDS
        .into_iter()
        .find(|backend| backend.name() == name)
        .ok_or_else(|| format!("there is no backend {name:?}: rseq, handler or ppoll").into())
}

pub(crate) const BACKENDS: [Backend; 3] = [Backend::Rseq, Backend::Handler, Backend::Ppoll];
