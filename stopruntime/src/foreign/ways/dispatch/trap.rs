//! The handler of `SIGSYS`: decides what becomes of a call that was handed over.
//!
//! # Safety
//!
//! The invariant of this module is the one of [`handler`](crate::runtime::handler). The
//! context holds the thread's registers as they were before the system call, except for the
//! program counter, which stands behind it.

#![allow(unsafe_code)]

use super::super::arm::{hold, resume};
use super::super::kernel::{given, plain, put};
use super::super::registers::{arguments, register, set_argument, set_register};
use super::super::table::decide;
use super::super::tick;
use super::super::verdict::{Call, Verdict};
use super::actions::{Action, FAULTS, SIGSYS, bit, blocks};
use super::gadgets::{BELOW, gadgets};
use super::masks::{armed_mask, believed_mask, mask_of, waits_with_sigsys_blocked};
use super::stack;
use super::x86_64::{stand_aside, stand_aside_for_now};
use crate::runtime::earlier;
use crate::runtime::record::Record;
use crate::runtime::scopes::LOOK;
use crate::runtime::slot;
use crate::window::{Context, Place, find};
use core::ffi::{c_int, c_long, c_void};
use core::sync::atomic::Ordering::{Relaxed, SeqCst};

/// The part of a siginfo that a `SIGSYS` of the kernel's has (`_sigsys`).
#[repr(C)]
struct Dispatched {
    head: [c_int; 4],
    address: *const c_void,
    number: c_int,
    architecture: u32,
}

const SYS_USER_DISPATCH: c_int = 2;
const X86_64: u32 = 0xc000_003e;

/// `syscall`, and `int 0x80`.
const LENGTH: usize = 2;

/// Installed with a full mask and a restorer in the range.
pub(crate) unsafe extern "C" fn on_sigsys(
    signal: c_int,
    info: *mut libc::siginfo_t,
    context: *mut c_void,
) {
    // SAFETY: the calling thread's errno.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    let saved = unsafe { *errno };
    let record = slot::record_by_key();
    let held = record.is_some_and(hold);
    // SAFETY: the kernel's siginfo.
    // mutant: signal-of-a-filter-is-not-ours
    let ours = unsafe { (*info).si_code } == SYS_USER_DISPATCH;
    match record.filter(|_| ours && held) {
        // SAFETY: the kernel's arguments, of a call that was handed over.
        Some(record) => unsafe { on_call(record, info.cast(), &mut *context.cast()) },
        // SAFETY: the kernel's arguments.
        None => unsafe { earlier::chain(signal, info, context, true) },
    }
    // mutant: handed-over-again-after-handler
    if let Some(record) = record.filter(|_| held) {
        resume(record);
    }
    // SAFETY: as above.
    // mutant: handler-of-calls-keeps-errno
    unsafe { *errno = saved };
}

/// # Safety
///
/// The arguments are those of the handler, for a call of this record's thread.
unsafe fn on_call(record: &Record, info: *const Dispatched, context: &mut Context) {
    let region = &record.region;
    let pc = register(context, libc::REG_RIP);
    // SAFETY: the kernel's siginfo.
    let (number, is_native) =
        unsafe { (c_long::from((*info).number), (*info).architecture == X86_64) };
    if region.interval.swap(0, Relaxed) != 0 {
        // The call that it was to look at is over.
        tick::pause(region);
    }
    // mutant: shield-inside-runs-calls
    if !region.is_open() || !record.sees_a_stop() {
        stand_aside(record, context);
        set_register(context, libc::REG_RIP, pc - LENGTH);
        return;
    }
    // SAFETY: this thread's own.
    // mutant: marked-call-of-callback-looks-again
    if let Place::Inside(abort) = unsafe { find(&record.line, pc - LENGTH) } {
        // A marked call of a callback: it looks at its flag once more.
        record.line.flag.store(LOOK, SeqCst);
        set_register(context, libc::REG_RIP, abort);
        return;
    }
    // mutant: call-of-32-bits-is-made-alone
    if !is_native || must_be_made_alone(record, number, context) {
        stand_aside_for_now(record, context);
        set_register(context, libc::REG_RIP, pc - LENGTH);
        return;
    }
    let call = Call { region, number, args: arguments(context), sees_all: true };
    let verdict = decide(&call);
    match verdict {
        Verdict::Give(result) => {
            set_register(context, libc::REG_RAX, result.cast_unsigned());
            return;
        }
        Verdict::RunWith(third) => set_argument(context, 2, third),
        Verdict::RunForNow => tick::begin(region),
        Verdict::Run => {}
    }
    // mutant: wait-with-sigsys-in-mask-is-made-alone
    if waits_with_sigsys_blocked(number, &call.args) {
        stand_aside_for_now(record, context);
        set_register(context, libc::REG_RIP, pc - LENGTH);
        return;
    }
    run(record, number, context);
}

