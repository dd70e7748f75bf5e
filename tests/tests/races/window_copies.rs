//! Every window in this program, all inlined copies: each is read back from the
//! machine code and has to be what it should, and a thread is put into each and
//! met at each of its instructions: by a request, by a stray signal, by a
//! foreign handler with `SA_RESTART` that requests.
//!
//! On the handler backend, for what `window_steps` says. The copies are the
//! same for both.

#![cfg(target_arch = "x86_64")]
#![allow(clippy::cast_possible_truncation, reason = "registers")]

use std::io::pipe;
use std::os::fd::AsRawFd;
use std::sync::mpsc;
use stop_tests::copies::{CLEARING, Copy, INSTRUCTIONS};
use stop_tests::proc::{asleep_in, rest};
use stop_tests::ptrace::{Event, Go, Traced, trap};
use stop_tests::signals::{STOP, catch, is_masked, plain_read, plain_write, send_to};
use stop_tests::tracee::{Line, Tracee, line_to_tracer, start};
use stop_tests::{on_backends, thread_id};
use stopruntime::ext::{AcceptOrStop, ReadOrStop, RecvFromOrStop, SendToOrStop, WriteOrStop};
use stopruntime::{Stopper, sys, testing, thread};

/// What makes the compiler put windows of each number of arguments into this
/// program, on their own and inlined into code of the user's.
fn copies() -> Vec<Copy> {
    let kept: [*const (); 9] = [
        sys::pause_or_stop as *const (),
        sys::fsync_or_stop as *const (),
        sys::nanosleep_or_stop as *const (),
        sys::read_or_stop as *const (),
        sys::wait4_or_stop as *const (),
        sys::preadv_or_stop as *const (),
        sys::recvfrom_or_stop as *const (),
        sys::syscall_or_stop as *const (),
        user as *const (),
    ];
    std::hint::black_box(kept);
    let (copies, widened): (Vec<_>, Vec<_>) =
        testing::windows().into_iter().partition(|(_, length, _)| *length <= LONGEST);
    assert!(widened.len() <= 1, "the one of `testing`, and none besides: {widened:x?}");
    copies.into_iter().map(Copy::read).collect()
}

/// `cmp`, `je` and `syscall`, in bytes.
const LONGEST: usize = 5 + 6 + 2;

