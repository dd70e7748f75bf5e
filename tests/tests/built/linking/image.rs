//! A library with a runtime of its own, opened as often as one likes, each
//! time as another one.
//!
//! # Safety
//!
//! The invariant of this module: the functions have the types that the library
//! below gives them.

use super::package::Package;
use core::ffi::{c_int, c_void};
use std::ffi::CString;
use std::fs;
use std::io::PipeReader;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

const LIBRARY: &str = r#"
use std::ffi::{c_int, c_void};
use stopruntime::{Backend, Config, InstallError, Stopper, backend, sys};

/// On ppoll or else by the signal handler: 0, or 1 if another copy is against
/// it, or 2.
#[unsafe(no_mangle)]
pub extern "C" fn install(signal: c_int, ppoll: bool) -> c_int {
    let backend = if ppoll { Backend::Ppoll } else { Backend::Handler };
    match Config::new().signal(signal).backend(backend).install() {
        Ok(()) => 0,
        Err(InstallError::OtherCopy { .. }) => 1,
        Err(_) => 2,
    }
}

/// Installs the default, if nothing is installed yet.
#[unsafe(no_mangle)]
pub extern "C" fn is_on_ppoll() -> bool {
    backend() == Backend::Ppoll
}

/// A marked read of one byte: its length, -2 if it was stopped.
#[unsafe(no_mangle)]
pub extern "C" fn marked_read(descriptor: c_int) -> isize {
    let mut byte = 0_u8;
    // SAFETY: one byte, which is there.
    match unsafe { sys::read_or_stop(descriptor, (&raw mut byte).cast(), 1) } {
        Ok(length) => length,
        Err(_stopped) => -2,
    }
}

/// Calls it in a region of foreign code; whether that was not stopped before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn in_a_region(call: extern "C" fn(*mut c_void), data: *mut c_void) -> bool {
    stopruntime::foreign(|| call(data)).is_ok()
}

/// The calling thread's, to be given back by `give_back`.
#[unsafe(no_mangle)]
pub extern "C" fn stopper() -> *mut Stopper {
    Box::into_raw(Box::new(Stopper::current()))
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn request_stop(stopper: *const Stopper) -> bool {
    // SAFETY: what `stopper` gave, and has not been given back.
    unsafe { (*stopper).request_stop() }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn give_back(stopper: *mut Stopper) {
    // SAFETY: what `stopper` gave; the caller does not use it again.
    drop(unsafe { Box::from_raw(stopper) });
}
"#;

/// Builds the library, once for all tests and their processes.
pub(crate) fn build() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let more = "[lib]\ncrate-type = [\"cdylib\"]\n";
        Package::write("images", more, "lib.rs", LIBRARY).build("dev", &[]).join("libimages.so")
    })
}

/// An opened copy of the library.
#[derive(Clone)]
pub(crate) struct Image {
    path: Arc<Path>,
    handle: usize,
}

/// A thread's stopper in a copy, as an address.
#[derive(Clone, Copy)]
pub(crate) struct Foreign(usize);

impl Image {
    /// Copies the library, so that it counts as another one, and opens that.
    pub(crate) fn open(library: &Path, name: &str) -> Image {
        let path = library.with_file_name(format!("lib{name}-{}.so", std::process::id()));
        fs::copy(library, &path).unwrap();
        let terminated = CString::new(path.to_str().unwrap()).unwrap();
        // SAFETY: a terminated path; the library has no constructors.
        let handle =
            unsafe { libc::dlopen(terminated.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        assert!(!handle.is_null(), "dlopen of {}", path.display());
        // The file may go, its pages stay.
        fs::remove_file(&path).unwrap();
        Image { path: path.into(), handle: handle.addr() }
    }

    fn function(&self, name: &str) -> *mut c_void {
        let name = CString::new(name).unwrap();
        let handle = core::ptr::with_exposed_provenance_mut(self.handle);
        // SAFETY: an open library, a terminated name.
        let function = unsafe { libc::dlsym(handle, name.as_ptr()) };
        assert!(!function.is_null(), "{name:?}");
        function
    }

    /// On ppoll or else by the signal handler: 0, or 1 if another copy is
    /// against it.
    pub(crate) fn install(&self, signal: c_int, ppoll: bool) -> c_int {
        type Function = extern "C" fn(c_int, bool) -> c_int;
        // SAFETY: the module's invariant.
        let install =
            unsafe { core::mem::transmute::<*mut c_void, Function>(self.function("install")) };
        install(signal, ppoll)
    }

    /// Installs the default, if nothing is installed yet.
    pub(crate) fn is_on_ppoll(&self) -> bool {
        type Function = extern "C" fn() -> bool;
        // SAFETY: the module's invariant.
        let asks =
            unsafe { core::mem::transmute::<*mut c_void, Function>(self.function("is_on_ppoll")) };
        asks()
    }

    /// The length, -2 if it was stopped.
    pub(crate) fn marked_read(&self, reader: &PipeReader) -> isize {
        type Function = extern "C" fn(c_int) -> isize;
        // SAFETY: the module's invariant.
        let read =
            unsafe { core::mem::transmute::<*mut c_void, Function>(self.function("marked_read")) };
        read(reader.as_raw_fd())
    }

    /// Calls it in a region of the copy's.
    pub(crate) fn in_a_region(&self, mut call: &mut dyn FnMut()) {
        type Call = extern "C" fn(*mut c_void);
        type Function = unsafe extern "C" fn(Call, *mut c_void) -> bool;
        extern "C" fn run(call: *mut c_void) {
            // SAFETY: what is handed over below.
            unsafe { (*call.cast::<&mut dyn FnMut()>())() }
        }
        // SAFETY: the module's invariant; the call outlives it.
        unsafe {
            let region =
                core::mem::transmute::<*mut c_void, Function>(self.function("in_a_region"));
            assert!(region(run, (&raw mut call).cast()), "it was stopped before");
        }
    }

    pub(crate) fn stopper(&self) -> Foreign {
        type Function = extern "C" fn() -> *mut c_void;
        // SAFETY: the module's invariant.
        let stopper =
            unsafe { core::mem::transmute::<*mut c_void, Function>(self.function("stopper")) };
        Foreign(stopper().expose_provenance())
    }

    pub(crate) fn request_stop(&self, stopper: Foreign) -> bool {
        type Function = extern "C" fn(*const c_void) -> bool;
        // SAFETY: the module's invariant.
        let request =
            unsafe { core::mem::transmute::<*mut c_void, Function>(self.function("request_stop")) };
        request(core::ptr::with_exposed_provenance(stopper.0))
    }

    pub(crate) fn give_back(&self, stopper: Foreign) {
        type Function = extern "C" fn(*mut c_void);
        // SAFETY: the module's invariant; each is given back once.
        let drop =
            unsafe { core::mem::transmute::<*mut c_void, Function>(self.function("give_back")) };
        drop(core::ptr::with_exposed_provenance_mut(stopper.0));
    }

    /// Closes it as often as it was opened; whether its code is still there.
    pub(crate) fn close(self) -> bool {
        let handle = core::ptr::with_exposed_provenance_mut(self.handle);
        // SAFETY: opened once, and used no more by the caller.
        assert_eq!(unsafe { libc::dlclose(handle) }, 0);
        let name = self.path.file_name().unwrap().to_str().unwrap().to_owned();
        fs::read_to_string("/proc/self/maps").unwrap().contains(&name)
    }
}

/// Where it is when it is built.
pub(crate) fn library() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("images/target/debug/libimages.so")
}