/// Calls after which the thread, or its child, would not be as it believes.
fn must_be_made_alone(record: &Record, number: c_long, context: &Context) -> bool {
    let [first, second, ..] = arguments(context);
    match number {
        // The new program inherits the mask.
        // mutant: new-program-has-own-mask
        libc::SYS_execve | libc::SYS_execveat => {
            record.region.added.load(Relaxed) | record.region.hidden.load(Relaxed) != 0
        }
        // Its own stack, and not ours in its place.
        // mutant: thread-sees-own-alternate-stack
        libc::SYS_sigaltstack => record.region.lent.load(Relaxed),
        // Another handler on top of ours: from then on the timer.
        // mutant: new-handler-of-sigsys-takes-timer
        libc::SYS_rt_sigaction if first as c_int == libc::SIGSYS && second != 0 => {
            record.region.no_dispatch.store(true, Relaxed);
            true
        }
        // That of a fault cannot wait.
        // mutant: new-handler-of-faults-takes-timer
        libc::SYS_rt_sigaction
            if installs_blocking(first, second) && bits_of(first) & FAULTS != 0 =>
        {
            record.region.no_dispatch.store(true, Relaxed);
            true
        }
        _ => false,
    }
}

fn bits_of(signal: usize) -> u64 {
    if (1..=64).contains(&signal) { bit(signal as c_int) } else { 0 }
}

/// Whether this is a handler that blocks `SIGSYS`.
fn installs_blocking(signal: usize, action: usize) -> bool {
    bits_of(signal) != 0 && given::<Action>(action).is_some_and(|action| blocks(&action))
}

/// Sends the thread to make the call itself.
fn run(record: &Record, number: c_long, context: &mut Context) {
    let back = register(context, libc::REG_RIP);
    let [first, second, ..] = arguments(context);
    let gadgets = gadgets();
    set_register(context, libc::REG_RAX, number as usize);
    let shares_memory = first & libc::CLONE_VM as usize != 0;
    let by_register = match number {
        libc::SYS_rt_sigreturn => {
            let frame = register(context, libc::REG_RSP) as *mut Context;
            // SAFETY: what the kernel will read: the thread returns from a handler.
            let mask = mask_of(unsafe { &mut (*frame).uc_sigmask });
            // Of a frame from before it was armed.
            // mutant: frame-from-before-remembers-mask
            record.region.hidden.fetch_or(*mask & SIGSYS, Relaxed);
            // mutant: frame-from-before-has-sigsys-open
            *mask = armed_mask(record, *mask);
            // SAFETY: as above.
            // mutant: frame-from-before-keeps-room
            stack::keep(&record.region, unsafe { &mut (*frame).uc_stack });
            set_register(context, libc::REG_RIP, gadgets.sigreturn);
            return;
        }
        libc::SYS_rt_sigprocmask => {
            // mutant: sigprocmask-is-made-on-the-frame
            let result = change_mask(record, context);
            set_register(context, libc::REG_RAX, result.cast_unsigned());
            return;
        }
        libc::SYS_rt_sigaction => {
            // mutant: new-handler-that-blocks-sigsys-waits
            will_block(record, context);
            false
        }
        // mutant: child-on-own-stack-finds-way-back
        libc::SYS_clone if second != 0 => {
            // The child looks for the address on its own stack.
            if put(second - BELOW, &back) {
                set_register(context, libc::REG_RSI, second - BELOW);
                set_register(context, libc::REG_RCX, back);
                set_register(context, libc::REG_RIP, gadgets.clone);
            } else {
                set_register(context, libc::REG_RAX, FAULT.cast_unsigned());
            }
            return;
        }
        // mutant: child-by-clone-on-shared-stack-finds-way-back
        libc::SYS_clone => shares_memory,
        // mutant: child-on-shared-stack-finds-way-back
        libc::SYS_vfork => true,
        // mutant: new-thread-finds-way-back
        libc::SYS_clone3 => given::<[u64; 6]>(first).is_some_and(|args| args[5] != 0),
        _ => false,
    };
    if by_register {
        set_register(context, libc::REG_R9, back);
        set_register(context, libc::REG_RIP, gadgets.by_register);
    } else {
        set_register(context, libc::REG_RCX, back);
        set_register(context, libc::REG_RIP, gadgets.call);
    }
}

