//! Serves the files of a directory over HTTP/1.1.
//!
//! ```text
//! cargo run --example httpd -- --listen 127.0.0.1:8080 docs
//! curl http://127.0.0.1:8080/guide.md
//! ```
//!
//! A thread for each connection, which blocks. At Ctrl-C or SIGTERM a connection that waits
//! for a request is closed, and one that answers finishes its answer, within a limit. The
//! marks are in `listen.rs` and `connection.rs`.

mod args;
mod connection;
mod files;
mod listen;
mod request;
mod response;

use std::process::ExitCode;
use std::time::Duration;

use stopruntime::shutdown::Shutdown;

fn main() -> ExitCode {
    let options = match args::parse(lexopt::Parser::from_env()) {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{}", args::USAGE);
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("httpd: {error}\nTry 'httpd --help'.");
            return ExitCode::from(2);
        }
    };
    // With time to spare after the limit of the answers: what has not ended then never will.
    let limit = options.limit.saturating_add(Duration::from_secs(10));
    Shutdown::new().within(limit).run(|_| listen::serve(&options))
}
