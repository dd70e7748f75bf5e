//! The alternate stack of an armed thread. Our handlers look at what each call is about to
//! do, and need more room than std gives its threads: 8 KiB, of which the kernel's frame
//! alone takes 3.2 (and 11 where a thread has used AMX: then std gives as much as the frame
//! has). What is lent here has room for a handler of the thread's own as well, on top of
//! which its calls are handed over.
//!
//! The kernel changes the stack only while the thread is not on it, and takes it from the
//! frame of a handler (`uc_stack`) as that returns: older ones after the registers, newer
//! ones before. So both are changed, and the system call is made as if from where the
//! thread was. A thread that was on an alternate stack without room keeps it, and the timer
//! is used until it has left that.
//!
//! The room is made once for a record, and never freed. What the timer looks for takes
//! place on it as well, without the kernel's knowing.
//!
//! # Safety
//!
//! The invariant of this module: a region is the calling thread's own. Its room is given to
//! the kernel as that thread's alternate stack only, and is not used again by another thread
//! if this one ends on it.

#![allow(unsafe_code)]

use super::super::kernel::plain;
use super::super::registers;
use crate::runtime::record::Record;
use crate::runtime::region::Region;
use crate::window::Context;
use core::ptr::null_mut;
use core::sync::atomic::Ordering::Relaxed;
use libc::stack_t;

/// What our handlers may take besides the kernel's frame; the tests hold each row of the
/// table to half of it, in debug builds.
const DEPTH: usize = 16 << 10;

/// For what a stack of ours stands for, above it.
const HEAD: usize = size_of::<stack_t>().next_multiple_of(16);

/// The stack of the region's, from its top: what it stands for, and below that the stack.
struct Lent {
    top: *mut stack_t,
}

impl Lent {
    /// The region's, if it has been made.
    fn of(region: &Region) -> Option<Lent> {
        let top = region.room.load(Relaxed);
        (!top.is_null()).then_some(Lent { top: top.cast() })
    }

    /// Made if it is not there; `None` for want of memory.
    fn made(region: &Region) -> Option<Lent> {
        Lent::of(region).or_else(|| {
            let page = auxiliary(AT_PAGESZ);
            let length = (size() + HEAD).next_multiple_of(page) + page;
            let protection = (libc::PROT_READ | libc::PROT_WRITE) as usize;
            let flags = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK) as usize;
            // SAFETY: new memory.
            let start =
                unsafe { plain(libc::SYS_mmap, [0, length, protection, flags, usize::MAX, 0]) };
            if start < 0 {
                return None;
            }
            let start = start.cast_unsigned();
            // An overflow is a fault.
            // SAFETY: the lowest page of it, which nothing uses.
            unsafe { plain(libc::SYS_mprotect, [start, page, libc::PROT_NONE as usize]) };
            let top = (start + length - HEAD) as *mut stack_t;
            region.room.store(top.cast(), Relaxed);
            Some(Lent { top })
        })
    }

    fn stack(&self) -> stack_t {
        let size = size();
        stack_t { ss_sp: self.top.wrapping_byte_sub(size).cast(), ss_flags: 0, ss_size: size }
    }

    fn is(&self, stack: &stack_t) -> bool {
        stack.ss_sp == self.stack().ss_sp
    }

    /// What it stands for.
    fn replaced(&self) -> stack_t {
        // SAFETY: written by `replaces`, before the region is said to have lent it.
        unsafe { *self.top }
    }

    fn replaces(&self, stack: &stack_t) {
        // SAFETY: a place in the mapping, aligned as its end is.
        unsafe { *self.top = *stack }
    }
}

const AT_PAGESZ: libc::c_ulong = 6;
const AT_MINSIGSTKSZ: libc::c_ulong = 51;

fn auxiliary(what: libc::c_ulong) -> usize {
    // SAFETY: a number.
    (unsafe { libc::getauxval(what) }) as usize
}

/// The longest frame of a handler; older kernels do not say.
fn frame() -> usize {
    auxiliary(AT_MINSIGSTKSZ).max(4 << 10)
}

/// A frame of the thread's own handlers, one of ours, and as much as std gives for theirs.
fn size() -> usize {
    (2 * frame() + DEPTH + (8 << 10)).next_multiple_of(16)
}

fn contains(stack: &stack_t, address: usize) -> bool {
    address.wrapping_sub(stack.ss_sp as usize) < stack.ss_size
}

/// What a thread is to have whose stack is `stack`, and which is at `address`.
enum Choice {
    /// What it has.
    Its,
    Lent(stack_t),
    /// There is no room.
    None,
}

fn choose(region: &Region, stack: &stack_t, address: usize) -> Choice {
    let is_there = stack.ss_flags & libc::SS_DISABLE == 0 && stack.ss_size != 0;
    if is_there && contains(stack, address) {
        // mutant: handler-on-alternate-stack-needs-room
        let has_room = address - stack.ss_sp as usize >= frame() + DEPTH;
        return if has_room { Choice::Its } else { Choice::None };
    }
    if is_there && stack.ss_size >= size() {
        return Choice::Its;
    }
    let Some(lent) = Lent::made(region) else { return Choice::None };
    lent.replaces(stack);
    region.touched.store(true, Relaxed);
    region.lent.store(true, Relaxed);
    Choice::Lent(lent.stack())
}