/// `rt_sigprocmask(2)` on the mask that the handler's return gives to the thread.
fn change_mask(record: &Record, context: &mut Context) -> isize {
    const INVALID: isize = -(libc::EINVAL as isize);
    let [how, new, old, size, ..] = arguments(context);
    // In the kernel's order.
    if size != size_of::<u64>() {
        return INVALID;
    }
    let mut asked = None;
    if new != 0 {
        // mutant: bad-mask-is-refused
        if !touches([new, 0]) {
            return FAULT;
        }
        // SAFETY: the kernel has just read there.
        asked = Some(unsafe { (new as *const u64).read_unaligned() });
        if ![libc::SIG_BLOCK, libc::SIG_UNBLOCK, libc::SIG_SETMASK].contains(&(how as c_int)) {
            return INVALID;
        }
    }
    let mask = mask_of(&mut context.uc_sigmask);
    let before = believed_mask(record, *mask);
    if let Some(set) = asked {
        let after = match how as c_int {
            libc::SIG_BLOCK => before | set,
            libc::SIG_UNBLOCK => before & !set,
            _ => set,
        };
        let after = after & !(bit(libc::SIGKILL) | bit(libc::SIGSTOP));
        let region = &record.region;
        region.hidden.store(after & (region.added.load(Relaxed) | SIGSYS), Relaxed);
        *mask = armed_mask(record, after);
    }
    if old != 0 {
        if !touches([0, old]) {
            return FAULT;
        }
        // SAFETY: the kernel has just written there.
        unsafe { (old as *mut u64).write_unaligned(before) };
    }
    0
}

const FAULT: isize = -(libc::EFAULT as isize);

/// Whether the kernel can read a mask at the first address, and write one at the second:
/// all signals are blocked here, and to block more of them changes nothing.
fn touches([new, old]: [usize; 2]) -> bool {
    let args = [libc::SIG_BLOCK as usize, new, old, size_of::<u64>()];
    // SAFETY: the thread was about to make this call with these places.
    unsafe { plain(libc::SYS_rt_sigprocmask, args) == 0 }
}

/// The thread installs a handler: if it blocks `SIGSYS`, its signal waits as well.
fn will_block(record: &Record, context: &mut Context) {
    let [signal, action, ..] = arguments(context);
    if !installs_blocking(signal, action) {
        return;
    }
    let (region, one) = (&record.region, bits_of(signal));
    let mask = mask_of(&mut context.uc_sigmask);
    if region.added.fetch_or(one, Relaxed) & one == 0 {
        region.hidden.fetch_or(*mask & one, Relaxed);
    }
    *mask |= one;
}
