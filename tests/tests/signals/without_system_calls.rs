//! A filter refuses what a request is made of: the requester's `errno` is still
//! its own, and the next request, from where nothing is refused, makes it good.
//! seccomp(2).

use std::io::pipe;
use std::sync::atomic::{AtomicU32, Ordering};
use stop_tests::per_backend;
use stop_tests::proc::wait_for;
use stop_tests::seccomp::deny;
use stop_tests::signals::{STOP, catch, errno, send, set_errno};
use stop_tests::started::blocked;
use stopruntime::ext::ReadOrStop;
use stopruntime::thread::JoinHandle;

static CHAINED: AtomicU32 = AtomicU32::new(0);

extern "C" fn earlier(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    CHAINED.fetch_add(1, Ordering::SeqCst);
}

/// A thread in a marked read that nothing feeds, and its id.
fn reader() -> (JoinHandle<bool>, i32) {
    let (mut reader, writer) = pipe().unwrap();
    blocked(&[libc::SYS_read, libc::SYS_ppoll], move || {
        let _open = writer;
        reader.read_or_stop(&mut [0]).is_err()
    })
}

const SIGNALS: [libc::c_long; 2] = [libc::SYS_rt_tgsigqueueinfo, libc::SYS_tgkill];

/// A request from a thread that may not make these calls: its `errno` after it.
fn requested_without(calls: &'static [libc::c_long], reader: &JoinHandle<bool>) -> i32 {
    let stopper = reader.stopper();
    let requester = std::thread::spawn(move || {
        for call in calls {
            deny(*call, libc::EPERM);
        }
        set_errno(libc::ERANGE);
        assert!(stopper.request_stop());
        errno()
    });
    requester.join().unwrap()
}

per_backend! {
    fn without_membarrier_any_more() {
        let (reader, _) = reader();
        assert_eq!(requested_without(&[libc::SYS_membarrier], &reader), libc::ERANGE);
        assert!(reader.join().unwrap());
    }

    fn without_what_the_signal_carries() {
        catch(STOP, earlier, libc::SA_RESTART, &[]);
        let (reader, _) = reader();
        assert_eq!(requested_without(&SIGNALS[..1], &reader), libc::ERANGE);
        assert!(reader.join().unwrap());
        assert_eq!(CHAINED.load(Ordering::SeqCst), 0);
    }

    fn without_the_signal() {
        catch(STOP, earlier, libc::SA_RESTART, &[]);
        let (reader, id) = reader();
        assert_eq!(requested_without(&SIGNALS, &reader), libc::ERANGE);
        // One that is not the request's, which was not sent, is foreign.
        send(id, STOP);
        wait_for("the earlier handler", || CHAINED.load(Ordering::SeqCst) == 1);
        assert!(!reader.request_stop());
        assert!(reader.join().unwrap());
    }
}
