//! What scopes cost: `cargo bench -p stopruntime --bench scopes`; a word of
//! `opening`, `calls`, `renewing`, `late`, `together` behind `--` measures that part alone.
//!
//! Each row is beside what others offer for the same thing, interleaved in one run. What
//! has to be installed (Go, a C++20 compiler) is NOT MEASURED where it is not. Goals are
//! printed behind their rows.

#![allow(unsafe_code, missing_docs)]
#![allow(clippy::cast_precision_loss)]

#[path = "../child/mod.rs"]
mod child;
#[path = "../table/mod.rs"]
mod table;

mod calls;
mod late;
mod opening;
mod outside;
mod renewing;
mod together;

use std::io;

/// Its name, and what measures it.
type Part = (&'static str, fn() -> io::Result<()>);

fn main() -> io::Result<()> {
    if table::is_test() {
        return Ok(());
    }
    print!("{}", table::machine());
    child::of_each_backend(|| {
        let parts: [Part; 5] = [
            ("opening", opening::bench),
            ("calls", calls::bench),
            ("renewing", renewing::bench),
            ("late", late::bench),
            ("together", together::bench),
        ];
        let asked: Vec<_> = std::env::args().collect();
        let is_asked = |name: &str| asked.iter().any(|one| one == name);
        let any = parts.iter().any(|(name, _)| is_asked(name));
        parts.iter().filter(|(name, _)| !any || is_asked(name)).try_for_each(|(_, part)| part())
    })
}

/// Prints whether a goal is met.
fn goal(what: &str, value: f64, limit: f64) {
    let verdict = if value <= limit { "met" } else { "NOT MET" };
    println!("    {what}: {value:.2}, at most {limit}: {verdict}");
}
