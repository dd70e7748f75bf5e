//! Accepting connections, and the end of them all.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use stopruntime::thread::{Builder, Group};
use stopruntime::{Stopper, stoppable};

use crate::args::Options;
use crate::connection::{self, Server};
use crate::files::Files;

/// How long to wait for a descriptor or for memory to become free.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until the scope in which it runs is stopped.
#[stoppable]
pub(crate) fn serve(options: &Options) -> io::Result<()> {
    let about =
        |what: &str, error: io::Error| io::Error::new(error.kind(), format!("{what}: {error}"));
    let directory = options.directory.display().to_string();
    let files = Files::new(&options.directory).map_err(|error| about(&directory, error))?;
    let listener =
        TcpListener::bind(&options.listen).map_err(|error| about(&options.listen, error))?;
    println!("listening on {}", listener.local_addr()?);

    // Answers run under a scope of their own, which is stopped that much later.
    let answers = Stopper::new();
    let (limit, late) = (options.limit, answers.clone());
    let _on_stop = Stopper::current().on_stop(move || {
        late.request_stop_at(Instant::now() + limit);
    });
    let server = Arc::new(Server { files, answers, verbose: options.verbose });
    let mut connections = Group::under(&Stopper::current());
    loop {
        #[blocking]
        let accepted = listener.accept();
        // Of the connection, or there is no descriptor or memory for it now.
        let Ok((stream, peer)) = accepted else {
            #[blocking]
            thread::sleep(PAUSE);
            continue;
        };
        let server = server.clone();
        let builder = Builder::new().name(peer.to_string());
        let started = connections.spawn_with(builder, move || {
            if let Err(error) = connection::serve(&stream, &server)
                && server.verbose
            {
                eprintln!("httpd: {peer}: {error}");
            }
        });
        if let Err(error) = started {
            eprintln!("httpd: {peer}: {error}");
        }
        connections.join_ended();
    }
    // No further connection is let in, and these end.
    drop(listener);
    connections.join_all();
    Ok(())
}
