//! What the benches share: rounds that are interleaved, the machine they ran
//! on, and a table that is printed and kept for `--bench page`.
//!
//! Figures of different runs are never put side by side: these machines are
//! shared and noisy, and only ratios within a run mean something.

#![allow(dead_code, reason = "each bench uses its part")]
#![allow(unsafe_code)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs, io};

/// Whether this is not `cargo bench`: `cargo test --benches` wants no figures.
pub(crate) fn is_test() -> bool {
    !env::args().any(|argument| argument == "--bench")
}

/// Where the tables are kept.
pub(crate) fn kept() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("figures")
}

/// The spread of one column's rounds: quartiles and extremes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Spread {
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Spread> {
        values.sort_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let at = |percent: usize| values[last * percent / 100];
        Some(Spread { low: at(25), median: at(50), high: at(75), p99: at(99), max: values[last] })
    }

    pub(crate) fn of_times(times: &[Duration], unit: f64) -> Option<Spread> {
        Spread::of(times.iter().map(|time| time.as_secs_f64() * unit).collect())
    }
}

/// Runs the columns in turn, round after round, after one that does not count;
/// what each round of each gave. None is a column that this row has not.
pub(crate) fn interleave(
    rounds: usize,
    columns: &mut [Option<&mut dyn FnMut() -> f64>],
) -> Vec<Option<Spread>> {
    let mut values = vec![Vec::with_capacity(rounds); columns.len()];
    for round in 0..=rounds {
        for (column, values) in columns.iter_mut().zip(&mut values) {
            let value = column.as_mut().map(|column| column());
            values.extend(value.filter(|_| round > 0));
        }
    }
    values.into_iter().map(Spread::of).collect()
}

/// Rows of one unit and one set of columns; ratios are to the first.
pub(crate) struct Table {
    name: &'static str,
    kept: String,
    columns: Vec<&'static str>,
}

impl Table {
    /// `name` names the file as well; one with a backend in it if the table is
    /// of one.
    pub(crate) fn new(name: &'static str, unit: &str, columns: &[&'static str]) -> Table {
        println!("\n{name}: {unit}, median, and ratio to the first column");
        print!("{:<34}", "");
        for name in columns {
            print!("{name:>22}");
        }
        println!();
        let kept =
            format!("{name}\t{unit}\t{}\n\t{}\n", stopruntime::backend(), columns.join("\t"));
        Table { name, kept, columns: columns.to_vec() }
    }

    pub(crate) fn row(&mut self, name: &str, spreads: &[Option<Spread>]) {
        assert_eq!(spreads.len(), self.columns.len(), "{name}");
        let first = spreads.first().copied().flatten();
        let mut line = format!("{name:<34}");
        self.kept.push_str(name);
        for spread in spreads {
            let Some(Spread { low, median, high, p99, max }) = *spread else {
                let _ = write!(line, "{:>22}", "-");
                self.kept.push_str("\t-");
                continue;
            };
            let ratio = first.map_or(f64::NAN, |first| median / first.median);
            let _ = write!(line, "{:>22}", format!("{median:.1} ({ratio:.3})"));
            let _ = write!(self.kept, "\t{low} {median} {high} {p99} {max}");
        }
        self.kept.push('\n');
        println!("{line}");
    }

    /// Keeps it for the page.
    pub(crate) fn keep(self) -> io::Result<()> {
        fs::create_dir_all(kept())?;
        let file = format!("{}.{}.tsv", self.name.replace(' ', "-"), stopruntime::backend());
        fs::write(kept().join(file), self.kept)?;
        fs::write(kept().join("machine.txt"), machine())
    }
}

/// The processor, its mitigations, the kernel and the libc.
pub(crate) fn machine() -> String {
    let line = |path: &str, key: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line.split_once(": ").map_or(line, |(_, value)| value).to_owned()
    };
    let count = std::thread::available_parallelism().map_or(0, usize::from);
    let mut text = format!("{} ({count} threads)\n", line("/proc/cpuinfo", "model name"));
    let kernel = line("/proc/sys/kernel/osrelease", "");
    // SAFETY: a static string.
    let libc = unsafe { core::ffi::CStr::from_ptr(gnu_get_libc_version()) };
    let _ = writeln!(text, "Linux {kernel}, glibc {}", libc.to_string_lossy());
    for name in ["retbleed", "spec_rstack_overflow", "spectre_v2", "meltdown"] {
        let path = format!("/sys/devices/system/cpu/vulnerabilities/{name}");
        let state = fs::read_to_string(path).unwrap_or_else(|_| "unknown".into());
        let _ = writeln!(text, "{name}: {}", state.trim());
    }
    text
}

unsafe extern "C" {
    fn gnu_get_libc_version() -> *const core::ffi::c_char;
}

/// Moves the calling thread to this processor. `sched_setaffinity(2)`.
pub(crate) fn pin(cpu: usize) {
    // SAFETY: a set of the kernel's size, of this thread.
    unsafe {
        let mut set: libc::cpu_set_t = core::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        assert_eq!(libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set), 0);
    }
}
