//! Memory that another thread may give back while it is read.
//!
//! # Safety
//!
//! The invariant of this module: the kernel copies, and answers for addresses that lead
//! nowhere; nothing is read here by an address from outside.

#![allow(unsafe_code)]

use core::mem::MaybeUninit;

/// What may be read as any bytes.
///
/// # Safety
///
/// Each pattern of bits is a value.
pub(super) unsafe trait Plain: Copy {}
// SAFETY: integers.
unsafe impl Plain for [u64; 2] {}
// SAFETY: integers.
unsafe impl Plain for [i32; 2] {}
#[cfg(feature = "backtrace")]
// SAFETY: integers.
unsafe impl Plain for [usize; 64] {}
#[cfg(feature = "backtrace")]
// SAFETY: integers.
unsafe impl Plain for [u8; 8] {}

/// Reads a value at this address of this process; none if there is nothing, or a sandbox
/// forbids it. `process_vm_readv(2)`.
pub(super) fn read<T: Plain>(address: usize) -> Option<T> {
    let mut value = MaybeUninit::<T>::uninit();
    let size = size_of::<T>();
    let to = libc::iovec { iov_base: value.as_mut_ptr().cast(), iov_len: size };
    let from = libc::iovec { iov_base: address as *mut _, iov_len: size };
    // SAFETY: the kernel writes to `value` alone, as many bytes as it has.
    let count =
        unsafe { libc::process_vm_readv(libc::getpid(), &raw const to, 1, &raw const from, 1, 0) };
    // SAFETY: written whole, and each pattern of bits is a value.
    (count == size as isize).then(|| unsafe { value.assume_init() })
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    #[cfg_attr(miri, ignore = "no such call")]
    fn what_is_not_there_is_not_read() {
        let value = [7_u64, 9];
        assert_eq!(read::<[u64; 2]>(value.as_ptr() as usize), Some(value));
        assert_eq!(read::<[u64; 2]>(0), None);
        assert_eq!(read::<[u64; 2]>(usize::MAX), None);
    }
}
