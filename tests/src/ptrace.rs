//! Threads of a child process under a debugger: stepped, held at a system
//! call, signalled at an instruction of our choice. ptrace(2).
//!
//! # Safety
//!
//! The invariant of this module: requests only read and write through pointers
//! to locals of the right type; the tracee's registers are changed, and of its
//! memory only a byte of code, which is put back.

use crate::proc::{asleep_in, limit};
use core::ffi::c_void;
use core::mem::offset_of;
use core::ptr::null_mut;
use std::io::Error;
use std::time::Instant;

/// Why a traced thread stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// One instruction was done, or an `int3` reached.
    Trap,
    /// A system call begins or has ended.
    Call,
    /// A signal is about to be delivered.
    Signal(i32),
    /// A stop of the tracer's own making.
    Other,
    /// The thread exists no more.
    Ended,
}

/// How it goes on.
#[derive(Clone, Copy, Debug)]
pub enum Go {
    /// For one instruction.
    Step,
    /// To the next beginning or end of a system call.
    ToCall,
    /// Freely.
    On,
}

/// A thread of another process, traced by the calling thread. The process dies
/// with its tracer.
pub struct Traced {
    process: i32,
    thread: i32,
}

impl Traced {
    /// Attaches to a thread, which goes on as it is.
    pub fn seize(process: i32, thread: i32) -> Traced {
        let traced = Traced { process, thread };
        let options = libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_EXITKILL;
        traced.request(libc::PTRACE_SEIZE, integer(options));
        traced
    }

    /// As [`Traced::seize`], but the process outlives its tracer, and the
    /// thread may have ended.
    pub fn try_seize(process: i32, thread: i32) -> Option<Traced> {
        let traced = Traced { process, thread };
        traced.try_request(libc::PTRACE_SEIZE, null_mut()).then_some(traced)
    }

    /// Makes the thread stop wherever it is; false if it has ended.
    pub fn interrupt(&self) -> bool {
        self.try_request(libc::PTRACE_INTERRUPT, null_mut())
    }

    /// Lets go of the stopped thread, with this signal delivered if not 0; it
    /// may have been killed in between.
    pub fn detach_with(self, signal: i32) {
        self.try_request(libc::PTRACE_DETACH, integer(signal));
    }

    /// The id of the thread.
    pub fn thread(&self) -> i32 {
        self.thread
    }

    /// The id of its process.
    pub fn process(&self) -> i32 {
        self.process
    }

    /// Lets the stopped thread go on, with this signal delivered if not 0.
    pub fn go(&self, how: Go, signal: i32) {
        let request = match how {
            Go::Step => libc::PTRACE_SINGLESTEP,
            Go::ToCall => libc::PTRACE_SYSCALL,
            Go::On => libc::PTRACE_CONT,
        };
        self.request(request, integer(signal));
    }

    /// Waits for the next stop.
    pub fn wait(&self) -> Event {
        self.look(0).expect("waitpid without WNOHANG")
    }

    /// As [`Traced::wait`], at most for as long as only a hang takes.
    pub fn wait_or_hang(&self) -> Option<Event> {
        self.wait_unless(|| false)
    }

    /// The next stop; `None` if the thread goes to sleep in a system call
    /// instead, or hangs.
    pub fn wait_unless_asleep(&self) -> Option<Event> {
        self.wait_unless(|| asleep_in(self.thread).is_some())
    }

    fn wait_unless(&self, mut or: impl FnMut() -> bool) -> Option<Event> {
        let deadline = Instant::now() + limit();
        loop {
            if let Some(event) = self.look(libc::WNOHANG) {
                return Some(event);
            }
            if or() || Instant::now() > deadline {
                // It may have stopped in between.
                return self.look(libc::WNOHANG);
            }
            std::thread::yield_now();
        }
    }