fn user(
    listener: &std::net::TcpListener,
    socket: &std::net::UdpSocket,
) -> Result<(), stopruntime::Stopped> {
    let mut buffer = [0; 16];
    let Ok((mut stream, _)) = listener.accept_or_stop()? else { return Ok(()) };
    while let Ok(length @ 1..) = stream.read_or_stop(&mut buffer)? {
        let _ = stream.write_or_stop(&buffer[..length])?;
        if let Ok((length, sender)) = socket.recv_from_or_stop(&mut buffer)? {
            let _ = socket.send_to_or_stop(&buffer[..length], sender)?;
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Debug)]
enum Met {
    Request,
    Handler,
    Stray,
}

extern "C" fn requests(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    Stopper::current().request_stop();
}

/// The tracee: one thread after the other, each put into a window by the tracer.
fn serve(mut line: Line) {
    catch(libc::SIGUSR1, requests, libc::SA_RESTART, &[]);
    let mut current = None;
    while let Some(command) = line.next_command() {
        if command == b'n' {
            let (sender, receiver) = mpsc::channel();
            let (opened, gate) = pipe().unwrap();
            let (mut data, data_in) = pipe().unwrap();
            let handle = thread::spawn(move || {
                let mut byte = [0_u8];
                let addresses = [testing::line(), byte.as_mut_ptr().expose_provenance()];
                sender.send((thread_id(), data.as_raw_fd(), addresses)).unwrap();
                plain_read(opened.as_raw_fd()).unwrap();
                trap();
                let stopped =
                    stopruntime::stop_requested() && data.read_or_stop(&mut byte).is_err();
                assert!(!is_masked(STOP), "the signal is held off");
                assert_eq!(rest(thread_id()).pending, 0, "a signal is still to come");
                stopped
            });
            let (tid, descriptor, addresses) = receiver.recv().unwrap();
            line.send(&[command]);
            line.send_number(tid);
            line.send_number(descriptor);
            for address in addresses {
                line.send(&address.to_ne_bytes());
            }
            current = Some((handle, gate, data_in));
            continue;
        }
        let Some((handle, gate, data_in)) = &current else { unreachable!("a thread first") };
        match command {
            b'g' => assert!(plain_write(gate.as_raw_fd())),
            b'w' => assert!(plain_write(data_in.as_raw_fd())),
            b'r' => assert!(handle.request_stop()),
            _ => {}
        }
        line.send(&[command]);
        if command == b'j' {
            let (handle, ..) = current.take().expect("a thread");
            line.send(&[u8::from(handle.join().unwrap())]);
        }
    }
}

struct Steps {
    tracee: Tracee,
    line: Line,
}

impl Steps {
    /// Puts a fresh thread into a window and meets it after this many
    /// instructions, the last of which sleeps.
    fn meet(&mut self, copy: &Copy, index: usize, by: Met) {
        self.line.command(b'n');
        let thread = Traced::seize(self.tracee.process(), self.line.receive_number());
        let descriptor = self.line.receive_number();
        let address = |line: &mut Line| usize::from_ne_bytes(line.receive()) as u64;
        let (words, byte) = (address(&mut self.line), address(&mut self.line));
        self.line.command(b'g');
        assert_eq!(thread.wait(), Event::Trap);

        let saved = thread.registers();
        let mut registers = saved;
        registers.rip = copy.enter as u64;
        // The call itself, whatever the arguments that this copy was made for.
        registers.rax = libc::SYS_read as u64;
        (registers.rdi, registers.rsi, registers.rdx) =
            (u64::from(descriptor.cast_unsigned()), byte, 1);
        let reads = place_line(&mut registers, copy.line, words);
        thread.set_registers(&registers);
        let place = format!("{by:?} after {index} instructions of {copy:x?}");

        let code = thread.break_at(copy.end);
        let mut stopped = true;
        for _ in 0..index {
            thread.go(Go::Step, 0);
            stopped = thread.wait_unless_asleep().is_some();
        }
        match by {
            Met::Request => self.line.command(b'r'),
            Met::Handler => send_to(thread.process(), thread.thread(), libc::SIGUSR1),
            Met::Stray => {
                send_to(thread.process(), thread.thread(), STOP);
                // A read goes on waiting; pause ends by any handler, as always,
                // and if it came before, only by a request.
                if reads {
                    assert!(!thread.run(stopped, true), "{place}: ended by a stray signal");
                    assert!(asleep_in(thread.thread()).is_some(), "{place}");
                    stopped = false;
                    self.line.command(b'w');
                } else if index < INSTRUCTIONS {
                    self.line.command(b'r');
                }
            }
        }
        let arrives = thread.run(stopped, false);
        assert!(arrives, "{place}: lost");

        let result = thread.registers().rax.cast_signed();
        match by {
            Met::Stray if reads => assert_eq!(result, 1, "{place}"),
            _ if reads => assert_eq!(result, i64::MIN, "{place}"),
            _ => {
                let interrupted = -i64::from(libc::EINTR);
                assert!([i64::MIN, interrupted].contains(&result), "{place}: {result}");
            }
        }
        thread.resume_at(copy.end, code);
        for _ in 0..CLEARING {
            thread.go(Go::Step, 0);
            assert_eq!(thread.wait(), Event::Trap, "{place}");
        }
        thread.set_registers(&saved);
        thread.detach();
        self.line.command(b'j');
        let [seen_again] = self.line.receive();
        assert_eq!(
            seen_again == 1,
            !(matches!(by, Met::Stray) && (reads || index == INSTRUCTIONS))
        );
    }
}

/// Gives the register of this number the line's address. False if that was one
/// of the arguments of `read`: `pause`, which has none, is then the call.
fn place_line(registers: &mut libc::user_regs_struct, number: u8, line: u64) -> bool {
    let reads = ![2, 6, 7].contains(&number);
    if !reads {
        registers.rax = libc::SYS_pause as u64;
    }
    let place = match number {
        2 => &mut registers.rdx,
        3 => &mut registers.rbx,
        5 => &mut registers.rbp,
        6 => &mut registers.rsi,
        7 => &mut registers.rdi,
        8 => &mut registers.r8,
        9 => &mut registers.r9,
        10 => &mut registers.r10,
        12 => &mut registers.r12,
        13 => &mut registers.r13,
        14 => &mut registers.r14,
        15 => &mut registers.r15,
        other => panic!("the line is never in register {other}"),
    };
    *place = line;
    reads
}

on_backends! { ["handler"];
    fn at_each_instruction_of_each_copy() {
        // Also in the tracer: the same program at other addresses.
        let all = copies();
        assert!(all.len() >= 9, "{} windows", all.len());
        if let Some(mut line) = line_to_tracer() {
            line.send_number(i32::try_from(all.len()).unwrap());
            for copy in all {
                line.send(&copy.enter.to_ne_bytes());
                line.send(&copy.end.to_ne_bytes());
                line.send(&[copy.line]);
            }
            return serve(line);
        }
        let (tracee, mut line) = start();
        let count = line.receive_number();
        let mut receive = || {
            let (enter, end) = (usize::from_ne_bytes(line.receive()), usize::from_ne_bytes(line.receive()));
            let [register] = line.receive();
            Copy { enter, end, line: register }
        };
        let all: Vec<Copy> = (0..count).map(|_| receive()).collect();
        let mut steps = Steps { tracee, line };
        for copy in &all {
            for index in 0..=INSTRUCTIONS {
                for by in [Met::Request, Met::Handler, Met::Stray] {
                    steps.meet(copy, index, by);
                }
            }
        }
        println!("{} windows, {} meetings each", all.len(), 3 * (INSTRUCTIONS + 1));
    }
}
