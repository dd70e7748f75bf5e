//! A stop takes of the alternate stack what one signal takes, in a region as outside
//! of one: what std gives a thread is not enough for two.

#![allow(unsafe_code)]

use crate::both_ways;
use core::ffi::c_void;
use core::ptr::null_mut;
use std::io::{Read, pipe};
use std::sync::mpsc;
use stop_tests::signals::{catch, send};
use stop_tests::{thread_id, wait_until_blocked_in};
use stopruntime::ext::ReadOrStop;
use stopruntime::foreign;

const ROOM: usize = 64 << 10;
const UNTOUCHED: u8 = 0xa5;

extern "C" fn nothing(_: i32, _: *mut libc::siginfo_t, _: *mut c_void) {}

/// The room of the calling thread's signals from now on.
fn use_alternate_stack() -> *const u8 {
    // The thread does not say when it uses it no more.
    let room = vec![UNTOUCHED; ROOM].leak().as_mut_ptr();
    let stack = libc::stack_t { ss_sp: room.cast(), ss_flags: 0, ss_size: ROOM };
    // SAFETY: the room is never freed.
    assert_eq!(unsafe { libc::sigaltstack(&raw const stack, null_mut()) }, 0);
    room
}

/// How much of it has been used.
fn used_of(room: *const u8) -> usize {
    // SAFETY: every byte is initialised, and no handler runs.
    let is_untouched = |at: &usize| unsafe { room.add(*at).read_volatile() } == UNTOUCHED;
    ROOM - (0..ROOM).take_while(is_untouched).count()
}

/// What a signal takes whose handler does nothing.
fn one_signal() -> usize {
    catch(libc::SIGUSR1, nothing, libc::SA_ONSTACK, &[]);
    let sent = || {
        let room = use_alternate_stack();
        send(thread_id(), libc::SIGUSR1);
        used_of(room)
    };
    std::thread::spawn(sent).join().unwrap()
}

/// What a stop takes of a thread that blocks in a read.
fn a_stop(in_a_region: bool) -> usize {
    let (sender, receiver) = mpsc::channel();
    let thread = stopruntime::thread::spawn(move || {
        let room = use_alternate_stack();
        let (mut reader, _writer) = pipe().unwrap();
        sender.send(thread_id()).unwrap();
        let is_stopped = if in_a_region {
            foreign(|| reader.read(&mut [0]).is_err()).unwrap()
        } else {
            reader.read_or_stop(&mut [0]).is_err()
        };
        assert!(is_stopped);
        used_of(room)
    });
    let id = receiver.recv().unwrap();
    wait_until_blocked_in(id, &[libc::SYS_read, libc::SYS_ppoll]);
    assert!(thread.request_stop());
    thread.join().unwrap()
}

both_ways! {
    fn a_stop_takes_one_frame() {
        let (signal, outside, inside) = (one_signal(), a_stop(false), a_stop(true));
        assert!(signal > 0 && outside >= signal, "{signal} {outside}");
        assert!(
            inside < outside + signal,
            "{inside} bytes of the alternate stack, {outside} outside of a region, {signal} a signal"
        );
    }
}