    fn look(&self, flags: i32) -> Option<Event> {
        let mut status = 0;
        // SAFETY: a valid place for the status.
        let found = unsafe { libc::waitpid(self.thread, &raw mut status, libc::__WALL | flags) };
        assert!(found >= 0, "waitpid of {}: {}", self.thread, Error::last_os_error());
        if found == 0 {
            return None;
        }
        if !libc::WIFSTOPPED(status) {
            return Some(Event::Ended);
        }
        let signal = libc::WSTOPSIG(status);
        Some(match (status >> 16, signal) {
            (0, libc::SIGTRAP) => Event::Trap,
            (0, signal) if signal == libc::SIGTRAP | 0x80 => Event::Call,
            (0, signal) => Event::Signal(signal),
            _ => Event::Other,
        })
    }

    /// Runs freely to the next `int3`, with all signals on the way delivered;
    /// false if it falls asleep first and `sleeping` is an end, or hangs.
    /// `stopped`: it is, and has to be sent on its way.
    pub fn run(&self, stopped: bool, sleeping: bool) -> bool {
        if stopped {
            self.go(Go::On, 0);
        }
        loop {
            let event = if sleeping { self.wait_unless_asleep() } else { self.wait_or_hang() };
            match event {
                Some(Event::Trap) if self.is_behind_trap() => return true,
                Some(Event::Signal(signal)) => self.go(Go::On, signal),
                // A trap: the end of a step that slept in a system call.
                Some(Event::Trap | Event::Call | Event::Other) => self.go(Go::On, 0),
                Some(Event::Ended) => panic!("thread {} ended", self.thread),
                None => return false,
            }
        }
    }

    /// The registers of the stopped thread.
    pub fn registers(&self) -> libc::user_regs_struct {
        // SAFETY: zeroed is a valid set of integers.
        let mut registers: libc::user_regs_struct = unsafe { core::mem::zeroed() };
        self.request(libc::PTRACE_GETREGS, (&raw mut registers).cast());
        registers
    }

    /// Gives the stopped thread these registers.
    pub fn set_registers(&self, registers: &libc::user_regs_struct) {
        self.request(libc::PTRACE_SETREGS, core::ptr::from_ref(registers).cast_mut().cast());
    }

    /// Puts a breakpoint there; the code that was there.
    pub fn break_at(&self, address: usize) -> i64 {
        let at = core::ptr::without_provenance_mut::<c_void>(address);
        // SAFETY: reads a word of the tracee, which glibc returns.
        let code =
            unsafe { libc::ptrace(libc::PTRACE_PEEKTEXT, self.thread, at, null_mut::<c_void>()) };
        self.poke(at, code & !0xff | 0xcc);
        code
    }

    /// Takes the breakpoint away that the thread has reached.
    pub fn resume_at(&self, address: usize, code: i64) {
        let mut registers = self.registers();
        assert_eq!(registers.rip, address as u64 + 1, "stopped elsewhere");
        registers.rip -= 1;
        self.set_registers(&registers);
        self.poke(core::ptr::without_provenance_mut(address), code);
    }

    fn poke(&self, at: *mut c_void, word: i64) {
        // SAFETY: the word that was there, but for the byte of a breakpoint.
        let done = unsafe { libc::ptrace(libc::PTRACE_POKETEXT, self.thread, at, word) };
        assert!(done == 0, "poke of {at:?}: {}", Error::last_os_error());
    }

    /// Runs the thread, which stands at neither, to one of these instructions; by
    /// breakpoints of the processor, which no other thread meets.
    pub fn run_to(&self, addresses: [usize; 2]) {
        // Both are local, and met as they are about to be carried out.
        const ENABLED: usize = 0b0101;
        let [first, second] = addresses;
        let is_set = self.debug(0, first) && self.debug(1, second) && self.debug(7, ENABLED);
        if is_set {
            self.go(Go::On, 0);
            assert_eq!(self.wait(), Event::Trap);
            assert!(self.debug(7, 0), "{}", Error::last_os_error());
            if addresses.contains(&(self.pc() - 1)) && self.is_behind_trap() {
                // The processor has missed one; the program's own is there.
                let mut registers = self.registers();
                registers.rip -= 1;
                self.set_registers(&registers);
            }
            let pc = self.pc();
            assert!(addresses.contains(&pc), "stopped at {pc:#x}, not at {addresses:#x?}");
            return;
        }
        // There are none.
        loop {
            self.go(Go::Step, 0);
            assert_eq!(self.wait(), Event::Trap);
            if addresses.contains(&self.pc()) {
                return;
            }
        }
    }

