//! The column of C++20's `std::stop_callback`: `callback.cpp`, built by g++
//! when the bench starts and loaded by the processes that measure.

use core::ffi::{c_long, c_void};
use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One system call as callback.cpp makes it.
#[repr(C)]
pub(crate) struct Step {
    number: c_long,
    arguments: [c_long; 6],
}

impl Step {
    pub(crate) fn new<const N: usize>(number: c_long, args: [usize; N]) -> Step {
        let mut arguments = [0; 6];
        for (argument, value) in arguments.iter_mut().zip(args) {
            *argument = value as c_long;
        }
        Step { number, arguments }
    }
}

type Turns = unsafe extern "C" fn(*const Step, usize, usize, *mut c_long);

/// The loaded function.
pub(crate) struct Callback(Turns);

fn library() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("stop_callback.so")
}

/// Builds it. Without a compiler that has C++20 the column is missing, and
/// this says so.
pub(crate) fn build() {
    let library = library();
    // What an earlier run has built is not measured in this one's place; there
    // may be none.
    let _ = std::fs::remove_file(&library);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/calls/callback.cpp");
    let built = Command::new("g++")
        .args(["-std=c++20", "-O2", "-fPIC", "-shared", "-pthread", "-o"])
        .args([&library, &source])
        .status();
    match built {
        Ok(status) if status.success() => {}
        Ok(status) => eprintln!("NOT MEASURED: stop_callback per call: g++ ended with {status}"),
        Err(error) => eprintln!("NOT MEASURED: stop_callback per call: no g++: {error}"),
    }
}

impl Callback {
    pub(crate) fn load() -> Option<Callback> {
        let path = CString::new(library().into_os_string().into_encoded_bytes()).ok()?;
        // SAFETY: strings that end; the library is never closed.
        let function = unsafe {
            let library = libc::dlopen(path.as_ptr(), libc::RTLD_NOW);
            if library.is_null() {
                return None;
            }
            libc::dlsym(library, c"stop_callback_turns".as_ptr())
        };
        assert!(!function.is_null(), "callback.cpp has this function");
        // SAFETY: callback.cpp defines it so.
        Some(Callback(unsafe { core::mem::transmute::<*mut c_void, Turns>(function) }))
    }

    /// Makes the steps as often as `results` has room for.
    ///
    /// # Safety
    ///
    /// The calls are sound.
    pub(crate) unsafe fn turns(&self, steps: &[Step], results: &mut [c_long]) {
        let turns = results.len() / steps.len();
        // SAFETY: the caller answers for the calls; room for every result.
        unsafe { (self.0)(steps.as_ptr(), steps.len(), turns, results.as_mut_ptr()) }
    }
}
