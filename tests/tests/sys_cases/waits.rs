//! What takes the place of those functions of libc whose wait is hidden in
//! objects of libc's own.

use super::{Arranged, Case, arranged, case};
use std::sync::Arc;
use std::time::Duration;
use stopruntime::ext::JoinOrStop;
use stopruntime::sync::{Condvar, Mutex, MutexGuard, Semaphore, SemaphoreGuard};
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

pub fn cases() -> Vec<Case> {
    vec![
        case("sync::Condvar::wait", || {
            condition(|condvar, guard| Ok(condvar.wait_or_stop(guard)?.unwrap()))
        })
        .stands_for(&["pthread_cond_wait", "cnd_wait"])
        .in_futex(),
        case("sync::Condvar::wait_timeout", || {
            condition(|condvar, guard| Ok(condvar.wait_timeout_or_stop(guard, LONG)?.unwrap().0))
        })
        .stands_for(&["pthread_cond_timedwait", "pthread_cond_clockwait", "cnd_timedwait"])
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
        case("thread::JoinHandle::join", joining)
            .stands_for(&["pthread_join", "thrd_join"])
            .in_futex(),
        case("check", || arranged(|| check().map(|()| 0), || ()))
            .stands_for(&["pthread_testcancel"])
            .ends_by_itself(),
    ]
}
