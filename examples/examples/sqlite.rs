//! Queries of `SQLite` that a stop interrupts, by what `SQLite` itself offers for that; the
//! connection goes on with the next.
//!
//! `cargo run -p stop-examples --features sqlite --example sqlite`

use rusqlite::{Connection, InterruptHandle};
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};
use std::time::Duration;
use stopruntime::{Stopper, stoppable, within};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Runs a query of a number.
#[stoppable]
fn query(connection: &Connection, sql: &str) -> Result<i64> {
    let query = Query::of(connection);
    #[blocking(unblock = query.interrupt())]
    let number = query.run(|| connection.query_row(sql, [], |row| row.get(0)))?;
    Ok(number)
}

/// `SQLite`'s `interrupt` does nothing while no query runs, and a stop may come when this one
/// is only about to begin: so it is repeated until the query has returned.
struct Query {
    handle: InterruptHandle,
    thread: ThreadId,
    has_returned: AtomicBool,
}

impl Query {
    fn of(connection: &Connection) -> Query {
        let handle = connection.get_interrupt_handle();
        Query { handle, thread: thread::current().id(), has_returned: AtomicBool::new(false) }
    }

    fn run<T>(&self, query: impl FnOnce() -> T) -> T {
        let result = query();
        self.has_returned.store(true, Ordering::Release);
        result
    }

    /// On another thread; on its own if the stop is there already: the query is not made then.
    fn interrupt(&self) {
        while thread::current().id() != self.thread && !self.has_returned.load(Ordering::Acquire) {
            self.handle.interrupt();
            thread::sleep(Duration::from_millis(1));
        }
    }
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
