//! The table: which call has which stop-checked variant, and what its name tells.
//!
//! Data only. The macro sees names, not types: a marked call whose name is here
//! becomes a call of the same name with `_or_stop`; rustc then finds out, through
//! the extension trait of that row, whether the type can be stopped. A new call is
//! one new line.

pub(crate) mod functions;
pub(crate) mod hints;
pub(crate) mod libc;
pub(crate) mod methods;

/// A method: its name, the number of its arguments besides the receiver, and the
/// traits in `stopruntime::expansion` that have the variant.
///
/// The count keeps namesakes apart: `handle.join()` waits, `path.join("x")` does not.
pub(crate) type Method = (&'static str, usize, Traits);

/// The traits to import for a method. More than one where std has the name both
/// in a trait and on a type (`BufRead::read_line`, `Stdin::read_line`).
pub(crate) type Traits = &'static [&'static str];

/// A free function of std: the module it is named through, its name, and the number
/// of its arguments. Its variant is in `stopruntime::expansion`.
pub(crate) type Function = (&'static str, &'static str, usize);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::functions::FUNCTIONS;
    use super::libc::LIBC;
    use super::methods::{ASSOCIATED, HEADS, ITERATORS, METHODS, OF_FILE};

    /// The text of all files in a directory of the runtime, and below.
    fn source(directory: &str) -> String {
        let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stopruntime/src");
        text(&runtime.join(directory))
    }

    fn text(path: &Path) -> String {
        if path.is_file() {
            return fs::read_to_string(path).unwrap();
        }
        fs::read_dir(path).unwrap().map(|entry| text(&entry.unwrap().path())).collect()
    }

    /// A row that the runtime does not answer would be an error at the user's call.
    #[test]
    fn the_runtime_has_every_row() {
        let (expansion, ext) =
            (source("expansion"), ["ext", "sync", "thread", "uring"].map(source).concat());
        for row in [METHODS, ITERATORS, ASSOCIATED, OF_FILE].into_iter().flatten() {
            assert!(ext.contains(&format!("fn {}_or_stop", row.0)), "{}", row.0);
            for name in row.2 {
                assert!(expansion.contains(name), "{name}");
            }
        }
        for (_, name, _) in FUNCTIONS {
            assert!(expansion.contains(&format!("{name}_or_stop")), "{name}");
        }
        let sys = source("sys");
        for (name, _) in LIBC {
            assert!(sys.contains(&format!("{name}_or_stop")), "{name}");
        }
    }

    /// And no other; those of libc are on the page of `sys`.
    #[test]
    fn the_attributes_page_has_every_name() {
        let page = include_str!("../lib.rs");
        let (_, table) = page.split_once("/// | calls of | names |\n").unwrap();
        let lines = table.lines().take_while(|line| line.starts_with("/// |"));
        let shown: BTreeSet<String> =
            lines.flat_map(|line| line.split('`').skip(1).step_by(2)).map(str::to_owned).collect();
        let methods = [METHODS, ITERATORS, HEADS, ASSOCIATED, OF_FILE].into_iter().flatten();
        let functions = FUNCTIONS.iter().map(|(module, name, _)| format!("{module}::{name}"));
        let known = methods.map(|row| row.0.to_owned()).chain(functions).collect();
        assert_eq!(shown, known);
    }
}
