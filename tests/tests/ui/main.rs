//! What the attribute accepts, and every message it gives, to the letter; what
//! rustc says around them on the release that it is written down from.
//!
//! `STOP_TESTS_BLESS=1` writes it down, in the files where it differs.
//!
//! Why not trybuild: it compares all of rustc's words, so the 37 cases of `type_*`,
//! where rustc speaks around texts of ours, could be tested on the release that wrote
//! them down alone, with its sources installed. Here our texts and their places are
//! tested on every release. With 130 cases and 15 programs trybuild took 16 s of
//! processor time, 38 s the first time (it builds the dependencies again, 266 MB), and
//! this takes 8 s and builds nothing. It costs 200 lines instead of 45. `ui_test`, whose
//! annotations could say ours alone, brings 79 crates.

mod editor;
mod pages;
mod said;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use stop_tests::compiler::{Compiler, each, root, text};
use stop_tests::not_tested;

/// The release of rustc whose words stand in `ui/fail`: others are asked for ours.
const RECORDED: &str = "1.95.";

/// Where rustc writes.
fn out() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("ui")
}

/// The sources of a directory of the workspace.
fn sources(directory: &str) -> Vec<PathBuf> {
    let from = root();
    let entries = fs::read_dir(from.join(directory)).expect("a directory");
    let names = entries.map(|entry| entry.expect("an entry").path());
    let mut all: Vec<PathBuf> = names
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| path.strip_prefix(&from).expect("in the workspace").to_owned())
        .collect();
    all.sort();
    assert!(all.len() > 10, "{directory} has {} sources", all.len());
    all
}

#[test]
fn what_is_right_compiles_and_runs() {
    let compiler = Compiler::new(&["stopruntime", "libc"], out());
    each(&sources("tests/ui/pass"), |source| {
        let program = compiler.build(source).unwrap_or_else(|said| panic!("{said}"));
        let output = Command::new(program).output().expect("the program starts");
        assert!(output.status.success(), "{}: {}", source.display(), text(&output.stderr));
    });
}

#[test]
fn what_is_right_compiles_in_every_edition() {
    for edition in ["2015", "2018", "2021", "2024"] {
        let compiler = Compiler::new(&["stopruntime", "libc"], out().join(edition));
        let compiler = compiler.of_edition(edition);
        let output = compiler.check("tests/ui/editions/any.rs".as_ref());
        assert!(output.status.success(), "{edition}: {}", text(&output.stderr));
    }
}

#[test]
fn what_is_wrong_is_said() {
    let compiler = Compiler::new(&["stopruntime", "libc"], out());
    let release = compiler.release();
    let mut files = Vec::new();
    pages::sources(&root().join("stopruntime/src"), &mut files);
    let files: Vec<String> =
        files.iter().map(|file| fs::read_to_string(file).expect("a source")).collect();
    let own: Vec<Vec<&str>> = files.iter().flat_map(|file| said::own(file)).collect();
    assert!(own.len() > 50, "the runtime has {} texts", own.len());
    let wrong = Mutex::new(Vec::new());
    each(&sources("tests/ui/fail"), |source| {
        let output = compiler.check(source);
        let name = source.display();
        assert!(!output.status.success(), "{name} compiles");
        let said = said::stored(&text(&output.stderr));
        let file = root().join(source.with_extension("stderr"));
        let mut expected = said::compared(&fs::read_to_string(&file).unwrap_or_default());
        let compared = said::compared(&said);
        if compared != expected && std::env::var_os("STOP_TESTS_BLESS").is_some() {
            fs::write(&file, &said).expect("the file can be written");
            expected.clone_from(&compared);
        }
        let same = said::essence(&compared, &own) == said::essence(&expected, &own);
        if compared == expected {
        } else if same && !release.starts_with(RECORDED) {
            not_tested(
                &name.to_string(),
                format_args!("rustc {release} has other words around ours"),
            );
        } else {
            wrong.lock().unwrap().push(format!("{name}: rustc {release} says\n{said}"));
        }
    });
    let wrong = wrong.into_inner().expect("no panic");
    assert!(wrong.is_empty(), "{}\n{} differ", wrong.join("\n"), wrong.len());
}
