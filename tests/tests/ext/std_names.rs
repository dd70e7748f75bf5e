//! `use std::{sync, thread}` can change its root to this crate and nothing else:
//! the same text is compiled and run with both, and what it says is the same.

use stop_tests::per_backend;

/// A program over `$root`'s `sync` and `thread`, with every stable name and
/// method that std has in them; what it says.
macro_rules! program {
    ($name:ident, $root:ident) => {
        mod $name {
            use $root::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
            use $root::sync::mpsc::{
                self, IntoIter, Iter, Receiver, RecvError, RecvTimeoutError, SendError, Sender,
                SyncSender, TryIter, TryRecvError, TrySendError, channel, sync_channel,
            };
            use $root::sync::{
                Arc, Barrier, BarrierWaitResult, Condvar, LazyLock, LockResult, Mutex, MutexGuard,
                Once, OnceLock, OnceState, PoisonError, RwLock, RwLockReadGuard,
                RwLockWriteGuard, TryLockError, TryLockResult, WaitTimeoutResult, Weak,
            };
            use $root::thread::{
                self, AccessError, Builder, JoinHandle, LocalKey, Scope, ScopedJoinHandle, Thread,
                ThreadId,
            };
            use std::fmt::{Debug, Display};
            use std::os::unix::thread::JoinHandleExt;
            use std::panic::{AssertUnwindSafe, RefUnwindSafe, UnwindSafe, catch_unwind};
            use std::time::Duration;

            fn debug(value: impl Debug) -> String {
                // Some versions of std put a lock's `<locked>` in quotation marks.
                format!("{value:?}, {value:#?}").replace("\"<locked>\"", "<locked>")
            }

            fn both(value: impl Debug + Display) -> String {
                format!("{value:?}, {value:#?}, {value}")
            }

            /// Compiles where the type may go everywhere.
            fn passes<T: UnwindSafe + RefUnwindSafe + Send + Sync>(value: T) -> T {
                value
            }

            fn poisoned<T: Send>(lock: &Mutex<T>, all: &RwLock<T>, once: &Once) {
                let panics = AssertUnwindSafe(|| {
                    let _guards = (lock.lock(), all.write());
                    once.call_once(|| panic!("of the test"));
                });
                assert!(catch_unwind(panics).is_err());
            }

            pub(super) fn locks() -> Vec<String> {
                static LAZY: LazyLock<u8> = LazyLock::new(|| 4);
                let (lock, all, once) = (Mutex::new(1), RwLock::new(2), Once::new());
                let mut said = vec![debug(&lock), debug(&all), debug(&once), both(*LAZY)];
                let guard: MutexGuard<'_, u8> = lock.lock().unwrap();
                said.push(both(&guard));
                let busy: TryLockResult<_> = lock.try_lock();
                said.extend([debug(&lock), both(busy.unwrap_err())]);
                drop(guard);
                let reader: RwLockReadGuard<'_, u8> = all.read().unwrap();
                said.extend([both(&reader), debug(&all), both(all.try_write().unwrap_err())]);
                drop(reader);
                let writer: RwLockWriteGuard<'_, u8> = all.write().unwrap();
                said.extend([both(&writer), debug(&all), both(all.try_read().unwrap_err())]);
                drop(writer);
                poisoned(&lock, &all, &once);
                let result: LockResult<_> = lock.lock();
                let error: PoisonError<_> = result.unwrap_err();
                said.extend([both(&error), debug(&lock)]);
                drop(error);
                said.push(both(lock.try_lock().unwrap_err()));
                said.push(match all.try_read() {
                    Err(TryLockError::Poisoned(error)) => both(error),
                    _ => String::from("not poisoned"),
                });
                said.push(debug(&all));
                once.call_once_force(|state: &OnceState| said.push(debug(state)));
                once.wait();
                once.wait_force();
                said.push(debug((&once, once.is_completed())));
                lock.clear_poison();
                all.clear_poison();
                said.push(debug((lock.is_poisoned(), all.is_poisoned())));
                let (mut lock, mut all) = (lock, all);
                *lock.get_mut().unwrap() += 1;
                *all.get_mut().unwrap() += 1;
                said.push(debug((lock.into_inner().unwrap(), all.into_inner().unwrap())));
                said.push(debug((Mutex::from(1), RwLock::<u8>::default(), Mutex::<u8>::default())));
                said.push(debug(passes((Mutex::new(1), RwLock::new(2), once))));
                said
            }

            pub(super) fn cells() -> Vec<String> {
                let mut cell = OnceLock::new();
                let mut said = vec![debug(&cell), debug(OnceLock::from(2))];
                said.push(debug((cell.set(1), cell.set(2), cell.get())));
                said.push(debug(cell.get_mut()));
                said.push(debug((cell.wait(), cell.get_or_init(|| 3), &cell, cell.clone() == cell)));
                said.push(debug((cell.take(), cell.into_inner(), passes(OnceLock::<u8>::default()))));
                let (ready, changed) = (Mutex::new(false), Condvar::default());
                said.push(debug(&changed));
                let time = Duration::from_millis(1);
                let (guard, waited): (_, WaitTimeoutResult) =
                    changed.wait_timeout_while(ready.lock().unwrap(), time, |ready| !*ready).unwrap();
                said.push(debug((waited, waited.timed_out(), waited == waited.clone())));
                let (guard, _) = changed.wait_timeout(guard, time).unwrap();
                drop(changed.wait_while(guard, |_| false).unwrap());
                changed.notify_one();
                changed.notify_all();
                let _ = passes(changed);
                let barrier = Barrier::new(1);
                let met: BarrierWaitResult = barrier.wait();
                said.extend([debug(&barrier), debug((met.is_leader(), met))]);
                let _ = passes(barrier);
                let shared = Arc::new(AtomicUsize::new(1));
                let weak: Weak<_> = Arc::downgrade(&shared);
                fence(Ordering::SeqCst);
                said.push(debug((weak.upgrade(), AtomicBool::new(true))));
                said
            }

            pub(super) fn channels() -> Vec<String> {
                let (sender, receiver): (Sender<u8>, Receiver<u8>) = channel();
                let mut said = vec![debug(&sender), debug(&receiver)];
                said.push(both(receiver.try_recv().unwrap_err()));
                let time = Duration::from_millis(1);
                said.push(both(receiver.recv_timeout(time).unwrap_err()));
                sender.clone().send(1).unwrap();
                let some: TryIter<'_, u8> = receiver.try_iter();
                said.push(debug(&some));
                said.push(debug(some.collect::<Vec<_>>()));
                drop(sender);
                let rest: Iter<'_, u8> = receiver.iter();
                said.push(debug(&rest));
                said.push(debug(rest.count()));
                let gone: [RecvError; 1] = [receiver.recv().unwrap_err()];
                said.push(both(gone[0]));
                said.push(both(receiver.try_recv().unwrap_err()));
                said.push(both(receiver.recv_timeout(time).unwrap_err()));
                said.push(debug(TryRecvError::from(gone[0]) == TryRecvError::Disconnected));
                said.push(debug(RecvTimeoutError::from(gone[0])));
                let owned: IntoIter<u8> = receiver.into_iter();
                said.push(debug(&owned));
                let (sender, receiver): (SyncSender<u8>, _) = sync_channel(1);
                said.push(debug(&sender));
                sender.try_send(1).unwrap();
                let full: TrySendError<_> = sender.try_send(2).unwrap_err();
                said.push(both(full));
                said.push(debug((&receiver).into_iter().next()));
                drop(receiver);
                let lost: SendError<_> = sender.clone().send(3).unwrap_err();
                said.extend([both(lost), both(sender.try_send(4).unwrap_err())]);
                said.push(both(mpsc::TrySendError::from(lost)));
                said
            }

            pub(super) fn threads() -> Vec<String> {
                std::thread_local!(static OWN: std::cell::Cell<u8> = const { std::cell::Cell::new(1) });
                let key: &LocalKey<_> = &OWN;
                key.set(2);
                let own: Result<_, AccessError> = key.try_with(std::cell::Cell::get);
                let mut said = vec![debug(key), debug(own)];
                let builder = Builder::new().name("named".into()).stack_size(1 << 20);
                said.push(debug(&builder));
                let worker: JoinHandle<bool> = builder.spawn(thread::panicking).unwrap();
                let (named, id): (&Thread, ThreadId) = (worker.thread(), worker.thread().id());
                said.push(debug((named.name(), id == thread::current().id())));
                worker.thread().unpark();
                let result: thread::Result<bool> = worker.join();
                said.push(debug(result));
                said.push(debug(thread::spawn(|| panic!("of the test")).join().is_err()));
                let sum = thread::scope(|scope: &Scope<'_, '_>| {
                    let one: ScopedJoinHandle<'_, _> = scope.spawn(|| 1);
                    let two = Builder::new().spawn_scoped(scope, || 2).unwrap();
                    while !two.is_finished() {
                        thread::yield_now();
                    }
                    said.push(debug(&one));
                    one.join().unwrap() + two.join().unwrap()
                });
                said.push(debug(sum));
                thread::sleep(Duration::from_millis(1));
                thread::current().unpark();
                thread::park();
                thread::park_timeout(Duration::from_millis(1));
                said.push(debug(thread::available_parallelism().is_ok()));
                let worker = thread::spawn(|| ());
                said.push(debug(&worker));
                // SAFETY: it borrows nothing.
                let unchecked = unsafe { Builder::new().spawn_unchecked(|| 3) };
                said.push(debug(unchecked.unwrap().join().unwrap()));
                let id = worker.as_pthread_t();
                said.push(debug(id == worker.into_pthread_t()));
                said
            }
        }
    };
}

program!(by_std, std);
program!(by_us, stopruntime);

per_backend! {
    fn locks() {
        assert_eq!(by_us::locks(), by_std::locks());
    }

    fn cells_and_conditions() {
        assert_eq!(by_us::cells(), by_std::cells());
    }

    fn channels() {
        assert_eq!(by_us::channels(), by_std::channels());
    }

    fn threads() {
        assert_eq!(by_us::threads(), by_std::threads());
    }
}
