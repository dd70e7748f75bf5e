//! Through time, locks and children.

use super::{Flow, SPREAD, until_stopped};
use std::io::pipe;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex as Plain};
use std::time::{Duration, Instant};
use stop_tests::dice::Dice;
use stopruntime::ext::{WaitOrStop, sleep_or_stop};
use stopruntime::sync::{Condvar, Mutex};

/// Takes nothing; but a sleep that ends has lasted its time.
pub(super) fn sleep() -> Flow {
    const TIME: Duration = Duration::from_micros(300);
    Flow {
        take: Box::new(|| {
            until_stopped(|| {
                let start = Instant::now();
                sleep_or_stop(TIME)?;
                assert!(start.elapsed() >= TIME, "{:?}", start.elapsed());
                Ok(Ok(0))
            })
        }),
        give: Box::new(|| {}),
        most: 0,
        left: Box::new(|| 0),
        rests: true,
    }
}

/// Increments of a number that several make; what is given are those of
/// others.
pub(super) fn lock() -> Flow {
    let count = Arc::new(Mutex::new(0_u64));
    let (marked, others) = (Arc::clone(&count), Arc::clone(&count));
    let taken = Arc::new(Plain::new(0));
    let made = Arc::clone(&taken);
    Flow {
        take: Box::new(move || {
            *made.lock().unwrap() = until_stopped(|| {
                let mut count = marked.lock_or_stop()?.unwrap();
                let before = *count;
                std::hint::spin_loop();
                *count = before + 1;
                Ok(Ok(1))
            });
            0
        }),
        give: Box::new(move || {
            let mut count = others.lock().unwrap();
            // Held for longer than a waiter spins.
            let before = *count;
            Dice::of(before).spin(SPREAD / 8);
            *count = before + 1;
        }),
        most: 8,
        left: Box::new(move || *count.lock().unwrap() - *taken.lock().unwrap()),
        rests: false,
    }
}

pub(super) fn condvar() -> Flow {
    let shared = Arc::new((Mutex::new(0_u64), Condvar::new()));
    let (marked, giver) = (Arc::clone(&shared), Arc::clone(&shared));
    Flow {
        take: Box::new(move || {
            until_stopped(|| {
                let (there, more) = &*marked;
                let there = there.lock_or_stop()?.unwrap();
                let mut there = more.wait_while_or_stop(there, |there| *there == 0)?.unwrap();
                *there -= 1;
                Ok(Ok(1))
            })
        }),
        give: Box::new(move || {
            *giver.0.lock().unwrap() += 1;
            giver.1.notify_one();
        }),
        most: 8,
        left: Box::new(move || *shared.0.lock().unwrap()),
        rests: true,
    }
}

/// One child, which ends when it is given that; then it is reaped once.
pub(super) fn child() -> Flow {
    let (reader, writer) = pipe().unwrap();
    let cat = Command::new("cat").stdin(reader).stdout(Stdio::null()).spawn().unwrap();
    let cat = Arc::new(Plain::new((cat, false)));
    let marked = Arc::clone(&cat);
    let writer = Arc::new(Plain::new(Some(writer)));
    let life = Arc::clone(&writer);
    Flow {
        take: Box::new(move || {
            let (child, reaped) = &mut *marked.lock().unwrap();
            until_stopped(|| {
                if *reaped {
                    sleep_or_stop(Duration::MAX)?;
                }
                let status = child.wait_or_stop()?;
                *reaped = status.is_ok();
                Ok(status.map(|_| 1))
            })
        }),
        give: Box::new(move || *life.lock().unwrap() = None),
        most: 1,
        left: Box::new(move || {
            let ends = writer.lock().unwrap().take().is_none();
            let (child, reaped) = &mut *cat.lock().unwrap();
            if !*reaped {
                child.wait().unwrap();
            }
            u64::from(ends && !*reaped)
        }),
        rests: true,
    }
}
