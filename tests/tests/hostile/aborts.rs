//! That the kernel aborts windows, seen: a breakpoint counts how often the abort
//! address of a window is executed while its thread is moved between processors and
//! preempted. Not with a debugger, which would abort them itself.
//! `perf_event_open(2)`.
//!
//! # Safety
//!
//! The invariant of this module: the structure that the kernel reads has the
//! size that it says, and the path in it ends with a zero.

use std::ffi::CString;
use std::fs::{File, read_to_string};
use std::io::{Error, Read, pipe};
use std::os::fd::{AsFd, AsRawFd, FromRawFd};
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use stop_tests::cores::Cores;
use stop_tests::proc::limit;
use stop_tests::signals::plain_write;
use stop_tests::{not_tested, on_backends, thread_id};
use stopruntime::{Backend, backend, testing};

/// The beginning of `struct perf_event_attr` (`linux/perf_event.h`), as far as
/// breakpoints need it. A uprobe has the path of a file and an offset in it where
/// the processor's breakpoint has its address and length (`config1`, `config2`).
#[repr(C)]
#[derive(Default)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wake_up: u32,
    breakpoint_type: u32,
    breakpoint_address: u64,
    breakpoint_length: u64,
}

/// Counts how often the calling thread executes the instruction there.
struct Counter(File);

impl Counter {
    /// By a breakpoint of the processor; or where Linux gives out none (riscv64), by
    /// one that it writes into the program.
    fn at(address: usize) -> Result<Counter, Error> {
        Counter::by_processor(address).or_else(|_| Counter::by_uprobe(address))
    }

    fn by_processor(address: usize) -> Result<Counter, Error> {
        const PERF_TYPE_BREAKPOINT: u32 = 5;
        const HW_BREAKPOINT_X: u32 = 4;
        Counter::open(Attributes {
            kind: PERF_TYPE_BREAKPOINT,
            breakpoint_type: HW_BREAKPOINT_X,
            breakpoint_address: address as u64,
            // What the kernel asks for with this type.
            breakpoint_length: size_of::<usize>() as u64,
            ..Attributes::default()
        })
    }

    fn by_uprobe(address: usize) -> Result<Counter, Error> {
        let kind = read_to_string("/sys/bus/event_source/devices/uprobe/type")?;
        let program = CString::new(std::env::current_exe()?.into_os_string().into_vec())?;
        Counter::open(Attributes {
            kind: kind.trim().parse().expect("a number"),
            breakpoint_address: program.as_ptr().addr() as u64,
            breakpoint_length: offset_in_program(address)?,
            ..Attributes::default()
        })
    }

    fn open(mut attributes: Attributes) -> Result<Counter, Error> {
        const EXCLUDE_KERNEL_AND_HYPERVISOR: u64 = 0b11 << 5;
        const FD_CLOEXEC: usize = 8;
        attributes.size = u32::try_from(size_of::<Attributes>()).expect("small");
        attributes.flags = EXCLUDE_KERNEL_AND_HYPERVISOR;
        // SAFETY: the module's invariant; this thread, any processor, no group. The
        // path of a uprobe is the caller's.
        let raw = unsafe {
            let attributes = &raw const attributes;
            libc::syscall(libc::SYS_perf_event_open, attributes, 0, -1, -1, FD_CLOEXEC)
        };
        if raw < 0 {
            return Err(Error::last_os_error());
        }
        // SAFETY: made just now, and nothing else owns it.
        Ok(Counter(unsafe { File::from_raw_fd(i32::try_from(raw).expect("a descriptor")) }))
    }

    fn count(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.read_exact(&mut bytes).expect("a count");
        u64::from_ne_bytes(bytes)
    }
}

/// Where the file of this program has what is loaded at the address. proc(5).
fn offset_in_program(address: usize) -> Result<u64, Error> {
    let number = |text| u64::from_str_radix(text, 16).expect("hexadecimal");
    let maps = read_to_string("/proc/self/maps")?;
    let found = maps.lines().find_map(|line| {
        let mut fields = line.split_whitespace();
        let (from, to) = fields.next()?.split_once('-')?;
        let offset = number(fields.nth(1)?);
        let within = (number(from)..number(to)).contains(&(address as u64));
        within.then(|| address as u64 - number(from) + offset)
    });
    found.ok_or_else(|| Error::other("the address is not mapped"))
}

on_backends! { ["rseq", "handler"];
    fn under_migration_without_any_signal() {
        // Tens of microseconds each: most of the thread's time.
        const SPINS: usize = 20_000;
        // The wide one is far longer than all others.
        let widest = testing::windows().into_iter().max_by_key(|(_, length, _)| *length);
        let (start, _, abort) = widest.expect("a window");
        let (reader, writer) = pipe().unwrap();
        let (cores, requester) = (Cores::available(), thread_id());
        let most = stop_tests::part_of(3_000);
        let done = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&done);
        let worker = std::thread::spawn(move || {
            let read = || {
                assert!(plain_write(writer.as_raw_fd()));
                assert_eq!(testing::read_widened(reader.as_fd(), &mut [0], SPINS), Ok(1));
            };
            // Where every read comes by: do breakpoints work here?
            let mut passes = Counter::at(start)?;
            read();
            if passes.count() == 0 {
                return Err(Error::other("it counts nothing"));
            }
            drop(passes);
            let mut counter = Counter::at(abort)?;
            let mut reads = 0;
            let expects_one = backend() == Backend::Rseq;
            let deadline = Instant::now() + limit();
            // More than enough; but an idle machine may interrupt none of them.
            while reads < most
                || expects_one && counter.count() == 0 && Instant::now() < deadline
            {
                reads += 1;
                read();
            }
            theirs.store(true, Ordering::Relaxed);
            Ok(counter.count())
        });
        let mut moves = 0;
        while !done.load(Ordering::Relaxed) && !worker.is_finished() {
            moves += cores.shuffle(requester);
        }
        match worker.join().unwrap() {
            Ok(aborts) if backend() == Backend::Rseq => {
                println!("{aborts} aborts, {moves} moves");
                assert!(aborts > 0, "{moves} moves and no abort");
            }
            Ok(aborts) => assert_eq!(aborts, 0, "nothing except the kernel would abort these"),
            Err(error) => {
                let error: Error = error;
                not_tested("how often windows are aborted", format_args!("no breakpoint: {error}"));
            }
        }
    }
}
