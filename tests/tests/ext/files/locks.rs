//! flock(2): the lock of an open file description.

use std::fs::File;
use std::io::{Error, Result};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use stop_tests::dice::{Dice, runs};
use stop_tests::directory::Directory;
use stop_tests::per_backend;
use stop_tests::started::start;
use stopruntime::ext::{FileOrStop, LockOrStop};
use stopruntime::{Backend, Stopped, Stopper, backend, stoppable};

const FLOCK: [libc::c_long; 1] = [libc::SYS_flock];

type Lock = fn(&File) -> std::result::Result<Result<()>, Stopped>;
const LOCKS: [Lock; 2] = [LockOrStop::lock_or_stop, FileOrStop::lock_shared_or_stop];

/// flock(2), not to wait: whether it could be had.
fn flock(file: &File, operation: i32) -> bool {
    // SAFETY: takes no pointer.
    let raw = unsafe { libc::flock(file.as_raw_fd(), operation | libc::LOCK_NB) };
    assert!(raw == 0 || Error::last_os_error().raw_os_error() == Some(libc::EWOULDBLOCK));
    raw == 0
}

/// Two descriptions of one file.
fn twice(directory: &Directory) -> (File, File) {
    let path = directory.join("file");
    (File::create(&path).unwrap(), File::open(&path).unwrap())
}

/// Whether this backend would have to wait unstoppably; then the call says so.
fn is_refused(lock: Lock, file: &File) -> bool {
    if backend() != Backend::Ppoll {
        return false;
    }
    assert_eq!(lock(file).unwrap().unwrap_err().raw_os_error(), Some(libc::ENOTSUP));
    true
}

per_backend! {
    fn a_lock_is_taken_by_its_kind() {
        let directory = Directory::new().unwrap();
        let (one, other) = twice(&directory);
        one.lock_shared_or_stop().unwrap().unwrap();
        assert!(flock(&other, libc::LOCK_SH), "shared");
        assert!(flock(&other, libc::LOCK_UN));
        one.lock_or_stop().unwrap().unwrap();
        assert!(!flock(&other, libc::LOCK_SH), "exclusive");
        assert!(flock(&one, libc::LOCK_UN));
        assert!(flock(&other, libc::LOCK_EX));
    }

    fn a_lock_of_another_is_waited_for_until_a_stop() {
        let directory = Directory::new().unwrap();
        let (one, other) = twice(&directory);
        assert!(flock(&one, libc::LOCK_EX));
        let other = Arc::new(other);
        for lock in LOCKS {
            if is_refused(lock, &other) {
                continue;
            }
            let theirs = Arc::clone(&other);
            let waiter = start(move || lock(&theirs).is_err());
            waiter.wait_until_at_rest_in(&FLOCK);
            assert!(waiter.stopped());
        }
        assert!(flock(&one, libc::LOCK_UN));
        let third = File::open(directory.join("file")).unwrap();
        assert!(flock(&third, libc::LOCK_EX), "the stopped ones have none");
    }

    fn a_lock_that_is_given_back_is_taken() {
        let directory = Directory::new().unwrap();
        let (one, other) = twice(&directory);
        let other = Arc::new(other);
        for lock in LOCKS {
            assert!(flock(&one, libc::LOCK_EX));
            if is_refused(lock, &other) {
                continue;
            }
            let theirs = Arc::clone(&other);
            let waiter = start(move || lock(&theirs).unwrap().is_ok());
            waiter.wait_until_at_rest_in(&FLOCK);
            assert!(flock(&one, libc::LOCK_UN));
            assert!(waiter.ended());
            assert!(!flock(&one, libc::LOCK_EX), "the other has it");
            assert!(flock(&other, libc::LOCK_UN));
        }
    }

    /// A thread that says that it was stopped has no lock, and one that says otherwise has one.
    fn a_stop_loses_no_lock() {
        let directory = Directory::new().unwrap();
        let (one, other) = twice(&directory);
        let other = Arc::new(other);
        let mut dice = Dice::new();
        let (mut taken, mut stopped) = (0, 0);
        for _ in 0..runs(3_000) / 3 {
            assert!(flock(&one, libc::LOCK_EX));
            let theirs = Arc::clone(&other);
            let waiter = start(move || match theirs.lock_or_stop() {
                Ok(Ok(())) => true,
                Err(_) => false,
                Ok(Err(error)) if error.raw_os_error() == Some(libc::ENOTSUP) => false,
                Ok(Err(error)) => panic!("{error}"),
            });
            if backend() != Backend::Ppoll && dice.chance(2) {
                waiter.wait_until_in(libc::SYS_flock);
            }
            std::thread::scope(|scope| {
                let (one, seed) = (&one, dice.below(u64::MAX));
                scope.spawn(move || {
                    Dice::of(seed).spin(40_000);
                    assert!(flock(one, libc::LOCK_UN));
                });
                dice.spin(40_000);
                waiter.request_stop();
            });
            let has = waiter.ended();
            assert_eq!(flock(&one, libc::LOCK_EX), !has);
            assert!(flock(&other, libc::LOCK_UN));
            assert!(flock(&one, libc::LOCK_UN));
            taken += u32::from(has);
            stopped += u32::from(!has);
        }
        println!("{taken} taken, {stopped} stopped");
        assert!(backend() == Backend::Ppoll || taken > 0 && stopped > 0);
    }

    fn a_request_that_came_before_takes_no_lock() {
        let directory = Directory::new().unwrap();
        let (one, other) = twice(&directory);
        start(move || {
            Stopper::current().request_stop();
            assert!(one.lock_or_stop().is_err());
            assert!(one.lock_shared_or_stop().is_err());
            assert!(flock(&other, libc::LOCK_EX));
        })
        .ended();
    }

    fn a_marked_lock_leaves_the_loop() {
        #[stoppable]
        fn hold(file: &File) -> Result<u32> {
            let mut held = 0;
            loop {
                #[blocking]
                file.lock()?;
                held += 1;
                Stopper::current().request_stop();
            }
            Ok(held)
        }
        let directory = Directory::new().unwrap();
        let (one, _) = twice(&directory);
        assert_eq!(start(move || hold(&one)).ended().unwrap(), 1);
    }
}
