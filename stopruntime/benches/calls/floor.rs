//! The bare instruction, inlined: what no implementation can undercut.

use core::ffi::c_long;

#[cfg(target_arch = "x86_64")]
macro_rules! instruction {
    ($number:expr, $($register:tt = $value:expr),*) => {{
        let result: isize;
        core::arch::asm!(
            "syscall",
            inout("rax") $number as isize => result,
            $(in($register) $value,)*
            out("rcx") _, out("r11") _,
            options(nostack),
        );
        result
    }};
}

/// Makes the system call: its result or its negated errno.
///
/// # Safety
///
/// The call is sound with these arguments.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) unsafe fn syscall<const N: usize>(number: c_long, args: [usize; N]) -> isize {
    let arg = |index: usize| args[index];
    // SAFETY: the caller answers for the call; registers as syscall(2) says.
    unsafe {
        match N {
            3 => instruction!(number, "rdi" = arg(0), "rsi" = arg(1), "rdx" = arg(2)),
            4 => {
                instruction!(number, "rdi" = arg(0), "rsi" = arg(1), "rdx" = arg(2), "r10" = arg(3))
            }
            6 => instruction!(
                number,
                "rdi" = arg(0),
                "rsi" = arg(1),
                "rdx" = arg(2),
                "r10" = arg(3),
                "r8" = arg(4),
                "r9" = arg(5)
            ),
            _ => unreachable!("no row has {N} arguments"),
        }
    }
}

/// As on x86-64, but through libc.
///
/// # Safety
///
/// The call is sound with these arguments.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) unsafe fn syscall<const N: usize>(number: c_long, args: [usize; N]) -> isize {
    let arg = |index: usize| args.get(index).copied().unwrap_or(0);
    // SAFETY: the caller answers for the call.
    let result = unsafe { libc::syscall(number, arg(0), arg(1), arg(2), arg(3), arg(4), arg(5)) };
    if result == -1 {
        return -(std::io::Error::last_os_error().raw_os_error().unwrap_or(0) as isize);
    }
    result as isize
}
