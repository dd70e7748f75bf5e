//! What takes the place of those functions of libc whose wait is hidden in
//! objects of libc's own.

use super::{Arranged, Case, arranged, case};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use stopruntime::ext::JoinOrStop;
use stopruntime::sync::{Condvar, Mutex, MutexGuard, RwLock, Semaphore, SemaphoreGuard};
use stopruntime::{Stopped, check, thread};

const LONG: Duration = Duration::from_secs(1_000);

type Guard<'lock> = MutexGuard<'lock, bool>;

/// A wait for a condition; fed by it.
fn condition(
    wait: for<'lock> fn(&Condvar, Guard<'lock>) -> Result<Guard<'lock>, Stopped>,
) -> Arranged {
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let other = Arc::clone(&pair);
    arranged(
        move || {
            let (lock, condvar) = &*pair;
            let mut guard = lock.lock().unwrap();
            while !*guard {
                guard = wait(condvar, guard)?;
            }
            Ok(0)
        },
        move || {
            *other.0.lock().unwrap() = true;
            other.1.notify_all();
        },
    )
}

/// A wait for a permit; fed by one.
fn permit(wait: fn(&Semaphore) -> Result<bool, Stopped>) -> Arranged {
    let semaphore = Arc::new(Semaphore::new(0));
    let other = Arc::clone(&semaphore);
    arranged(
        move || {
            assert!(wait(&semaphore)?);
            Ok(0)
        },
        move || other.release(),
    )
}

/// A wait for a thread; fed by its end. Stopped, the handle is gone: the next
/// call has a thread of its own.
fn joining() -> Arranged {
    let end = Arc::new((std::sync::Mutex::new(false), std::sync::Condvar::new()));
    let other = Arc::clone(&end);
    arranged(
        move || {
            let end = Arc::clone(&end);
            let waits = thread::spawn(move || {
                let (lock, condvar) = &*end;
                let ended = lock.lock().unwrap();
                drop(condvar.wait_while(ended, |ended| !*ended).unwrap());
            });
            waits.join_or_stop()?.unwrap();
            Ok(0)
        },
        move || {
            *other.0.lock().unwrap() = true;
            other.1.notify_all();
        },
    )
}

/// A lock that another thread has for writing; fed, it gives it back.
fn locking(lock: fn(&RwLock<()>) -> Result<(), Stopped>) -> Arranged {
    let ours = Arc::new(RwLock::new(()));
    let theirs = Arc::clone(&ours);
    let (locked, is_locked) = mpsc::channel();
    let (give_back, may_give_back) = mpsc::channel::<()>();
    let owner = std::thread::spawn(move || {
        let guard = theirs.write().unwrap();
        locked.send(()).unwrap();
        // Also where nothing feeds it.
        let _ = may_give_back.recv();
        drop(guard);
    });
    is_locked.recv().unwrap();
    arranged(
        move || lock(&ours).map(|()| 0),
        move || {
            drop(give_back);
            owner.join().unwrap();
        },
    )
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("sync::Condvar::wait", || {
            condition(|condvar, guard| Ok(condvar.wait_or_stop(guard)?.unwrap()))
        })
        .stands_for(&["pthread_cond_wait", "cnd_wait"])
        .before_a_stop()
        .in_futex(),
        case("sync::Condvar::wait_timeout", || {
            condition(|condvar, guard| Ok(condvar.wait_timeout_or_stop(guard, LONG)?.unwrap().0))
        })
        .stands_for(&["pthread_cond_timedwait", "pthread_cond_clockwait", "cnd_timedwait"])
        .before_a_stop()
        .in_futex(),
        case("sync::Semaphore::acquire", || {
            permit(|semaphore| {
                semaphore.acquire_or_stop()?.forget();
                Ok(true)
            })
        })
        .stands_for(&["sem_wait"])
        .in_futex(),
        case("sync::Semaphore::acquire_timeout", || {
            permit(|semaphore| {
                let permit = semaphore.acquire_timeout_or_stop(LONG)?;
                Ok(permit.map(SemaphoreGuard::forget).is_some())
            })
        })
        .stands_for(&["sem_timedwait", "sem_clockwait"])
        .in_futex(),
        case("sync::RwLock::read", || {
            locking(|lock| {
                drop(lock.read_or_stop()?.unwrap());
                Ok(())
            })
        })
        .stands_for(&["pthread_rwlock_rdlock"])
        .in_futex(),
        case("sync::RwLock::write", || {
            locking(|lock| {
                drop(lock.write_or_stop()?.unwrap());
                Ok(())
            })
        })
        .stands_for(&["pthread_rwlock_wrlock"])
        .in_futex(),
        case("thread::JoinHandle::join", joining)
            .stands_for(&["pthread_join", "thrd_join"])
            .in_futex(),
        case("check", || arranged(|| check().map(|()| 0), || ()))
            .stands_for(&["pthread_testcancel"])
            .ends_by_itself(),
    ]
}
