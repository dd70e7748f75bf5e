//! Queries of `SQLite` that a stop interrupts, by what `SQLite` itself offers for that; the
//! connection goes on with the next.
//!
//! `cargo run -p stop-examples --features sqlite --example sqlite`

use rusqlite::Connection;
use std::error::Error;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;
use stopruntime::{Stopper, check, within};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Runs a query of a number. If the calling code is stopped meanwhile, interrupts it.
fn query(connection: &Connection, sql: &str) -> Result<i64> {
    let interrupt = connection.get_interrupt_handle();
    let (running, returned) = channel::<()>();
    let caller = thread::current().id();
    let interrupts = move || {
        if thread::current().id() == caller {
            return; // Stopped already: the query is not made.
        }
        // `interrupt` does nothing while no query runs, and this one may be about to begin.
        while returned.recv_timeout(Duration::from_millis(1)) == Err(RecvTimeoutError::Timeout) {
            interrupt.interrupt();
        }
    };
    let result = Stopper::current().with_on_stop(interrupts, || {
        let _running = running; // until this returns
        check().map(|()| connection.query_row(sql, [], |row| row.get(0)))
    })?;
    if result.is_err() {
        check()?; // The stop, and not what SQLite says of it.
    }
    Ok(result?)
}

/// Counts for ever.
const ENDLESS: &str =
    "WITH RECURSIVE number(one) AS (SELECT 1 UNION ALL SELECT one + 1 FROM number)
     SELECT count(*) FROM number";

fn main() -> Result<()> {
    let connection = Connection::open_in_memory()?;

    // A job, stopped by another thread.
    let job = Stopper::new();
    let result = thread::scope(|scope| {
        scope.spawn(|| job.request_stop());
        job.run(|| query(&connection, ENDLESS))
    });
    println!("stopped: {}", result.unwrap_err());
    println!("the next one: {}", query(&connection, "SELECT 6 * 7")?);

    // The same with a time limit.
    let limit = Duration::from_millis(20);
    println!("limited: {}", within(limit, || query(&connection, ENDLESS)).unwrap_err());
    println!("the next one: {}", query(&connection, "SELECT 6 * 7")?);
    Ok(())
}