/// Sees to room for the handlers that come after the return to this context; whether there
/// is some.
pub(super) fn lend(region: &Region, context: &mut Context) -> bool {
    let address = registers::stack(context);
    match choose(region, &context.uc_stack, address) {
        Choice::Its => true,
        Choice::Lent(lent) => {
            // mutant: armed-thread-has-room
            change(context, lent);
            true
        }
        Choice::None => false,
    }
}

/// The same from the thread's own code, in which nothing is handed over yet.
pub(super) fn lend_here(region: &Region) -> bool {
    let here = 0_u8;
    let Some(stack) = current() else { return false };
    match choose(region, &stack, &raw const here as usize) {
        Choice::Its => true,
        Choice::Lent(lent) => set(&lent),
        Choice::None => false,
    }
}

/// A handler from before returns, with its frame's stack: the thread keeps what was lent.
pub(super) fn keep(region: &Region, stack: &mut stack_t) {
    if region.lent.load(Relaxed)
        && let Some(lent) = Lent::of(region)
        && !lent.is(stack)
        && stack.ss_size < size()
    {
        lent.replaces(stack);
        *stack = lent.stack();
    }
}

/// Gives the thread its own one back with the return to this context, unless it is in a
/// handler on what was lent.
pub(super) fn give_back_on_return(region: &Region, context: &mut Context) {
    if region.lent.load(Relaxed)
        && let Some(lent) = Lent::of(region)
        && lent.is(&context.uc_stack)
        && !contains(&lent.stack(), registers::stack(context))
    {
        change(context, lent.replaced());
        region.lent.store(false, Relaxed);
    }
}

/// Gives it back from the thread's own code, in which nothing is handed over any more.
pub(super) fn give_back(region: &Region) {
    if !region.lent.swap(false, Relaxed) {
        return;
    }
    let (Some(lent), Some(now)) = (Lent::of(region), current()) else { return };
    // mutant: left-region-gives-stack-back
    if lent.is(&now) && !set(&lent.replaced()) {
        // The thread ends in a handler on it.
        region.room.store(null_mut(), Relaxed);
    }
}

/// Runs this with room of ours if the handler that calls is on an alternate stack that has
/// little left.
pub(crate) fn with_room(record: &Record, context: &mut Context, look: Look) {
    struct Task<'thread>(&'thread Record, &'thread mut Context, Look);
    unsafe extern "C" fn run(task: *mut Task<'_>) {
        // SAFETY: of the frame below, which waits.
        let Task(record, context, look) = unsafe { &mut *task };
        if let Some(lent) = Lent::of(&record.region) {
            // What a filter traps in here is not to begin at the top of the one below. The
            // handler's return sets that again.
            set(&lent.stack());
        }
        look(record, context);
    }
    let here = 0_u8;
    let here = &raw const here as usize;
    let stack = context.uc_stack;
    // mutant: timer-has-room-for-its-look
    let is_small = contains(&stack, here) && here - (stack.ss_sp as usize) < DEPTH / 2;
    let lent = if is_small { Lent::made(&record.region) } else { None };
    let Some(lent) = lent.filter(|lent| !lent.is(&stack)).map(|lent| lent.stack()) else {
        return look(record, context);
    };
    let mut task = Task(record, context, look);
    // SAFETY: `run` is of the C ABI, and does not unwind; the stack is aligned as a call
    // wants it, this thread's, and not in use, because the thread is on another; `r12` is
    // kept by what is called.
    unsafe {
        core::arch::asm!(
            "xchg rsp, r12",
            "call {run}",
            "mov rsp, r12",
            run = sym run,
            in("rdi") &raw mut task,
            inout("r12") lent.ss_sp as usize + lent.ss_size => _,
            clobber_abi("C"),
        );
    }
}

type Look = fn(&Record, &mut Context);

/// The thread has this one after the return to the context, which is on none of the two.
fn change(context: &mut Context, mut stack: stack_t) {
    if stack.ss_size == 0 {
        stack.ss_flags = libc::SS_DISABLE;
    }
    context.uc_stack = stack;
    let address = registers::stack(context);
    // SAFETY: a place for the stack, which is the thread's own or the region's. The kernel
    // compares the stack pointer, and uses it for signals alone: all are blocked except those
    // of faults, and of filters that would trap this call.
    unsafe {
        core::arch::asm!(
            "xchg rsp, r12",
            "syscall",
            "mov rsp, r12",
            inout("r12") address => _,
            inout("rax") libc::SYS_sigaltstack => _,
            in("rdi") &raw const stack,
            in("rsi") 0,
            out("rcx") _,
            out("r11") _,
        );
    }
}

fn current() -> Option<stack_t> {
    let mut now = stack_t { ss_sp: null_mut(), ss_flags: 0, ss_size: 0 };
    // SAFETY: a place for the answer.
    let raw = unsafe { plain(libc::SYS_sigaltstack, [0, &raw mut now as usize]) };
    now.ss_flags &= !libc::SS_ONSTACK;
    (raw == 0).then_some(now)
}

fn set(stack: &stack_t) -> bool {
    let mut stack = *stack;
    if stack.ss_size == 0 {
        stack.ss_flags = libc::SS_DISABLE;
    }
    // SAFETY: the thread's own, or the region's, which is never freed.
    unsafe { plain(libc::SYS_sigaltstack, [&raw const stack as usize, 0]) == 0 }
}
