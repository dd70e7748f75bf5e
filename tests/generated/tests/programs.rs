//! Generated programs: the expansion compiles; without a stop each does what it
//! does without its attributes; with one it ends.
//!
//! `STOP_TESTS_PROGRAMS` is how many are written, `STOP_TESTS_SEED` which;
//! without it a few, and some more with `STOP_TESTS=all`.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{SystemTime, UNIX_EPOCH};
use stop_generated::{Dialect, block, function};
use stop_tests::compiler::Compiler;

const HEAD: &str = include_str!("head.in");

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn programs(seed: u64, count: u64) -> String {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let (mut text, mut table) = (HEAD.to_owned(), String::new());
    for at in 0..count {
        let body = block().new_tree(&mut runner).expect("no filters to exhaust").current();
        text += &function(&format!("marked_{at}"), &body, Dialect::Marked);
        text += &function(&format!("plain_{at}"), &body, Dialect::Plain);
        let _ = writeln!(table, "    (marked_{at}, plain_{at}),");
    }
    let _ = writeln!(text, "static PROGRAMS: &[(Program, Program)] = &[\n{table}];");
    text
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn generated_programs_compile_and_do_the_same() {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let seed = number("STOP_TESTS_SEED", clock.as_secs());
    let all = std::env::var("STOP_TESTS").is_ok_and(|which| which == "all");
    let count = number("STOP_TESTS_PROGRAMS", if all { 60 } else { 12 });
    println!("STOP_TESTS_SEED={seed}");

    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("generated");
    fs::create_dir_all(&directory).unwrap();
    let source = directory.join("programs.rs");
    fs::write(&source, programs(seed, count)).unwrap();
    let built = Compiler::new(&["stopruntime"], directory).build(&source);
    let program = built.unwrap_or_else(|said| panic!("seed {seed}: {said}"));

    let forced = std::env::var("STOPRUNTIME_BACKEND").ok();
    let every = stop_tests::BACKENDS.into_iter();
    for backend in every.filter(|one| forced.as_deref().is_none_or(|name| name == *one)) {
        let ran = Command::new(&program).env("STOPRUNTIME_BACKEND", backend).output().unwrap();
        assert!(ran.status.success(), "seed {seed}, {backend}: {}", text(&ran));
        let done = format!("{count} programs did the same and ended when stopped\n");
        assert_eq!(text(&ran), done, "seed {seed}, {backend}");
    }
}
