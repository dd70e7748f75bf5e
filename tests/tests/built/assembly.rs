//! The machine code of a loop over a marked read, in a release build: the
//! system call instruction stands in the loop, once, and nothing is called.

#![cfg(target_arch = "x86_64")]

use std::path::PathBuf;
use std::process::Command;
use stop_tests::compiler::{Compiler, root};

/// One instruction: its address and its text.
struct Line {
    address: u64,
    text: String,
}

#[test]
fn a_marked_read_is_one_inlined_instruction() {
    // All of the runtime is compiled for it.
    if stop_tests::is_a_developers() {
        return stop_tests::not_tested("the machine code", "STOP_TESTS is not set");
    }
    let lines = disassemble("read_loop", "count_bytes");
    let syscall = lines.iter().position(|line| line.text.starts_with("syscall"));
    let syscall = syscall.expect("a syscall instruction in count_bytes");
    let (back, head) = lines[syscall..]
        .iter()
        .enumerate()
        .find_map(|(offset, line)| {
            let target = target(&line.text).filter(|target| *target <= lines[syscall].address);
            Some((syscall + offset, target?))
        })
        .expect("a jump back behind the syscall instruction");
    let looped: Vec<&str> = lines[..=back]
        .iter()
        .filter(|line| line.address >= head)
        .map(|line| line.text.as_str())
        .collect();
    println!("{}", looped.join("\n"));
    let of = |name: &str| looped.iter().filter(|text| text.starts_with(name)).count();
    assert_eq!((of("syscall"), of("call")), (1, 0), "in the loop:\n{}", looped.join("\n"));
}

/// Where a jump goes to.
fn target(text: &str) -> Option<u64> {
    let (name, rest) = text.split_once(' ')?;
    let target = rest.split_whitespace().next()?;
    name.starts_with('j').then(|| u64::from_str_radix(target, 16).ok())?
}

/// The instructions of a function of an example, built for release.
fn disassemble(example: &str, function: &str) -> Vec<Line> {
    let out = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("assembly");
    let source = root().join("examples/examples").join(example).with_extension("rs");
    let program = Compiler::for_release(out).build(&source).unwrap_or_else(|said| panic!("{said}"));
    let output = Command::new("objdump")
        .args(["-d", "-C", "--no-show-raw-insn", "-M", "intel"])
        .arg(&program)
        .output()
        .expect("objdump, which comes with the C compiler, runs");
    let listing = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<Line> = listing
        .lines()
        .skip_while(|line| {
            !line.contains(&format!("<{example}::{function}")) || !line.ends_with(">:")
        })
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| {
            let (address, text) = line.trim().split_once(':')?;
            let address = u64::from_str_radix(address, 16).ok()?;
            Some(Line { address, text: text.trim().to_owned() })
        })
        .collect();
    assert!(!lines.is_empty(), "{function} is not in {}", program.display());
    lines
}
