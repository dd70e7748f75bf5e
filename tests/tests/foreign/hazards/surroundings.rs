//! Small stacks, bad pointers, registers, kernels that refuse.

use crate::both_ways;
use crate::kit::{CANCELED, armed, errno, plain_read};
use std::io::{Write, pipe};
use std::os::fd::AsRawFd;
use stopruntime::foreign;

both_ways! {
    fn a_small_stack() {
        let thread = std::thread::Builder::new().stack_size(16 << 10).spawn(|| {
            for _ in 0..50 {
                assert_eq!(armed(small_read), -(CANCELED as isize));
            }
        });
        thread.unwrap().join().unwrap();
    }

    fn a_ring_with_an_operation_in_flight() {
        let mut ring = match io_uring::IoUring::new(8) {
            Ok(ring) => ring,
            Err(error) => return stop_tests::not_tested("a ring in a region", error),
        };
        let (reader, mut writer) = pipe().unwrap();
        let mut buffer = [0_u8; 4];
        let place = io_uring::types::Fd(reader.as_raw_fd());
        let read = io_uring::opcode::Read::new(place, buffer.as_mut_ptr(), 4).build();
        // SAFETY: the buffer outlives the operation, which completes below.
        unsafe { ring.submission().push(&read) }.unwrap();
        armed(|| {
            let wait = || loop {
                match ring.submit_and_wait(1) {
                    Err(error) if error.raw_os_error() == Some(libc::EINTR) => {}
                    result => return result.map_err(|error| error.raw_os_error()),
                }
            };
            assert_eq!(wait(), Ok(1), "it is submitted");
            assert_eq!(wait(), Err(Some(CANCELED)));
        });
        writer.write_all(b"data").unwrap();
        ring.submit_and_wait(1).unwrap();
        let results: Vec<i32> = ring.completion().map(|entry| entry.result()).collect();
        assert_eq!((results, &buffer), (vec![4], b"data"), "it went on");
    }

    fn vector_registers() {
        #[cfg(target_arch = "x86_64")]
        armed(|| {
            if !is_x86_feature_detected!("avx512f") {
                return stop_tests::not_tested("AVX-512", "the processor has none");
            }
            // One call that is made, and one that is given its result.
            for (number, argument) in [(libc::SYS_getppid, 0), (libc::SYS_read, silent())] {
                let given: [u64; 256] = core::array::from_fn(|at| 0x0123_4567_89ab_cdef_u64.wrapping_mul(at as u64));
                let found = through_a_call(number, argument, &given);
                assert_eq!(found, given);
            }
        });
    }

    fn a_call_of_32_bits() {
        #[cfg(target_arch = "x86_64")]
        {
            let id = || {
                let mut result = 20_u64; // getpid
                // SAFETY: a call without arguments.
                unsafe {
                    core::arch::asm!("int 0x80", inlateout("rax") result,
                        out("r8") _, out("r9") _, out("r10") _, out("r11") _, out("rcx") _);
                }
                result
            };
            // SAFETY: a child that makes this call, and ends.
            let child = unsafe { libc::fork() };
            if child == 0 {
                let _ = id();
                // SAFETY: as above.
                unsafe { libc::_exit(0) };
            }
            let mut status = 0;
            // SAFETY: the child of above.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            if status != 0 {
                return stop_tests::not_tested("calls of 32 bits in a region", "the kernel has none");
            }
            armed(|| {
                assert_eq!(id(), u64::from(std::process::id()));
                assert_eq!(plain_read(), CANCELED);
            });
        }
    }

    fn bad_pointers_are_refused() {
        armed(|| {
            let bad = 16_usize;
            // SAFETY: the kernel refuses each of them.
            unsafe {
                let refused = |number, args: [usize; 5]| {
                    let raw = libc::syscall(number, args[0], args[1], args[2], args[3], args[4], 0_usize);
                    (raw, errno())
                };
                let fault = (-1, libc::EFAULT);
                assert_eq!(refused(libc::SYS_rt_sigprocmask, [0, bad, 0, 8, 0]), fault);
                assert_eq!(refused(libc::SYS_rt_sigprocmask, [0, 0, bad, 8, 0]), fault);
                assert_eq!(refused(libc::SYS_rt_sigprocmask, [9, &raw const bad as usize, 0, 8, 0]), (-1, libc::EINVAL));
                assert_eq!(refused(libc::SYS_ppoll, [bad, 1, 0, 0, 0]), fault);
                assert_eq!(refused(libc::SYS_pselect6, [5, bad, 0, 0, 0]), fault);
            }
            assert_eq!(plain_read(), CANCELED);
        });
    }

    fn refused_late() {
        foreign(|| ()).unwrap();
        stop_tests::seccomp::deny_with(libc::SYS_prctl, 59, libc::EPERM);
        assert_eq!(armed(plain_read), CANCELED);
    }
}

/// A read without more of a stack than it needs.
fn small_read() -> isize {
    let mut ends = [0; 2];
    // SAFETY: places.
    unsafe {
        assert_eq!(libc::pipe(ends.as_mut_ptr()), 0);
        let mut byte = 0_u8;
        let read = libc::read(ends[0], (&raw mut byte).cast(), 1);
        let raw = if read < 0 { -(*libc::__errno_location() as isize) } else { read };
        libc::close(ends[0]);
        libc::close(ends[1]);
        raw
    }
}

/// The reading end of a pipe through which nothing comes.
#[cfg(target_arch = "x86_64")]
fn silent() -> libc::c_long {
    let (reader, writer) = pipe().unwrap();
    std::mem::forget(writer);
    std::os::fd::IntoRawFd::into_raw_fd(reader).into()
}

/// What is in the 32 registers of 512 bits after a system call, with this in them before.
#[cfg(target_arch = "x86_64")]
fn through_a_call(number: libc::c_long, argument: libc::c_long, given: &[u64; 256]) -> [u64; 256] {
    let mut found = [0_u64; 256];
    // SAFETY: reads and writes the two arrays; the system call has a place for a byte, if
    // it reads one, in the second.
    unsafe {
        core::arch::asm!(
            ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
            "vmovdqu64 zmm\\n, [r12 + 64 * \\n]",
            ".endr",
            "syscall",
            ".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
            "vmovdqu64 [r13 + 64 * \\n], zmm\\n",
            ".endr",
            "vzeroupper",
            inlateout("rax") number => _,
            in("rdi") argument,
            in("rsi") &raw mut found,
            in("rdx") 1,
            in("r12") given,
            in("r13") &raw mut found,
            out("rcx") _,
            out("r11") _,
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
            out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
            out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
            out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
        );
    }
    found
}
