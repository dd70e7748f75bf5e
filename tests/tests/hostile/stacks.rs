//! A marked call at the very end of a thread's stack: no signal frame has room
//! there, and the stop signal is handled on the alternate stack.
//! sigaltstack(2).

use core::hint::black_box;
use core::mem::MaybeUninit;
use core::ptr::null_mut;
use std::io::{PipeReader, pipe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use stop_tests::proc::{limit, wait_for};
use stop_tests::signals::{catch, send};
use stop_tests::{per_backend, thread_id, wait_until_blocked_in};
use stopruntime::ext::ReadOrStop;
use stopruntime::thread;

const READS: [libc::c_long; 2] = [libc::SYS_read, libc::SYS_ppoll];

/// The stack pointer of what the handler below has interrupted; 0: not yet.
static INTERRUPTED_AT: AtomicUsize = AtomicUsize::new(0);
/// Where the signal frame is that it has been given, or a little above its end.
static FRAME_AT: AtomicUsize = AtomicUsize::new(0);

extern "C" fn looks(_: i32, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the third argument of a SA_SIGINFO handler.
    let pointer = unsafe { stack_pointer(context.cast()) };
    FRAME_AT.store(context.addr(), Ordering::SeqCst);
    INTERRUPTED_AT.store(pointer, Ordering::SeqCst);
}

unsafe fn stack_pointer(context: *const libc::ucontext_t) -> usize {
    // SAFETY: the caller passes the kernel's own context.
    let machine = unsafe { &(*context).uc_mcontext };
    #[cfg(target_arch = "x86_64")]
    let register = machine.gregs[libc::REG_RSP as usize];
    #[cfg(target_arch = "x86")]
    let register = machine.gregs[libc::REG_ESP as usize].cast_unsigned();
    #[cfg(target_arch = "aarch64")]
    let register = machine.sp;
    #[cfg(target_arch = "riscv64")]
    let register = machine.__gregs[libc::REG_SP];
    #[cfg(target_arch = "s390x")]
    let register = machine.gregs[15];
    usize::try_from(register).expect("an address")
}

/// The lowest address of the calling thread's stack.
fn end_of_stack() -> usize {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let (mut low, mut size) = (null_mut(), 0);
    // SAFETY: the attributes are filled in by the first call; places for the
    // results.
    unsafe {
        assert_eq!(libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()), 0);
        let attributes = attributes.as_mut_ptr();
        assert_eq!(libc::pthread_attr_getstack(attributes, &raw mut low, &raw mut size), 0);
        libc::pthread_attr_destroy(attributes);
    }
    low.addr()
}

/// Room for handlers, as a thread's alternate stack.
fn use_alternate_stack(room: &mut [u8]) {
    let stack = libc::stack_t { ss_sp: room.as_mut_ptr().cast(), ss_flags: 0, ss_size: room.len() };
    // SAFETY: the room outlives the thread's use of it: it is leaked.
    assert_eq!(unsafe { libc::sigaltstack(&raw const stack, null_mut()) }, 0);
}

/// Calls itself until the stack has come down to this address.
#[inline(never)]
fn descend(to: usize, reader: &mut PipeReader) -> bool {
    let here = black_box(0_u8);
    let stopped = if (&raw const here).addr() > to {
        descend(to, reader)
    } else {
        reader.read_or_stop(&mut [0]).is_err()
    };
    // Used after the call: no tail call.
    black_box(here) == 0 && stopped
}

/// What a signal needs at least on the stack of such a read. Not what the kernel
/// says by `AT_MINSIGSTKSZ`, which counts state that a thread may have and this one
/// does not, such as AMX's tiles: three times as much, and there is still room.
fn size_of_signal_frame() -> usize {
    catch(libc::SIGUSR1, looks, libc::SA_RESTART, &[]);
    assert!(read_at(None).1);
    INTERRUPTED_AT.load(Ordering::SeqCst) - FRAME_AT.load(Ordering::SeqCst)
}

/// A thread that blocks in a marked read with its stack down to `to` bytes
/// above the end, or where it is; how far above the end the wait is, and
/// whether it was stopped.
fn read_at(to: Option<usize>) -> (usize, bool) {
    let (mut reader, _writer) = pipe().unwrap();
    let (sender, receiver) = mpsc::channel();
    let builder = thread::Builder::new().stack_size(256 * 1024);
    let handle = builder.spawn(move || {
        use_alternate_stack(Vec::leak(vec![0; 64 * 1024]));
        let end = end_of_stack();
        // Already known to the runtime when the room is gone.
        assert!(stopruntime::check().is_ok());
        sender.send((thread_id(), end)).unwrap();
        descend(to.map_or(usize::MAX, |distance| end + distance), &mut reader)
    });
    let handle = handle.unwrap();
    let (thread, end) = receiver.recv().unwrap();
    wait_until_blocked_in(thread, &READS);
    INTERRUPTED_AT.store(0, Ordering::SeqCst);
    send(thread, libc::SIGUSR1);
    wait_for("the look at its stack", || INTERRUPTED_AT.load(Ordering::SeqCst) != 0);
    wait_until_blocked_in(thread, &READS);
    assert!(handle.request_stop());
    let Ok(stopped) = handle.join_timeout(limit()) else { panic!("request lost") };
    (INTERRUPTED_AT.load(Ordering::SeqCst) - end, stopped.unwrap())
}

per_backend! {
    fn at_the_end_of_the_stack() {
        let frame = size_of_signal_frame();
        catch(libc::SIGUSR1, looks, libc::SA_RESTART | libc::SA_ONSTACK, &[]);
        // Come nearer, by small steps, until no frame has room.
        let mut distance = 16 * 1024;
        loop {
            let (left, stopped) = read_at(Some(distance));
            assert!(stopped);
            eprintln!("{left} bytes left in the call, a frame takes {frame}");
            if left < frame {
                break;
            }
            distance -= 256.min(left - frame + 1);
        }
    }
}
