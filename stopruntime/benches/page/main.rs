//! Writes `docs/measurements.md` and its drawings from what the other benches
//! have kept: `cargo bench -p stopruntime --bench page`.
//!
//! Nothing on that page is typed by hand. `stopruntime/benches/measure` runs
//! all of them and then this.

#![allow(unsafe_code, missing_docs)]

mod bars;
#[path = "../table/mod.rs"]
mod table;

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};
use table::{Spread, is_test, kept};

/// A table as a bench has kept it.
struct Kept {
    file: String,
    name: String,
    unit: String,
    backend: String,
    columns: Vec<String>,
    rows: Vec<(String, Vec<Option<Spread>>)>,
}

fn main() -> io::Result<()> {
    if is_test() {
        return Ok(());
    }
    let tables = read()?;
    if tables.is_empty() {
        return Err(io::Error::other("no bench has kept a table: run stopruntime/benches/measure"));
    }
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    fs::create_dir_all(&docs)?;
    let mut page = String::from(
        "# Measurements\n\n\
         Written by `sh stopruntime/benches/measure`, which runs the benches of these\n\
         tables; nothing here is typed by hand. The columns of a row were interleaved in one process, and only\n\
         ratios within a row mean something: median (ratio to the first column), and below\n\
         it the quartiles, the 99th percentile and the maximum of the rounds.\n\n```text\n",
    );
    page.push_str(&fs::read_to_string(kept().join("machine.txt"))?);
    page.push_str("```\n");
    for table in &tables {
        fs::write(docs.join(format!("{}.svg", table.file)), bars::draw(table))?;
        write_table(&mut page, table);
    }
    fs::write(docs.join("measurements.md"), page)?;
    println!("{} tables: {}", tables.len(), docs.join("measurements.md").display());
    Ok(())
}

fn read() -> io::Result<Vec<Kept>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(kept())? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "tsv") {
            paths.push(path);
        }
    }
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let file = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            parse(file, &fs::read_to_string(path)?)
                .ok_or_else(|| io::Error::other(format!("{} is no table", path.display())))
        })
        .collect()
}

fn parse(file: String, text: &str) -> Option<Kept> {
    let mut lines = text.lines();
    let mut head = lines.next()?.split('\t').map(str::to_owned);
    let (name, unit, backend) = (head.next()?, head.next()?, head.next()?);
    let columns = lines.next()?.split('\t').skip(1).map(str::to_owned).collect();
    let rows = lines
        .map(|line| {
            let mut cells = line.split('\t');
            let name = cells.next()?.to_owned();
            Some((name, cells.map(spread).collect()))
        })
        .collect::<Option<_>>()?;
    Some(Kept { file, name, unit, backend, columns, rows })
}

fn spread(cell: &str) -> Option<Spread> {
    let mut values = cell.split(' ').map(str::parse::<f64>);
    let mut next = || values.next()?.ok();
    Some(Spread { low: next()?, median: next()?, high: next()?, p99: next()?, max: next()? })
}

fn write_table(page: &mut String, table: &Kept) {
    let Kept { file, name, unit, backend, columns, rows } = table;
    let _ = write!(page, "\n## {name} ({backend})\n\n{unit}\n\n| |");
    for column in columns {
        let _ = write!(page, " {column} |");
    }
    let _ = writeln!(page, "\n|---|{}", "---|".repeat(columns.len()));
    for (name, spreads) in rows {
        let first = spreads.first().copied().flatten();
        let _ = write!(page, "| {name} |");
        for spread in spreads {
            let Some(Spread { low, median, high, p99, max }) = *spread else {
                page.push_str(" |");
                continue;
            };
            let _ = write!(page, " **{}**", number(median));
            if let Some(first) = first {
                let _ = write!(page, " ({:.2})", median / first.median);
            }
            let [low, high, p99, max] = [low, high, p99, max].map(number);
            let _ = write!(page, "<br>{low}–{high}, {p99}, {max} |");
        }
        page.push('\n');
    }
    let _ = writeln!(page, "\n![{name}, {backend}]({file}.svg)");
}

/// Three digits that count.
fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}
