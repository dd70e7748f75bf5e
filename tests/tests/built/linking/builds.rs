//! One small program, built in the ways that programs are built: optimised or
//! not, by whole-program optimisation, without unwinding, at a fixed address,
//! without shared libraries, by another linker. It stops threads at random
//! instants and loses nothing.
//!
//! A build takes a while: the first row that can be is built if `STOP_TESTS` is set,
//! and all of them if it is `all`.

use super::package::{Package, backends, text};
use std::path::Path;
use std::process::Command;
use stop_tests::not_tested;

/// Many threads in a marked read, stopped a little later each time; then one
/// that certainly waits. A limit makes a failure of what would be a hang.
pub(crate) const PROGRAM: &str = r#"
use std::io::{Write, pipe};
use std::time::{Duration, Instant};
use stopruntime::ext::ReadOrStop;
use stopruntime::thread;

fn main() {
    let (mut read, mut left) = (0, 0);
    for turn in 0..300_u64 {
        let (mut reader, mut writer) = pipe().unwrap();
        let mut rest = reader.try_clone().unwrap();
        let worker = thread::spawn(move || {
            let mut count = 0;
            while let Ok(result) = reader.read_or_stop(&mut [0]) {
                count += result.unwrap();
            }
            count
        });
        writer.write_all(b"x").unwrap();
        let start = Instant::now();
        while start.elapsed() < Duration::from_nanos(turn % 100 * 1_000) {
            std::hint::spin_loop();
        }
        worker.request_stop();
        let Ok(ended) = worker.join_timeout(Duration::from_secs(20)) else { panic!("not stopped") };
        read += ended.expect("no panic in the thread");
        drop(writer);
        left += std::io::Read::read(&mut rest, &mut [0]).unwrap();
    }
    assert_eq!(read + left, 300, "a byte was lost");
    println!("stopped on {}", stopruntime::backend());
}
"#;

/// How a program is built.
struct Build {
    opt_level: &'static str,
    lto: &'static str,
    panic: &'static str,
    flags: &'static str,
}

const STATIC: &str = "-Ctarget-feature=+crt-static";
const FIXED: &str = "-Crelocation-model=static";
const STATIC_AND_FIXED: &str = "-Ctarget-feature=+crt-static -Crelocation-model=static";

const fn build(
    opt_level: &'static str,
    lto: &'static str,
    panic: &'static str,
    flags: &'static str,
) -> Build {
    Build { opt_level, lto, panic, flags }
}

/// Those that differ most first.
const BUILDS: [Build; 16] = [
    build("3", "fat", "abort", STATIC),
    build("0", "off", "unwind", "-Crelocation-model=static -Clink-arg=-fuse-ld=bfd"),
    build("z", "thin", "abort", "-Clink-arg=-Wl,--gc-sections"),
    build("3", "fat", "abort", ""),
    build("3", "thin", "unwind", ""),
    build("s", "fat", "unwind", "-Clink-arg=-fuse-ld=bfd"),
    build("1", "off", "unwind", STATIC),
    build("2", "off", "abort", FIXED),
    build("2", "thin", "unwind", STATIC_AND_FIXED),
    build("0", "off", "unwind", STATIC_AND_FIXED),
    build("z", "fat", "abort", STATIC),
    build("3", "off", "unwind", "-Clink-arg=-fuse-ld=gold -Clink-arg=-Wl,--gc-sections"),
    build("3", "fat", "unwind", "-Clink-arg=-fuse-ld=lld -Clink-arg=-Wl,--icf=all"),
    build("1", "thin", "abort", "-Clink-arg=-Wl,-z,now,-z,relro -Ccodegen-units=1"),
    build("3", "off", "unwind", "-Clink-dead-code=yes -Ccodegen-units=64"),
    build("3", "fat", "abort", "-Ctarget-cpu=native -Cforce-frame-pointers=yes"),
];
/// Of those, without being asked for more: without shared libraries.
const FEW: usize = 1;

impl Build {
    fn variables(&self) -> Vec<(String, String)> {
        let profile =
            |name: &str, value: &str| (format!("CARGO_PROFILE_RELEASE_{name}"), value.to_owned());
        vec![
            profile("OPT_LEVEL", self.opt_level),
            profile("LTO", self.lto),
            profile("PANIC", self.panic),
            ("RUSTFLAGS".to_owned(), self.flags.to_owned()),
        ]
    }

    fn name(&self) -> String {
        let Build { opt_level, lto, panic, flags } = self;
        format!("opt-level {opt_level}, lto {lto}, panic {panic}, {flags:?}")
    }

    /// What it needs besides a toolchain and a C compiler, if that is missing: a
    /// linker, or the C library as an archive.
    fn missing(&self) -> Option<String> {
        if self.is_static() && !links_statically() {
            return Some("no libc.a".to_owned());
        }
        let linker = self.flags.split("-fuse-ld=").nth(1)?.split(' ').next()?;
        let version = Command::new(format!("ld.{linker}")).arg("--version").output();
        version.err().map(|_| format!("no ld.{linker}"))
    }

    fn is_static(&self) -> bool {
        self.flags.contains("crt-static")
    }
}

/// Whether the C compiler finds what a static program needs.
fn links_statically() -> bool {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("links-statically");
    let source = program.with_extension("c");
    std::fs::write(&source, "int main(void) { return 0; }\n").expect("a source");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let output =
        Command::new(compiler).arg("-static").arg(&source).arg("-o").arg(&program).output();
    output.is_ok_and(|output| output.status.success())
}

/// Whether a dynamic linker is to load this program (`PT_INTERP`, elf(5); 64
/// bits).
fn has_interpreter(program: &[u8]) -> bool {
    const PT_INTERP: u32 = 3;
    let short = |at: usize| usize::from(u16::from_ne_bytes([program[at], program[at + 1]]));
    let word = |at: usize| u32::from_ne_bytes(program[at..at + 4].try_into().unwrap());
    let table = u64::from_ne_bytes(program[32..40].try_into().unwrap());
    let (size, count) = (short(54), short(56));
    let at = |index| usize::try_from(table).unwrap() + index * size;
    (0..count).any(|index| word(at(index)) == PT_INTERP)
}

#[test]
fn however_it_is_built_it_stops() {
    if stop_tests::is_a_developers() {
        return not_tested("other ways of building a program", "STOP_TESTS is not set");
    }
    let package = Package::write("builds", "", "main.rs", PROGRAM);
    let most = if stop_tests::everything() { BUILDS.len() } else { FEW };
    let mut built = 0;
    for build in &BUILDS {
        if built == most {
            break;
        }
        let name = build.name();
        if let Some(missing) = build.missing() {
            not_tested(&name, missing);
            continue;
        }
        built += 1;
        let program = package.build("release", &build.variables()).join("builds");
        for backend in backends() {
            let output =
                Command::new(&program).env("STOPRUNTIME_BACKEND", backend).output().unwrap();
            assert!(output.status.success(), "{name} on {backend}: {}", text(&output));
            assert_eq!(text(&output), format!("stopped on {backend}\n"), "{name}");
        }
        let is_dynamic = has_interpreter(&std::fs::read(&program).unwrap());
        assert_eq!(is_dynamic, !build.is_static(), "{name}");
    }
}
