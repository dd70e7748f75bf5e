//! Where glibc has registered the calling thread for rseq(2). sys/rseq.h.

/// Behind each abort address, as glibc has it for this architecture.
pub const SIGNATURE: u32 = if cfg!(target_arch = "aarch64") {
    0xd428_bc00
} else if cfg!(target_arch = "riscv64") {
    0xf140_1073
} else {
    0x5305_3053
};

/// Of the field `rseq_cs`, in bytes from the area's beginning.
pub const RSEQ_CS: usize = 8;

/// The area of the calling thread; none if glibc registers none.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub fn libc_area() -> Option<*const u8> {
    // SAFETY: symbols of these types, if there are any.
    let (offset, size) = unsafe {
        let offset = libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_offset".as_ptr()).cast::<isize>();
        let size = libc::dlsym(libc::RTLD_DEFAULT, c"__rseq_size".as_ptr()).cast::<u32>();
        if offset.is_null() || size.is_null() {
            return None;
        }
        (*offset, *size)
    };
    let thread: *const u8;
    // SAFETY: on x86-64 the first word at the thread pointer is the thread
    // pointer; on aarch64 it is in a register.
    unsafe {
        #[cfg(target_arch = "x86_64")]
        core::arch::asm!("mov {}, qword ptr fs:[0]", out(reg) thread);
        #[cfg(target_arch = "aarch64")]
        core::arch::asm!("mrs {}, tpidr_el0", out(reg) thread);
    }
    (size != 0).then(|| thread.wrapping_offset(offset))
}

/// Windows are for the others alone.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub fn libc_area() -> Option<*const u8> {
    None
}
