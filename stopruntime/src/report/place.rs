//! Where in the source a thread waits, most likely.
//!
//! Of another thread only the program counter and the stack pointer are known, and it is
//! not to be disturbed: so nothing unwinds its stack. A marked call is inlined into the
//! function that makes it, as far as the compiler does so, and then its program counter is
//! enough. Otherwise this looks from the stack pointer upwards for the first word that leads
//! behind a call in a function of the program's own: it is where a mark belongs, and what two
//! waits inside the same crate differ in. If there is none, it is the first that is neither
//! std's nor the runtime's. What an earlier function has left there may be taken for it.
//!
//! The stack is copied at once, while the thread is known to wait, and names are found
//! afterwards: the first time, the program's debug information is read, which takes a
//! second or more for a large one.
//!
//! # Safety
//!
//! The invariant of this module: what the loader shows is looked at in its callback alone.

#![allow(unsafe_code)]

use super::memory::read;
use core::ffi::{CStr, c_int, c_void};
use core::ops::Range;
use core::slice;
use std::path::Path;

/// How many pieces of the stack are looked at.
const PIECES: usize = 128;
/// The words of each.
const WORDS: usize = 64;
/// More addresses of code than stand before the place.
const MANY: usize = 256;

/// What leads to the place: addresses of code, the innermost first.
pub(super) struct Trace(Vec<usize>);

impl Trace {
    /// By the stack pointer and the program counter of a thread that waits.
    pub(super) fn take([stack, counter]: [usize; 2]) -> Trace {
        let code = code();
        let is_code = |address: &usize| code.iter().any(|range| range.contains(address));
        let calls = words(stack).filter(|word| is_code(word) && follows_a_call(*word));
        // Into the call itself.
        let calls = calls.map(|address| address - 1);
        Trace(Some(counter).filter(is_code).into_iter().chain(calls).take(MANY).collect())
    }

    pub(super) fn place(&self) -> Option<String> {
        let mut best = Best::default();
        let _own = self.0.iter().find(|address| best.is_own_with(**address));
        best.text
    }
}

/// Where the calling thread is.
pub(crate) fn own() -> Option<String> {
    let mut best = Best::default();
    // Into the call itself.
    backtrace::trace(|frame| !best.is_own_with((frame.ip() as usize).wrapping_sub(1)));
    best.text
}

/// Reads the debug information before a wait is to be looked at, which may end meanwhile.
pub(super) fn prepare() {
    Best::default().is_own_with(prepare as fn() as usize);
}

/// The words of the stack, as far as they can be read.
fn words(stack: usize) -> impl Iterator<Item = usize> {
    let size = WORDS * size_of::<usize>();
    // At multiples of the size no piece lies in two pages.
    let first = stack & !(size - 1);
    let pieces = (0..PIECES).map_while(move |piece| read::<[usize; WORDS]>(first + piece * size));
    pieces.flatten().skip((stack - first) / size_of::<usize>())
}

/// Where there is code of the program or of a library, as the loader knows it. Not libc's:
/// with its debug information it would be the place of every plain call.
/// `dl_iterate_phdr(3)`.
fn code() -> Vec<Range<usize>> {
    unsafe extern "C" fn add(
        object: *mut libc::dl_phdr_info,
        _size: libc::size_t,
        code: *mut c_void,
    ) -> c_int {
        // mutant: place-is-not-in-libc
        const NOT: [&[u8]; 6] =
            [b"libc.", b"libc-", b"libpthread", b"ld-", b"libgcc_s.", b"linux-"];
        // SAFETY: an object's headers, while the loader's lock is held, and the list that
        // `code` gives.
        let (name, headers, base, code) = unsafe {
            let object = &*object;
            let name =
                if object.dlpi_name.is_null() { c"" } else { CStr::from_ptr(object.dlpi_name) };
            let headers = slice::from_raw_parts(object.dlpi_phdr, object.dlpi_phnum.into());
            (name, headers, object.dlpi_addr as usize, &mut *code.cast::<Vec<Range<usize>>>())
        };
        let name = name.to_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        if !NOT.iter().any(|begin| name.starts_with(begin)) {
            let runs = headers.iter().filter(|header| {
                header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_X != 0
            });
            code.extend(runs.map(|header| {
                let first = base.wrapping_add(header.p_vaddr as usize);
                first..first.wrapping_add(header.p_memsz as usize)
            }));
        }
        0
    }
    let mut code = Vec::new();
    // SAFETY: `add` is given what it expects.
    unsafe { libc::dl_iterate_phdr(Some(add), (&raw mut code).cast()) };
    code
}