    /// Writes a debug register. ptrace(2): `PTRACE_POKEUSER`.
    fn debug(&self, register: usize, value: usize) -> bool {
        let offset = offset_of!(libc::user, u_debugreg) + register * size_of::<usize>();
        let [offset, value] = [offset, value].map(core::ptr::without_provenance_mut::<c_void>);
        // SAFETY: two integers.
        unsafe { libc::ptrace(libc::PTRACE_POKEUSER, self.thread, offset, value) == 0 }
    }

    /// Of the two stops of a system call ([`Event::Call`]), whether this is the
    /// first: nothing is done yet, and the result says so. ptrace(2).
    pub fn is_entering_call(&self) -> bool {
        self.registers().rax.cast_signed() == -i64::from(libc::ENOSYS)
    }

    /// The address of the next instruction.
    pub fn pc(&self) -> usize {
        let offset = offset_of!(libc::user, regs) + offset_of!(libc::user_regs_struct, rip);
        let offset = core::ptr::without_provenance_mut::<c_void>(offset);
        // SAFETY: reads a register of the tracee, which glibc returns.
        let pc = unsafe {
            libc::ptrace(libc::PTRACE_PEEKUSER, self.thread, offset, null_mut::<c_void>())
        };
        usize::try_from(pc).expect("an address")
    }

    /// Whether the next instruction is `syscall`.
    pub fn is_at_call(&self) -> bool {
        self.code(0) & 0xffff == 0x050f
    }

    /// Whether the next instruction is `int3`.
    pub fn is_at_trap(&self) -> bool {
        self.code(0) & 0xff == 0xcc
    }

    /// Whether the last instruction was `int3`.
    fn is_behind_trap(&self) -> bool {
        self.code(1) & 0xff == 0xcc
    }

    /// Eight bytes of code, from this far before the next instruction.
    fn code(&self, back: usize) -> i64 {
        let pc = core::ptr::without_provenance_mut::<c_void>(self.pc() - back);
        // SAFETY: reads a word of the tracee, which glibc returns.
        unsafe { libc::ptrace(libc::PTRACE_PEEKTEXT, self.thread, pc, null_mut::<c_void>()) }
    }

    /// Lets go of the stopped thread.
    pub fn detach(self) {
        self.request(libc::PTRACE_DETACH, null_mut());
    }

    fn request(&self, request: Request, data: *mut c_void) {
        let done = self.try_request(request, data);
        assert!(done, "ptrace({request}) of {}: {}", self.thread, Error::last_os_error());
    }

    fn try_request(&self, request: Request, data: *mut c_void) -> bool {
        // SAFETY: `data` is an integer or a place of the type the request
        // writes.
        unsafe { libc::ptrace(request, self.thread, null_mut::<c_void>(), data) == 0 }
    }
}

/// The type of a request's number, another one in each libc.
#[cfg(target_env = "gnu")]
type Request = core::ffi::c_uint;
#[cfg(not(target_env = "gnu"))]
type Request = core::ffi::c_int;

/// ptrace(2) takes integers in the place of a pointer.
fn integer(value: i32) -> *mut c_void {
    core::ptr::without_provenance_mut(value.cast_unsigned() as usize)
}

/// Where the tracer takes over: a breakpoint of the tracee's own.
pub fn trap() {
    // SAFETY: raises SIGTRAP, which the tracer takes.
    unsafe { core::arch::asm!("int3", options(nomem, nostack)) }
}
