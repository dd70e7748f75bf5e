//! A stop takes of the alternate stack what one signal takes, in a region as outside
//! of one: what std gives a thread is not enough for two. From then on our handlers have a
//! stack of their own.

#![allow(unsafe_code)]

use crate::both_ways;
use crate::kit::{CANCELED, armed, is_dispatch, plain_read, stopped_in};
use crate::table::CASES;
use core::ffi::c_void;
use core::ptr::null_mut;
use std::io::{Read, pipe};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::sync::atomic::{AtomicI32, Ordering::SeqCst};
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};
use stop_tests::signals::{Handler, catch, send};
use stop_tests::{part_of, thread_id, wait_until_blocked_in};
use stopruntime::ext::ReadOrStop;
use stopruntime::{Stopper, foreign, shield};

/// More than the runtime asks for: it lends none.
const LARGE: usize = 128 << 10;
/// What std gives its threads.
const SMALL: usize = 8 << 10;
const UNTOUCHED: u8 = 0xa5;

extern "C" fn nothing(_: i32, _: *mut libc::siginfo_t, _: *mut c_void) {}

/// The room of the calling thread's signals from now on.
struct Room(&'static mut [u8]);

impl Room {
    fn used_by_this_thread(length: usize) -> Room {
        // Nothing else sends it signals from here on.
        shield(|| foreign(|| ())).unwrap();
        // The thread does not say when it uses it no more.
        let room = Room(vec![UNTOUCHED; length].leak());
        let stack =
            libc::stack_t { ss_sp: room.0.as_ptr() as *mut _, ss_flags: 0, ss_size: length };
        // SAFETY: the room is never freed.
        assert_eq!(unsafe { libc::sigaltstack(&raw const stack, null_mut()) }, 0);
        room
    }

    /// How much of it has been used.
    fn used(&self) -> usize {
        // SAFETY: every byte is initialised, and no handler runs.
        let is_untouched = |byte: &&u8| unsafe { (&raw const **byte).read_volatile() } == UNTOUCHED;
        self.0.len() - self.0.iter().take_while(is_untouched).count()
    }

    fn paint(&mut self) {
        self.0.fill(UNTOUCHED);
    }
}

/// The stack that the thread has, as it sees it: where, and how much.
fn alternate_stack() -> (usize, usize) {
    // SAFETY: a place for the answer.
    unsafe {
        let mut stack: libc::stack_t = core::mem::zeroed();
        assert_eq!(libc::sigaltstack(core::ptr::null(), &raw mut stack), 0);
        (stack.ss_sp as usize, stack.ss_size)
    }
}

/// What a signal takes whose handler does nothing.
fn one_signal() -> usize {
    catch(libc::SIGUSR1, nothing, libc::SA_ONSTACK, &[]);
    let sent = || {
        let room = Room::used_by_this_thread(LARGE);
        send(thread_id(), libc::SIGUSR1);
        room.used()
    };
    std::thread::spawn(sent).join().unwrap()
}

/// What a stop takes of a thread that blocks in a read.
fn a_stop(length: usize, in_a_region: bool) -> usize {
    let (sender, receiver) = mpsc::channel();
    let thread = stopruntime::thread::spawn(move || {
        let room = Room::used_by_this_thread(length);
        let (mut reader, _writer) = pipe().unwrap();
        sender.send(thread_id()).unwrap();
        let is_stopped = if in_a_region {
            foreign(|| {
                let is_ended = reader.read(&mut [0]).is_err();
                if length == SMALL {
                    waits();
                }
                is_ended
            })
            .unwrap()
        } else {
            reader.read_or_stop(&mut [0]).is_err()
        };
        assert!(is_stopped);
        room.used()
    });
    let id = receiver.recv().unwrap();
    wait_until_blocked_in(id, &[libc::SYS_read, libc::SYS_ppoll]);
    assert!(thread.request_stop());
    thread.join().unwrap()
}

/// Calls of which the looks at them take most.
fn waits() {
    for (_, case) in CASES.iter().filter(|(calls, _)| ["poll", "select"].contains(calls)) {
        case();
    }
}

static JOB: OnceLock<Stopper> = OnceLock::new();
static SILENT: AtomicI32 = AtomicI32::new(-1);
static ERROR: AtomicI32 = AtomicI32::new(0);

/// Has something stopped on the thread that it interrupts.
extern "C" fn stop(_: i32, _: *mut libc::siginfo_t, _: *mut c_void) {
    JOB.get().unwrap().request_stop();
}

/// Waits, with this much of the stack.
fn read_with<const ROOM: usize>() {
    let mut room = [0_u8; ROOM];
    // SAFETY: a place for a byte.
    unsafe {
        let byte = core::hint::black_box(&mut room).as_mut_ptr().cast();
        if libc::read(SILENT.load(SeqCst), byte, 1) < 0 {
            ERROR.store(*libc::__errno_location(), SeqCst);
        }
    }
}

extern "C" fn read_with_little(_: i32, _: *mut libc::siginfo_t, _: *mut c_void) {
    read_with::<1>();
}

/// So that std's stack has no room for another frame.
extern "C" fn read_with_much(_: i32, _: *mut libc::siginfo_t, _: *mut c_void) {
    read_with::<{ 3 << 10 }>();
}

/// A pipe that nothing comes through for that handler.
fn caught_by(read: Handler) {
    let (reader, writer) = pipe().unwrap();
    std::mem::forget(writer);
    SILENT.store(reader.into_raw_fd(), SeqCst);
    catch(libc::SIGUSR1, read, libc::SA_ONSTACK | libc::SA_RESTART, &[]);
}

both_ways! {
    fn each_row_leaves_room() {
        // Half of what there is besides the frame. In debug builds most of it is used.
        const MOST: usize = 8 << 10;
        let signal = one_signal();
        let mut room = Room::used_by_this_thread(LARGE);
        for (calls, case) in CASES {
            room.paint();
            armed(case);
            let depth = room.used().saturating_sub(signal);
            println!("{depth:5} {calls}");
            assert!(depth < MOST, "{calls}: {depth} bytes besides the frame");
        }
    }

    fn a_small_one_is_not_used() {
        let room = Room::used_by_this_thread(SMALL);
        let before = alternate_stack();
        armed(waits);
        // The timer sends signals.
        let most = SMALL * 5 / 8;
        assert!(room.used() <= if is_dispatch() { 0 } else { most }, "{}", room.used());
        armed(|| {
            if is_dispatch() {
                assert_eq!(alternate_stack(), before, "the thread sees its own");
            }
        });
        assert_eq!(alternate_stack(), before);
        // To be asked it has been given back, and a tick may come before the next call.
        assert!(room.used() <= most, "{}", room.used());
    }

    /// One that comes as the region is left.
    fn a_late_tick_uses_no_small_one() {
        if !is_dispatch() {
            return; // its ticks are signals like any other
        }
        let room = Room::used_by_this_thread(SMALL);
        let (reader, _writer) = pipe().unwrap();
        for turn in 0..part_of(50_000).min(10_000) {
            armed(|| {
                let mut length = 0;
                let begun = Instant::now();
                // It might wait: a tick is to look at it in 50 us, and may find it.
                // SAFETY: an open descriptor, and a place for a number.
                unsafe { libc::ioctl(reader.as_raw_fd(), libc::FIONREAD, &raw mut length) };
                while begun.elapsed() < Duration::from_nanos(40_000 + turn % 200 * 100) {}
            });
        }
        assert_eq!(room.used(), 0);
    }

    fn a_small_one_has_room_for_the_stop() {
        let (signal, outside, inside) = (one_signal(), a_stop(SMALL, false), a_stop(SMALL, true));
        println!("{signal} a signal, {outside} a stop outside of a region, {inside} in one");
        assert!(inside < outside + signal, "{inside} bytes, {outside} outside of a region");
        assert!(inside < SMALL * 7 / 8, "{inside} bytes, {signal} are a signal's");
    }

    fn one_that_the_thread_sets_meanwhile() {
        let mut second = (0, 0);
        let _first = Room::used_by_this_thread(SMALL);
        armed(|| {
            let _leaked = Room::used_by_this_thread(SMALL);
            second = alternate_stack();
            assert_eq!(plain_read(), CANCELED);
            waits();
            // SAFETY: the child looks, and is gone.
            let child = unsafe { libc::fork() };
            if child == 0 {
                let is_its_own = !is_dispatch() || alternate_stack() == second;
                // SAFETY: as said.
                unsafe { libc::_exit(i32::from(!is_its_own)) };
            }
            shield(|| {
                let mut status = -1;
                // SAFETY: a place for the status.
                let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
                assert_eq!((waited, status), (child, 0));
            });
        });
        assert_eq!(alternate_stack(), second);
    }

    fn a_handler_on_it_makes_calls() {
        // The timer sends a signal on top of it, as a stop outside of a region does.
        caught_by(if is_dispatch() { read_with_much } else { read_with_little });
        // On what std gives.
        let thread = std::thread::spawn(|| {
            let before = alternate_stack();
            armed(|| send(thread_id(), libc::SIGUSR1));
            assert_eq!((ERROR.load(SeqCst), alternate_stack()), (CANCELED, before));
        });
        thread.join().unwrap();
    }

    fn a_stop_meets_a_handler_on_it() {
        caught_by(read_with_little);
        let after = stopped_in(&[libc::SYS_read], || {
            send(thread_id(), libc::SIGUSR1);
            plain_read()
        });
        assert_eq!((ERROR.load(SeqCst), after), (CANCELED, CANCELED));
    }

    fn a_handler_from_before_returns() {
        JOB.set(Stopper::new()).unwrap();
        catch(libc::SIGUSR1, stop, libc::SA_RESTART, &[]);
        let mut room = Room::used_by_this_thread(SMALL);
        let before = alternate_stack();
        foreign(|| JOB.get().unwrap().run(|| {
            send(thread_id(), libc::SIGUSR1);
            room.paint();
            waits();
        })).unwrap();
        assert_eq!(alternate_stack(), before);
        assert!(!is_dispatch() || room.used() == 0, "{}", room.used());
    }

    fn a_stop_takes_one_frame() {
        let (signal, outside, inside) = (one_signal(), a_stop(LARGE, false), a_stop(LARGE, true));
        assert!(signal > 0 && outside >= signal, "{signal} {outside}");
        assert!(
            inside < outside + signal,
            "{inside} bytes of the alternate stack, {outside} outside of a region, {signal} a signal"
        );
    }
}
