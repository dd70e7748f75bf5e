//! The image that holds this code stays for as long as the process.
//!
//! # Safety
//!
//! The invariant of this module: what is looked up is code of this image or the
//! kernel's own address of the program.

#![allow(unsafe_code)]

use core::ffi::c_void;
#[cfg(not(target_feature = "crt-static"))]
use core::mem::MaybeUninit;

/// If this is a library that was opened (dlopen(3)), keeps it in the process when it
/// is closed: the signal's handler, what runs at the end of a thread and what runs
/// after a fork all point into it. Nothing to do for the program itself. Where it
/// fails, the library must not be closed. dlopen(3), dladdr(3).
#[cfg(not(target_feature = "crt-static"))]
pub(super) fn stay(code: *const c_void) {
    let Some(image) = image_of(code) else { return };
    // SAFETY: a number.
    let program = unsafe { libc::getauxval(libc::AT_PHDR) };
    let program = core::ptr::with_exposed_provenance(program as usize);
    if image_of(program).is_some_and(|program| program.dli_fbase == image.dli_fbase) {
        return;
    }
    let flags = libc::RTLD_NOW | libc::RTLD_NOLOAD | libc::RTLD_NODELETE;
    // SAFETY: the loader's own name of an image that is loaded: nothing is
    // opened nor run.
    unsafe { libc::dlopen(image.dli_fname, flags) };
}

/// A program without shared libraries is one image, which is never opened.
#[cfg(target_feature = "crt-static")]
pub(super) fn stay(_: *const c_void) {}

#[cfg(not(target_feature = "crt-static"))]
fn image_of(address: *const c_void) -> Option<libc::Dl_info> {
    let mut info = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: a place for the answer; zeroed is a valid one.
    let (found, info) =
        unsafe { (libc::dladdr(address, info.as_mut_ptr()) != 0, info.assume_init()) };
    (found && !info.dli_fname.is_null()).then_some(info)
}
