//! Finding the thread's registered `struct rseq`, or registering one.
//!
//! glibc 2.35 and later register every thread and export where the area lies
//! relative to the thread pointer (`__rseq_offset`, `__rseq_size`; size 0: not
//! registered). Otherwise the crate registers an area of its own with the
//! `rseq` system call and takes it back when the thread ends.
//!
//! # Safety
//!
//! The invariant of this module: a registered area outlives its registration,
//! and `rseq_cs` of it is only ever written by its own thread.

#![allow(unsafe_code)]

use super::arch::{self, SIGNATURE};
use core::cell::UnsafeCell;
use core::ffi::{c_int, c_uint};
use core::sync::atomic::{AtomicIsize, AtomicPtr, AtomicUsize, Ordering};

/// The first 32 bytes of the kernel's `struct rseq` (linux/rseq.h), the size
/// that every kernel since 4.18 accepts.
#[repr(C, align(32))]
struct Area {
    cpu_id_start: u32,
    cpu_id: i32,
    rseq_cs: AtomicUsize,
    flags: u32,
    padding: [u32; 3],
}

thread_local! {
    static OWN: UnsafeCell<Area> = const {
        UnsafeCell::new(Area {
            cpu_id_start: 0,
            cpu_id: -1,
            rseq_cs: AtomicUsize::new(0),
            flags: 0,
            padding: [0; 3],
        })
    };
}

const UNREGISTER: usize = 1;

/// The calling thread's `rseq_cs` field, and whether it is an area of ours
/// that has to be given back with [`unregister`]; or the errno of rseq(2), which
/// is `EINVAL` if other code has registered the thread.
pub(crate) fn rseq_cs() -> Result<(*mut AtomicUsize, bool), c_int> {
    match libc_area() {
        Some(field) => Ok((field, false)),
        // mutant: runtime-registers-area
        None => register().map(|field| (field, true)),
    }
}

/// Where libc's area lies, from the thread pointer; [`NONE`] if it has none.
static LIBC_OFFSET: AtomicIsize = AtomicIsize::new(NONE);
/// No area lies there.
const NONE: isize = isize::MIN;

/// Asks libc where its areas lie. Part of the installation: to look up a name
/// takes the dynamic loader's lock, which another thread may hold for as long as
/// the constructors of a library take that it opens.
pub(crate) fn ask_libc() {
    let (offset, size) = libc_symbols();
    if offset.is_null() || size.is_null() {
        return;
    }
    // SAFETY: the symbols have these types (sys/rseq.h) and are written once,
    // before main.
    let (offset, size) = unsafe { (*offset, *size) };
    // libc's word that it registers no thread. Whether it has registered a
    // certain one, and nothing has taken that back, the area itself says.
    // mutant: unregistered-area-not-used
    if size != 0 {
        LIBC_OFFSET.store(offset, Ordering::Relaxed);
    }
}

fn libc_area() -> Option<*mut AtomicUsize> {
    // mutant: thread-asks-no-dynamic-loader
    let offset = LIBC_OFFSET.load(Ordering::Relaxed);
    if offset == NONE {
        return None;
    }
    let area = arch::thread_pointer().cast::<Area>().wrapping_byte_offset(offset);
    // SAFETY: glibc keeps the area at this distance from the thread pointer
    // for as long as the thread lives; the kernel writes cpu_id, hence the
    // volatile read.
    let registered = unsafe { (&raw const (*area).cpu_id).read_volatile() } >= 0;
    // SAFETY: as above; only the address is formed.
    // mutant: unregistered-area-not-used-2
    registered.then(|| unsafe { &raw mut (*area).rseq_cs })
}

/// `__rseq_offset` and `__rseq_size`, null where the libc has none.
#[cfg(not(all(target_arch = "x86_64", target_feature = "crt-static")))]
fn libc_symbols() -> (*const isize, *const c_uint) {
    // By name, so that a program built here starts with an older glibc as well.
    // SAFETY: valid, terminated names.
    unsafe {
        (
            libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_offset".as_ptr()).cast(),
            libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_size".as_ptr()).cast(),
        )
    }
}

/// As above, in a program without shared libraries: it has no names to look
/// up, but it is linked to the very libc that it runs with.
#[cfg(all(target_arch = "x86_64", target_feature = "crt-static"))]
fn libc_symbols() -> (*const isize, *const c_uint) {
    let (offset, size);
    // SAFETY: reads two addresses that the linker has put there; 0 for a weak
    // symbol that nothing defines.
    unsafe {
        core::arch::asm!(
            ".weak __rseq_offset",
            ".weak __rseq_size",
            // mutant: static-libcs-area-found
            "mov {offset}, qword ptr [rip + __rseq_offset@GOTPCREL]",
            "mov {size}, qword ptr [rip + __rseq_size@GOTPCREL]",
            offset = out(reg) offset,
            size = out(reg) size,
            options(nostack, preserves_flags, readonly, pure),
        );
    }
    (offset, size)
}

fn register() -> Result<*mut AtomicUsize, c_int> {
    let area = OWN.with(UnsafeCell::get);
    // SAFETY: the area is this thread's own static storage, 32 bytes, aligned;
    // `unregister` takes it back before the thread ends.
    if unsafe { system_call(area, 0) } != 0 {
        return Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(0));
    }
    // SAFETY: only the address is formed.
    Ok(unsafe { &raw mut (*area).rseq_cs })
}

/// Takes back what [`rseq_cs`] registered for the calling thread.
pub(crate) fn unregister() {
    let area = OWN.with(UnsafeCell::get);
    // SAFETY: unregistering the area that `register` registered; the kernel
    // refuses any other.
    unsafe { system_call(area, UNREGISTER) };
}

/// # Safety
///
/// `area` stays valid until it is unregistered or the thread has ended.
unsafe fn system_call(area: *mut Area, flags: usize) -> c_int {
    // SAFETY: the caller answers for the area.
    unsafe { libc::syscall(arch::SYS_rseq, area, size_of::<Area>(), flags, SIGNATURE) as c_int }
}

/// Whether the kernel can read this program's code. It reads the signature in front
/// of an abort address as data, and ends the process with SIGSEGV where it cannot:
/// in code that may be executed and not read (`PROT_EXEC` alone, with protection
/// keys or enhanced PAN).
pub(crate) fn code_is_readable() -> bool {
    let code = (code_is_readable as *const ()).map_addr(|address| address & !3);
    let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
    let none = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a wait of no length, which reads the word as that signature is read;
    // no thread writes or wakes it.
    let result = unsafe { libc::syscall(libc::SYS_futex, code, operation, 0, &raw const none) };
    result == 0 || std::io::Error::last_os_error().raw_os_error() != Some(libc::EFAULT)
}

/// Takes the descriptors of threads that have no record; nothing reads it.
pub(crate) static NOWHERE: AtomicUsize = AtomicUsize::new(0);

/// [`NOWHERE`] as the pointer a [`Line`](super::Line) starts with.
pub(crate) const fn nowhere() -> AtomicPtr<AtomicUsize> {
    AtomicPtr::new((&raw const NOWHERE).cast_mut())
}
