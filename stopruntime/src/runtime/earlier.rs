//! What the signal did before the runtime came, which it still does for every
//! signal that is not a stop: the earlier handler runs with the flags and the
//! mask that it was installed with, a default action that ends the process ends
//! it.
//!
//! # Safety
//!
//! The invariant of this module: what [`KEPT`] points to is an action that the
//! kernel has given out for that signal, and is never changed or freed, because
//! a handler may be reading it on any thread: a later attempt to install keeps
//! an action of its own.

#![allow(unsafe_code)]

use crate::runtime::signal::{KERNEL_MASK_SIZE, process_id, send_self};
use crate::window;
use core::ffi::{c_int, c_void};
use core::ptr::null_mut;
use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

struct Earlier {
    action: libc::sigaction,
    /// `SA_RESETHAND`: it has run, and the action is the default.
    spent: AtomicBool,
}

/// By signal number.
static KEPT: [AtomicPtr<Earlier>; 32] = [const { AtomicPtr::new(null_mut()) }; 32];

/// Keeps the action for [`chain`], from now on.
pub(crate) fn keep(signal: c_int, action: libc::sigaction) {
    let earlier = Box::new(Earlier { action, spent: AtomicBool::new(false) });
    KEPT[signal as usize].store(Box::into_raw(earlier), Ordering::Release);
}

fn kept(signal: c_int) -> Option<&'static Earlier> {
    // SAFETY: the module's invariant.
    unsafe { KEPT[signal as usize].load(Ordering::Acquire).as_ref() }
}

/// The action that was there.
pub(super) fn action(signal: c_int) -> Option<&'static libc::sigaction> {
    kept(signal).map(|earlier| &earlier.action)
}

/// Whether there is a function to call.
pub(super) fn is_handler(action: &libc::sigaction) -> bool {
    ![libc::SIG_DFL, libc::SIG_IGN].contains(&action.sa_sigaction)
}

/// The flags that our handler has to have because the earlier action has them,
/// or must not have: it runs on the earlier handler's stack, and what it
/// interrupts goes on, or does not, as after that. Where there was no handler,
/// on the alternate stack, and what can go on does.
pub(super) fn flags_after(signal: c_int, action: &libc::sigaction) -> c_int {
    // mutant: stray-signal-ends-no-call
    const INHERITED: c_int = libc::SA_ONSTACK | libc::SA_RESTART;
    // mutant: earlier-handlers-own-flags
    let flags = if is_handler(action) { action.sa_flags } else { INHERITED };
    // Of SIGCHLD: ended children that are not to be reaped still are not.
    let ignored = signal == libc::SIGCHLD && action.sa_sigaction == libc::SIG_IGN;
    // mutant: children-not-reaped
    let children = if ignored { libc::SA_NOCLDWAIT } else { 0 };
    let kept = INHERITED | libc::SA_NOCLDSTOP | libc::SA_NOCLDWAIT;
    flags & kept | action.sa_flags & (libc::SA_NOCLDSTOP | libc::SA_NOCLDWAIT) | children
}

/// Does what the signal did before. `may_end` if it is certain that no copy of
/// the runtime has sent it, so that the default action may be taken.
///
/// # Safety
///
/// The other arguments are those the kernel called our handler with.
pub(crate) unsafe fn chain(
    signal: c_int,
    info: *mut libc::siginfo_t,
    context: *mut c_void,
    may_end: bool,
) {
    let Some(earlier) = kept(signal) else { return };
    let action = &earlier.action;
    let once = action.sa_flags & libc::SA_RESETHAND != 0;
    // mutant: handler-to-run-once
    if action.sa_sigaction == libc::SIG_DFL || once && earlier.spent.swap(true, Ordering::Relaxed) {
        // mutant: default-action-ends-process
        if may_end {
            default_action(signal);
        }
        return;
    }
    // mutant: ignored-signal-calls-no-handler
    if action.sa_sigaction == libc::SIG_IGN {
        return;
    }
    // SAFETY: the kernel's context.
    unsafe { take_its_mask(signal, action, context) };
    if action.sa_flags & libc::SA_SIGINFO != 0 {
        type Long = unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
        // SAFETY: SA_SIGINFO says that the address is of this type.
        let call = unsafe { core::mem::transmute::<usize, Long>(action.sa_sigaction) };
        // SAFETY: the kernel's own arguments.
        unsafe { call(signal, info, context) }
    } else {
        type Short = unsafe extern "C" fn(c_int);
        // SAFETY: without SA_SIGINFO the address is of this type.
        let call = unsafe { core::mem::transmute::<usize, Short>(action.sa_sigaction) };
        // SAFETY: as above.
        unsafe { call(signal) }
    }
}

/// Blocks what the kernel would have blocked during the earlier handler, and
/// nothing else; the return from ours restores the mask. Where libc does not
/// say what a context looks like everything stays blocked.
///
/// # Safety
///
/// `context` is the third argument of a `SA_SIGINFO` handler.
unsafe fn take_its_mask(signal: c_int, action: &libc::sigaction, context: *mut c_void) {
    // mutant: earlier-handlers-mask
    if !window::AVAILABLE {
        return;
    }
    let context: *mut window::Context = context.cast();
    // SAFETY: of the interrupted mask the kernel has written its own size, at
    // the beginning; all sets are local and zeroed, or filled in by libc.
    unsafe {
        let mut mask = action.sa_mask;
        let (from, to) =
            ((&raw const (*context).uc_sigmask).cast::<u8>(), (&raw mut mask).cast::<u8>());
        for index in 0..KERNEL_MASK_SIZE {
            *to.add(index) |= *from.add(index);
        }
        // mutant: earlier-handlers-nodefer
        if action.sa_flags & libc::SA_NODEFER == 0 {
            libc::sigaddset(&raw mut mask, signal);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const mask, null_mut());
    }
}

/// Takes the default action by letting the kernel do it: with the status that a
/// parent expects, and a core dump where there is one. signal(7).
pub(crate) fn default_action(signal: c_int) {
    const HARMLESS: [c_int; 4] = [libc::SIGCHLD, libc::SIGCONT, libc::SIGURG, libc::SIGWINCH];
    // For the first process of a PID namespace the kernel does nothing either.
    if HARMLESS.contains(&signal) || process_id() == 1 {
        return;
    }
    // SAFETY: zeroed is the default action with no flags; local sets and
    // actions, initialised before they are used.
    unsafe {
        let default: libc::sigaction = core::mem::zeroed();
        let mut ours: libc::sigaction = core::mem::zeroed();
        libc::sigaction(signal, &raw const default, &raw mut ours);
        send_self(signal);
        let mut set: libc::sigset_t = core::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, signal);
        // Here the process ends; or a debugger has taken the signal away.
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, null_mut());
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, null_mut());
        libc::sigaction(signal, &raw const ours, null_mut());
    }
}
