//! Kernels that lack something. seccomp(2), with a filter of the classic kind.

#![allow(unsafe_code)]

use std::os::unix::process::CommandExt;
use std::process::Command;

/// By the names that [`on_backends!`](crate::on_backends) takes.
const CALLS: [(&str, libc::c_long); 7] = [
    ("epoll_pwait2", libc::SYS_epoll_pwait2),
    ("futex_waitv", libc::SYS_futex_waitv),
    ("membarrier", libc::SYS_membarrier),
    ("pidfd_open", libc::SYS_pidfd_open),
    ("preadv2", libc::SYS_preadv2),
    ("pwritev2", libc::SYS_pwritev2),
    ("rseq", libc::SYS_rseq),
];

/// Takes from a program what the name of its backend says that it is without.
pub(crate) fn surround(program: &mut Command, backend: &str) {
    for (word, errno) in [(" without ", libc::ENOSYS), (" forbidding ", libc::EPERM)] {
        for name in backend.split_once(word).map_or("", |(_, names)| names).split(" and ") {
            let Some((_, call)) = CALLS.iter().find(|(known, _)| *known == name) else {
                assert!(name.is_empty(), "no such call: {name}");
                continue;
            };
            // SAFETY: two system calls, and nothing on the heap.
            unsafe {
                program.pre_exec(move || {
                    deny(*call, errno);
                    Ok(())
                });
            }
        }
    }
}

/// Makes a system call fail in the calling thread and those it starts, as on a
/// kernel that does not have it.
///
/// # Panics
///
/// If the kernel has no filters; under an emulator the test ends here.
pub fn deny(call: libc::c_long, errno: i32) {
    filter(call, None, fails_with(errno));
}

/// Has a system call of the calling thread answered by `SIGSYS`, as a sandbox does that
/// makes the call in the thread's place.
///
/// # Panics
///
/// As [`deny`].
pub fn trap(call: libc::c_long) {
    filter(call, None, libc::SECCOMP_RET_TRAP);
}

/// As [`deny`], where the call's first argument is this one.
///
/// # Panics
///
/// As [`deny`].
pub fn deny_with(call: libc::c_long, argument: u32, errno: i32) {
    filter(call, Some(argument), fails_with(errno));
}

fn fails_with(errno: i32) -> u32 {
    libc::SECCOMP_RET_ERRNO | errno.unsigned_abs()
}

fn filter(call: libc::c_long, argument: Option<u32>, answer: u32) {
    // Of struct seccomp_data: the number, and the lower half of an argument.
    const ARGUMENT: u32 = if cfg!(target_endian = "little") { 16 } else { 20 };
    const LOAD: u32 = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    const SKIP_UNLESS: u32 = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    const RETURN: u32 = libc::BPF_RET | libc::BPF_K;
    let number = u32::try_from(call).expect("a system call");
    let step = |code, jf, k| {
        let code = u16::try_from(code).expect("the codes have 16 bits");
        libc::sock_filter { code, jt: 0, jf, k }
    };
    let (load, skip) = match argument {
        Some(argument) => (step(LOAD, 0, ARGUMENT), step(SKIP_UNLESS, 1, argument)),
        // Looks at the number once more.
        None => (step(LOAD, 0, 0), step(SKIP_UNLESS, 1, number)),
    };
    let mut filter = [
        step(LOAD, 0, 0),
        step(SKIP_UNLESS, 3, number),
        load,
        skip,
        step(RETURN, 0, answer),
        step(RETURN, 0, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: 6, filter: filter.as_mut_ptr() };
    // SAFETY: integers, and a program of six steps that outlives the call.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        let mode = libc::SECCOMP_MODE_FILTER;
        if libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program) != 0 {
            crate::leave_out("a call that is denied", std::io::Error::last_os_error());
        }
    }
}
