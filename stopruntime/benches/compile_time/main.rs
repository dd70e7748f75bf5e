//! What it costs to depend on this crate:
//! `cargo bench -p stopruntime --bench compile_time`.
//!
//! Clean builds of a small crate that uses it, with and without the attribute,
//! against one that uses `tracing`, whose attribute is as common as they come;
//! and checks of a long function with and without the attribute. Wall time is
//! what a user waits, processor time what other work on the machine changes
//! least.

#![allow(unsafe_code, missing_docs)]

#[path = "../table/mod.rs"]
mod table;

mod project;
mod source;

use project::{Cost, Project};
use std::io;
use table::{Spread, Table};

/// Clean builds of each.
const BUILDS: usize = 3;
const CHECKS: usize = 5;

fn main() -> io::Result<()> {
    if table::is_test() {
        return Ok(());
    }
    print!("{}", table::machine());
    clean_builds()?;
    long_function()
}

fn clean_builds() -> io::Result<()> {
    let (stopruntime, tracing) = (env!("CARGO_MANIFEST_DIR"), "tracing = { version = \"0.1\"");
    let dependencies = [
        format!("{tracing}, default-features = false }}"),
        format!("stopruntime = {{ path = {stopruntime:?}, default-features = false }}"),
        format!("{tracing}, default-features = false, features = [\"attributes\"] }}"),
        format!("stopruntime = {{ path = {stopruntime:?} }}"),
    ];
    let projects = [
        Project::new("tracing without its attribute", &dependencies[0], source::TRACING)?,
        Project::new(
            "stopruntime without its attribute",
            &dependencies[1],
            source::WITHOUT_MACROS,
        )?,
        Project::new("tracing", &dependencies[2], source::TRACING_ATTRIBUTES)?,
        Project::new("stopruntime", &dependencies[3], source::WITH_MACROS)?,
    ];
    let usable = projects.each_ref().map(Project::resolve);
    let mut rows = Vec::new();
    for profile in ["dev", "release"] {
        let mut costs = projects.each_ref().map(|_| Vec::new());
        for _ in 0..BUILDS {
            for ((project, costs), usable) in projects.iter().zip(&mut costs).zip(usable) {
                if usable {
                    costs.push(project.clean_build(profile)?);
                }
            }
        }
        rows.push((profile, costs));
    }
    keep_builds("compile time", "seconds of a clean build, 2 jobs", &rows, |cost| cost.wall)?;
    keep_builds("compile time CPU", "processor seconds of a clean build", &rows, |cost| cost.cpu)
}

/// What each profile's projects cost: without the attribute, and with it; of
/// `tracing`, and of this crate.
type Builds = (&'static str, [Vec<Cost>; 4]);

fn keep_builds(
    name: &'static str,
    unit: &str,
    rows: &[Builds],
    figure: impl Fn(&Cost) -> f64 + Copy,
) -> io::Result<()> {
    let mut table = Table::new(name, unit, &["tracing", "stopruntime"]);
    for (profile, costs) in rows {
        let [without, with] = [[&costs[0], &costs[1]], [&costs[2], &costs[3]]];
        let spread = |costs: &Vec<Cost>| Spread::of(costs.iter().map(figure).collect());
        table.row(&format!("{profile}, without the attribute"), &without.map(spread));
        table.row(&format!("{profile}, with it"), &with.map(spread));
        // Round by round: of the same time on the same machine.
        let adds = [0, 1].map(|column| {
            let pairs = with[column].iter().zip(without[column]);
            Spread::of(pairs.map(|(with, without)| figure(with) - figure(without)).collect())
        });
        table.row(&format!("{profile}, what it adds"), &adds);
    }
    table.keep()
}

fn long_function() -> io::Result<()> {
    let dependency = format!("stopruntime = {{ path = {:?} }}", env!("CARGO_MANIFEST_DIR"));
    let project = |name, marks| Project::new(name, &dependency, &source::long(marks));
    let projects = [
        project("no attribute", None)?,
        project("1 mark", Some(1))?,
        project("20 marks", Some(20))?,
        project("200 marks", Some(200))?,
    ];
    let mut costs = projects.each_ref().map(|_| Vec::new());
    for project in &projects {
        if !project.resolve() {
            return Ok(());
        }
        project.check()?;
    }
    for _ in 0..CHECKS {
        for (project, costs) in projects.iter().zip(&mut costs) {
            costs.push(project.check()?);
        }
    }
    let columns = projects.each_ref().map(|project| project.name);
    let mut table = Table::new("expansion time", "ms to check a function of 2,000 lines", &columns);
    for (row, figure) in [
        ("wall", (|cost| cost.wall * 1e3) as fn(&Cost) -> f64),
        ("processor", |cost| cost.cpu * 1e3),
    ] {
        let spread = |costs: &Vec<Cost>| Spread::of(costs.iter().map(figure).collect());
        table.row(row, &costs.each_ref().map(spread));
    }
    table.keep()
}
