//! Vectors that the compiler keeps in registers across a marked call hold the same
//! afterwards: a loop with such a call comes to the same numbers as a plain one.
//!
//! Kernels destroy scalable vectors at each system call, so these tests can fail
//! only in an optimised program for a processor that has them. The scripts
//! `aarch64-kernel`, `riscv64` and `riscv64-kernel` of `.ci/platforms` build and run
//! such programs; without the windows' declarations `v0` to `v31` every way below is
//! wrong there.

#![allow(unsafe_code)]
// `emulated`: by a script, see the end.
#![allow(unexpected_cfgs)]

use core::hint::black_box;
use core::sync::atomic::{AtomicUsize, Ordering};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram;
use std::sync::mpsc;
use stop_tests::proc::{rest, wait_for};
use stop_tests::signals::{STOP, catch, send};
use stop_tests::{per_backend, thread_id, wait_until_blocked_in};
use stopruntime::ext::RecvOrStop;
use stopruntime::{stoppable, sys};

/// Some vectors' worth, however long they are.
type Numbers = [u32; 1024];

/// Calculates in rounds, as many as are asked for, with a receive before each.
type Way = fn(&UnixDatagram, &mut Numbers, u32, u32);

/// The ways to a window, and those that calculate by them.
const WAYS: &[(&str, Way)] = &[
    ("a method", by_method),
    ("a system call by its name", by_name),
    ("a marked call", marked),
    ("a marked call in a condition", marked_in_a_condition),
];

const ROUNDS: u32 = 3;
/// What a receive waits in: libc's call, the backend's (a message, which
/// `blocked_in` gives as its simple form), and the look before it.
const RECEIVES: [libc::c_long; 3] = [stop_tests::RECV, libc::SYS_recvfrom, libc::SYS_ppoll];

/// What keeps vectors in registers from round to round: the factor and the
/// constant, each in all elements of one, and the indices to begin with.
#[inline]
fn calculate(numbers: &mut Numbers, factor: u32) {
    for (index, number) in (0_u32..).zip(numbers) {
        *number = number.wrapping_add(index).wrapping_mul(factor) ^ 0x1_2345;
    }
}

#[inline(never)]
fn plain(socket: &UnixDatagram, numbers: &mut Numbers, factor: u32, rounds: u32) {
    for _ in 0..rounds {
        socket.recv(&mut [0; 8]).unwrap();
        calculate(numbers, factor);
    }
}

#[inline(never)]
fn by_method(socket: &UnixDatagram, numbers: &mut Numbers, factor: u32, rounds: u32) {
    let mut block = [0; 8];
    for _ in 0..rounds {
        let Ok(Ok(_)) = socket.recv_or_stop(&mut block) else { return };
        calculate(numbers, factor);
    }
}

#[inline(never)]
fn by_name(socket: &UnixDatagram, numbers: &mut Numbers, factor: u32, rounds: u32) {
    let mut block = [0_u8; 8];
    let (descriptor, place) = (socket.as_raw_fd(), block.as_mut_ptr().cast());
    for _ in 0..rounds {
        // SAFETY: the block outlives the call.
        let Ok(0..) = (unsafe { sys::recv_or_stop(descriptor, place, 8, 0) }) else { return };
        calculate(numbers, factor);
    }
}

#[stoppable]
#[inline(never)]
fn marked(socket: &UnixDatagram, numbers: &mut Numbers, factor: u32, rounds: u32) {
    let mut block = [0; 8];
    for _ in 0..rounds {
        #[blocking]
        let Ok(_) = socket.recv(&mut block) else { return };
        calculate(numbers, factor);
    }
}

#[stoppable]
#[inline(never)]
fn marked_in_a_condition(
    socket: &UnixDatagram,
    numbers: &mut Numbers,
    factor: u32,
    mut rounds: u32,
) {
    let mut block = [0; 8];
    while rounds > 0 && blocking!(socket.recv(&mut block)).is_ok() {
        calculate(numbers, factor);
        rounds -= 1;
    }
}

