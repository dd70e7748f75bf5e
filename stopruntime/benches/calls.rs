//! A marked call with data ready against the same call of std and against the
//! bare system call: `cargo bench -p stopruntime --bench calls`.
//!
//! All columns of a row are interleaved in one process, because these figures
//! mean something only as ratios; the best and the median of the rounds are
//! printed. The backend is the one in force (`STOPRUNTIME_BACKEND`).

#![allow(unsafe_code, missing_docs)]
// System call arguments are registers, and the floor has to be inlined.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::inline_always)]

use std::fs::{self, File};
use std::hint::black_box;
use std::io::{self, Read};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Instant;
use stopruntime::ext::{PeekFromOrStop, ReadOrStop, RecvFromOrStop};

const ROUNDS: usize = 61;
const TURNS: u32 = 20_000;

fn main() -> io::Result<()> {
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    machine();
    println!(
        "{:<28} {:>9} {:>9} {:>9}   ours/std  ours/floor",
        "ns per call", "floor", "std", "ours"
    );
    read_zero()?;
    peek_from()?;
    round_trip()?;
    Ok(())
}

fn machine() {
    let line = |path: &str, key: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        text.lines().find(|line| line.starts_with(key)).unwrap_or_default().to_owned()
    };
    println!("{}", line("/proc/cpuinfo", "model name"));
    println!("{}", line("/proc/version", ""));
    for name in ["retbleed", "spec_rstack_overflow", "spectre_v2"] {
        let path = format!("/sys/devices/system/cpu/vulnerabilities/{name}");
        println!("{name}: {}", line(&path, ""));
    }
    println!("backend: {}\n", stopruntime::backend());
}

/// Runs the columns in turn, round after round.
fn row(name: &str, columns: &mut [&mut dyn FnMut(u32)]) {
    let mut times = vec![Vec::with_capacity(ROUNDS); columns.len()];
    for _ in 0..ROUNDS {
        for (column, times) in columns.iter_mut().zip(&mut times) {
            let start = Instant::now();
            column(TURNS);
            times.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(TURNS));
        }
    }
    for times in &mut times {
        times.sort_by(f64::total_cmp);
    }
    for (kind, at) in [("best", 0), ("median", ROUNDS / 2)] {
        let [floor, std, ours] = [times[0][at], times[1][at], times[2][at]];
        println!(
            "{:<28} {floor:>9.1} {std:>9.1} {ours:>9.1}   {:>8.3}  {:>8.3}",
            format!("{name}, {kind}"),
            ours / std,
            ours / floor
        );
    }
}

/// The bare instruction, inlined: what no implementation can undercut.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn floor(number: libc::c_long, args: [usize; 6]) -> isize {
    let result;
    // SAFETY: the caller answers for the call; registers as syscall(2) says.
    unsafe {
        std::arch::asm!(
            "syscall",
            inout("rax") number as isize => result,
            in("rdi") args[0], in("rsi") args[1], in("rdx") args[2],
            in("r10") args[3], in("r8") args[4], in("r9") args[5],
            out("rcx") _, out("r11") _,
            options(nostack),
        );
    }
    result
}

#[cfg(not(target_arch = "x86_64"))]
unsafe fn floor(number: libc::c_long, args: [usize; 6]) -> isize {
    // SAFETY: the caller answers for the call.
    unsafe { libc::syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]) as isize }
}

fn read_zero() -> io::Result<()> {
    let file = File::open("/dev/zero")?;
    let mut byte = [0_u8; 1];
    let descriptor = file.as_raw_fd() as usize;
    row(
        "read /dev/zero, 1 byte",
        &mut [
            &mut |turns| {
                let mut byte = [0_u8; 1];
                for _ in 0..turns {
                    let args = [descriptor, byte.as_mut_ptr() as usize, 1, 0, 0, 0];
                    // SAFETY: one writable byte.
                    assert_eq!(unsafe { floor(libc::SYS_read, args) }, 1);
                }
            },
            &mut |turns| {
                for _ in 0..turns {
                    assert_eq!((&file).read(&mut byte).unwrap(), 1);
                }
            },
            &mut |turns| {
                let mut byte = [0_u8; 1];
                for _ in 0..turns {
                    assert_eq!((&file).read_or_stop(&mut byte).unwrap().unwrap(), 1);
                }
            },
        ],
    );
    Ok(())
}

fn peek_from() -> io::Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.send_to(b"x", socket.local_addr()?)?;
    let descriptor = socket.as_raw_fd() as usize;
    row(
        "UdpSocket::peek_from",
        &mut [
            &mut |turns| {
                let mut buffer = [0_u8; 64];
                let mut address = std::mem::MaybeUninit::<libc::sockaddr_storage>::uninit();
                for _ in 0..turns {
                    let mut length = size_of::<libc::sockaddr_storage>();
                    let args = [
                        descriptor,
                        buffer.as_mut_ptr() as usize,
                        buffer.len(),
                        libc::MSG_PEEK as usize,
                        address.as_mut_ptr() as usize,
                        &raw mut length as usize,
                    ];
                    // SAFETY: buffer, address and length are writable.
                    assert_eq!(unsafe { floor(libc::SYS_recvfrom, args) }, 1);
                }
            },
            &mut |turns| {
                let mut buffer = [0_u8; 64];
                for _ in 0..turns {
                    black_box::<(usize, SocketAddr)>(socket.peek_from(&mut buffer).unwrap());
                }
            },
            &mut |turns| {
                let mut buffer = [0_u8; 64];
                for _ in 0..turns {
                    let peeked = socket.peek_from_or_stop(&mut buffer).unwrap().unwrap();
                    black_box::<(usize, SocketAddr)>(peeked);
                }
            },
        ],
    );
    Ok(())
}

/// A datagram to oneself: what a receiving loop does, less the waiting.
fn round_trip() -> io::Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(socket.local_addr()?)?;
    let descriptor = socket.as_raw_fd() as usize;
    row(
        "UdpSocket::send + recv_from",
        &mut [
            &mut |turns| {
                let mut buffer = [0_u8; 64];
                let mut address = std::mem::MaybeUninit::<libc::sockaddr_storage>::uninit();
                for _ in 0..turns {
                    socket.send(b"x").unwrap();
                    let mut length = size_of::<libc::sockaddr_storage>();
                    let args = [
                        descriptor,
                        buffer.as_mut_ptr() as usize,
                        buffer.len(),
                        0,
                        address.as_mut_ptr() as usize,
                        &raw mut length as usize,
                    ];
                    // SAFETY: buffer, address and length are writable.
                    assert_eq!(unsafe { floor(libc::SYS_recvfrom, args) }, 1);
                }
            },
            &mut |turns| {
                let mut buffer = [0_u8; 64];
                for _ in 0..turns {
                    socket.send(b"x").unwrap();
                    black_box(socket.recv_from(&mut buffer).unwrap());
                }
            },
            &mut |turns| {
                let mut buffer = [0_u8; 64];
                for _ in 0..turns {
                    socket.send(b"x").unwrap();
                    black_box(socket.recv_from_or_stop(&mut buffer).unwrap().unwrap());
                }
            },
        ],
    );
    Ok(())
}
