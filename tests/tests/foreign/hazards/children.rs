//! What a region that is stopped starts: threads, children, programs.

use super::{all, blocked, count, has, install};
use crate::both_ways;
use crate::kit::{CANCELED, armed, errno, plain_read, reads_on, status};
use std::io::{Read, pipe};
use std::ptr::null_mut;

both_ways! {
    fn children_of_all_kinds() {
        install(libc::SIGUSR1, count, all());
        armed(|| {
            let child = std::process::Command::new("sh")
                .args(["-c", "grep -E 'Sig(Blk|Pnd)' /proc/self/status"])
                .stdout(std::process::Stdio::piped())
                .spawn();
            let mut child = child.unwrap();
            stopruntime::shield(|| {
                let mut text = String::new();
                child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
                assert_eq!(text.matches("0000000000000000").count(), 2, "{text}");
                assert!(child.wait().unwrap().success());
            });
            // SAFETY: a child that makes plain calls.
            let child = unsafe { libc::fork() };
            if child == 0 {
                let mask = status("SigBlk");
                let time = libc::timespec { tv_sec: 0, tv_nsec: 1_000_000 };
                // SAFETY: a time.
                let slept = unsafe { libc::nanosleep(&raw const time, null_mut()) };
                let (mut reader, writer) = pipe().unwrap();
                drop(writer);
                let read = reader.read(&mut [0]);
                let clean = u64::from_str_radix(&mask, 16) == Ok(0) || is_ppoll(&mask);
                let good = slept == 0 && matches!(read, Ok(0)) && clean;
                // SAFETY: ends the child.
                unsafe { libc::_exit(i32::from(!good)) };
            }
            let mut status = 0;
            // SAFETY: the child of above.
            stopruntime::shield(|| assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child));
            assert_eq!(status, 0);
            // A thread of it is not in the region.
            std::thread::spawn(|| {
                reads_on();
                assert!(!has(&blocked(), libc::SIGUSR1));
            })
            .join()
            .unwrap();
            assert_eq!(plain_read(), CANCELED);
        });
    }

    fn a_raw_vfork_and_clone() {
        armed(|| {
            let path = c"/bin/true";
            let args = [path.as_ptr(), std::ptr::null()];
            for flags in [libc::CLONE_VM | libc::CLONE_VFORK, 0] {
                // SAFETY: a child that execs at once, on a stack of its own.
                let child = unsafe { spawn_by_clone(&args, flags | libc::SIGCHLD) };
                assert!(child > 0, "{}", errno());
                let mut status = 0;
                // SAFETY: the child of above.
                let reap = || unsafe { libc::waitpid(child, &raw mut status, 0) };
                assert_eq!(stopruntime::shield(reap), child);
                assert_eq!(status, 0);
            }
            assert_eq!(plain_read(), CANCELED);
        });
    }

    fn a_raw_vfork() {
        armed(|| {
            for is_clone in [false, true] {
                let child = vfork_that_exits(is_clone);
                assert!(child > 0, "{child}");
                let mut status = 0;
                // SAFETY: the child of above.
                stopruntime::shield(|| assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child));
                assert_eq!(status, 7 << 8);
            }
            assert_eq!(plain_read(), CANCELED);
        });
    }

    fn exec_in_it() {
        install(libc::SIGUSR1, count, all());
        // SAFETY: the child execs.
        let child = unsafe { libc::fork() };
        if child == 0 {
            armed(|| {
                let test = c"test $(grep -c 'SigBlk:.*0000000000000000' /proc/self/status) = 1";
                let args = [c"sh".as_ptr(), c"-c".as_ptr(), test.as_ptr(), std::ptr::null()];
                // SAFETY: terminated names.
                unsafe {
                    libc::execv(c"/nowhere".as_ptr(), args.as_ptr());
                    let failed = plain_read();
                    if failed == CANCELED {
                        libc::execv(c"/bin/sh".as_ptr(), args.as_ptr());
                    }
                    libc::_exit(3);
                }
            });
        }
        let mut status = 0;
        // SAFETY: the child of above.
        assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
        if stopruntime::backend() != stopruntime::Backend::Ppoll {
            assert_eq!(status, 0);
        }
    }
}

/// Whether the stop signal alone is blocked.
fn is_ppoll(mask: &str) -> bool {
    stopruntime::backend() == stopruntime::Backend::Ppoll
        && u64::from_str_radix(mask, 16) == Ok(1 << (libc::SIGURG - 1))
}

/// # Safety
///
/// The arguments of a program.
unsafe fn spawn_by_clone(args: &[*const libc::c_char; 2], flags: i32) -> i32 {
    extern "C" fn child(args: *mut libc::c_void) -> i32 {
        let args = args as *const *const libc::c_char;
        // SAFETY: as the caller says.
        unsafe {
            libc::execv(*args, args);
            libc::_exit(9);
        }
    }
    let mut stack = vec![0_u64; 1 << 13];
    // SAFETY: the top of a stack, which outlives the child's use of it.
    unsafe {
        let top = stack.as_mut_ptr().add(stack.len()).cast();
        libc::clone(child, top, flags, args.as_ptr() as *mut _)
    }
}

/// `vfork(2)` as it is, or as a `clone(2)`: the child shares this very stack, and ends with
/// the status 7.
#[cfg_attr(not(target_arch = "x86_64"), allow(unused_variables))]
fn vfork_that_exits(is_clone: bool) -> i32 {
    #[cfg(target_arch = "x86_64")]
    {
        let mut result = if is_clone { libc::SYS_clone } else { libc::SYS_vfork };
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD;
        // SAFETY: the child makes one system call more, and writes below the stack alone.
        unsafe {
            core::arch::asm!(
                "syscall",
                "test eax, eax",
                "jnz 2f",
                // All below, as a function's frames would be.
                "mov ecx, 64",
                "3:",
                "push 0",
                "dec ecx",
                "jnz 3b",
                "mov edi, 7",
                "mov eax, {exit}",
                "syscall",
                "2:",
                exit = const libc::SYS_exit,
                inlateout("rax") result,
                inlateout("rdi") i64::from(flags) => _,
                in("rsi") 0,
                in("rdx") 0,
                in("r10") 0,
                in("r8") 0,
                out("rcx") _,
                out("r9") _,
                out("r11") _,
            );
        }
        i32::try_from(result).expect("an id")
    }
    #[cfg(not(target_arch = "x86_64"))]
    // SAFETY: a child that ends at once.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            libc::_exit(7);
        }
        child
    }
}