/// What a thread of its own comes to when each of its waits is over once
/// `disturb` has been called.
fn numbers(way: Way, disturb: fn(i32)) -> Numbers {
    let (socket, other) = UnixDatagram::pair().unwrap();
    let (sender, receiver) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        sender.send(thread_id()).unwrap();
        let mut numbers = [1; 1024];
        way(&socket, &mut numbers, black_box(3), black_box(ROUNDS));
        numbers
    });
    let id = receiver.recv().unwrap();
    for round in 0..ROUNDS {
        wait_until_blocked_in(id, &RECEIVES);
        disturb(id);
        wait_until_blocked_in(id, &RECEIVES);
        // The next wait, and not the end of this one, is what is seen next.
        let sleeps = rest(id).sleeps;
        other.send(b"message").unwrap();
        if round + 1 < ROUNDS {
            wait_for("the next round", || rest(id).sleeps > sleeps);
        }
    }
    thread.join().unwrap()
}

static HANDLED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn handler(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    HANDLED.fetch_add(1, Ordering::SeqCst);
}

/// The call is interrupted and made again: by the stop signal without a
/// request, and by a foreign one.
fn interrupt(thread: i32) {
    for signal in [STOP, libc::SIGUSR1] {
        let before = HANDLED.load(Ordering::SeqCst);
        send(thread, signal);
        wait_for("the handler", || HANDLED.load(Ordering::SeqCst) > before);
        wait_until_blocked_in(thread, &RECEIVES);
    }
}

fn check(disturb: fn(i32)) {
    let right = numbers(plain, |_| {});
    let wrong: Vec<_> =
        WAYS.iter().filter(|way| numbers(way.1, disturb) != right).map(|way| way.0).collect();
    assert!(wrong.is_empty(), "other numbers than the plain loop's with: {wrong:?}");
}

per_backend! {
    fn vectors_survive_a_marked_call() {
        check(|_| {});
    }

    fn vectors_survive_a_call_that_is_made_again() {
        for signal in [STOP, libc::SIGUSR1] {
            catch(signal, handler, libc::SA_RESTART, &[]);
        }
        check(interrupt);
    }
}

/// The same loops with a system call that does not declare what it destroys: they
/// keep vectors in registers, and the caller of such a function destroys those.
#[test]
#[cfg(any(
    all(target_arch = "aarch64", target_feature = "sve"),
    all(target_arch = "riscv64", target_feature = "v")
))]
fn these_tests_can_fail() {
    assert!(numbers(undeclared, |_| {}) != numbers(plain, |_| {}), "no vector was live");
}

#[cfg(any(
    all(target_arch = "aarch64", target_feature = "sve"),
    all(target_arch = "riscv64", target_feature = "v")
))]
#[inline(never)]
fn undeclared(socket: &UnixDatagram, numbers: &mut Numbers, factor: u32, rounds: u32) {
    let mut block = [0_u8; 8];
    let descriptor = socket.as_raw_fd();
    for _ in 0..rounds {
        let received: isize;
        // SAFETY: recvfrom(2) into a block that outlives the call. That vectors
        // are destroyed is not declared, and makes wrong numbers of them.
        #[cfg(target_arch = "aarch64")]
        unsafe {
            core::arch::asm!("svc #0", inout("x0") descriptor as isize => received,
                in("x1") block.as_mut_ptr(), in("x2") 8, in("x3") 0, in("x4") 0, in("x5") 0,
                inout("x8") libc::SYS_recvfrom => _, options(nostack));
        }
        // SAFETY: as above.
        #[cfg(target_arch = "riscv64")]
        unsafe {
            core::arch::asm!("ecall", inout("a0") descriptor as isize => received,
                in("a1") block.as_mut_ptr(), in("a2") 8, in("a3") 0, in("a4") 0, in("a5") 0,
                inout("a7") libc::SYS_recvfrom => _, out("t0") _, options(nostack));
        }
        assert!(received > 0);
        calculate(numbers, factor);
    }
}

// An emulator of user space leaves the vectors as they are. So the instruction,
// wherever it stands in a program that is built for one, is followed by what Linux
// makes of them: all ones, and a configuration that is not one
// (__riscv_v_vstate_discard). `t0` is one of the registers that the window works in.
#[cfg(all(target_arch = "riscv64", target_feature = "v", emulated))]
core::arch::global_asm!(
    ".macro ecall",
    ".4byte 0x00000073",
    "vsetvli t0, zero, e8, m8, ta, ma",
    "vmv.v.i v0, -1",
    "vmv.v.i v8, -1",
    "vmv.v.i v16, -1",
    "vmv.v.i v24, -1",
    "li t0, 1 << 63",
    "vsetvl zero, zero, t0",
    ".endm",
);