/// Whether the instruction before this address may be a call: on x86, where they have
/// different lengths, E8 with four bytes or FF with one to six.
fn follows_a_call(address: usize) -> bool {
    if !cfg!(any(target_arch = "x86_64", target_arch = "x86")) {
        return true;
    }
    let before = read::<[u8; 8]>(address.wrapping_sub(8));
    before.is_some_and(|bytes| bytes[3] == 0xe8 || bytes[1..7].contains(&0xff))
}

/// The best place so far: one of the program's own, or else the first one.
#[derive(Default)]
struct Best {
    text: Option<String>,
}

impl Best {
    /// Takes the functions at this address into account, inlined ones among them; whether
    /// one of the program's own is found.
    fn is_own_with(&mut self, address: usize) -> bool {
        let mut is_own = false;
        backtrace::resolve(address as *mut c_void, |symbol| {
            if is_own {
                return;
            }
            let Some(name) = symbol.name().map(|name| format!("{name:#}")) else { return };
            let line = symbol.filename().map(Path::to_string_lossy).zip(symbol.lineno());
            // Inlined ones have no path in their names, and a file. What has no file is taken
            // if it has a path, so that it is Rust's.
            let is_users = match &line {
                Some((file, _)) => !is_file_of_libraries(file),
                None => name.contains("::"),
            };
            if is_users && !is_name_of_libraries(&name) {
                // mutant: place-is-the-programs-own
                is_own = line.as_ref().is_some_and(|(file, _)| !is_file_of_a_crate(file));
                if is_own || self.text.is_none() {
                    let line =
                        line.map_or(String::new(), |(file, line)| format!(" ({file}:{line})"));
                    self.text = Some(format!("{name}{line}"));
                }
            }
        });
        is_own
    }
}

/// Of a crate that the program depends on: where cargo, or a distribution, keeps its source.
fn is_file_of_a_crate(file: &str) -> bool {
    ["/registry/src/", "/git/checkouts/", "/cargo/registry/", "/vendor/"]
        .iter()
        .any(|part| file.contains(part))
}

fn is_file_of_libraries(file: &str) -> bool {
    const RUNTIME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/");
    // As std is shipped, and where its sources are installed; and what the runtime calls.
    let std = ["/library/std/src/", "/library/core/src/", "/library/alloc/src/", "/rust/deps/"];
    let called = ["/backtrace-", "/log-0.", "/tracing-0.", "/tracing-core-"];
    let begins = ["/rustc/", RUNTIME, "stopruntime/src/"];
    std.iter().chain(&called).any(|part| file.contains(part))
        || begins.iter().any(|part| file.starts_with(part))
}

fn is_name_of_libraries(name: &str) -> bool {
    const LIBRARIES: [&str; 9] = [
        "std",
        "core",
        "alloc",
        "__rustc",
        "stopruntime",
        "backtrace",
        "log",
        "tracing",
        "tracing_core",
    ];
    let of =
        |path: &str| path.split_once("::").is_some_and(|(first, _)| LIBRARIES.contains(&first));
    // `<std::fs::File as stopruntime::ext::ReadOrStop>::read_or_stop`, and
    // `<*const program::Type>::is_null`, which core alone can have.
    let by_impl = name.strip_prefix('<').is_some_and(|types| {
        let of_trait = types.split_once(" as ");
        let is_primitive = of_trait.is_none() && types.starts_with(['*', '[', '(', '&']);
        of(types) || is_primitive || of_trait.is_some_and(|(_, of_trait)| of(of_trait))
    });
    of(name) || by_impl
}
