//! What the public types promise by their traits alone: where they can be sent, and that
//! they can be compared, kept in sets and printed, as the API guidelines of Rust want it
//! (C-COMMON-TRAITS, C-SEND-SYNC, C-GOOD-ERR, C-DEBUG).

use std::collections::HashSet;
use std::error::Error;
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::time::Duration;
use stop_tests::per_backend;
use stopruntime::ext::sleep_or_stop;
use stopruntime::{Stopper, report, request_stop_all, shutdown, sync, thread};

const fn is_shared<T: Send + Sync + Debug + Unpin>() {}
const fn is_unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}
const fn is_value<T: Clone + Eq + Hash>() {}
const fn is_text<T: Display>() {}
const fn is_handle<T: AsRef<Stopper>>() {}
const fn is_debug<T: Debug>() {}
const fn is_error<T: Error + Send + Sync + 'static>() {}

macro_rules! all {
    ($is:ident: $($type:ty),* $(,)?) => { const _: () = { $($is::<$type>();)* }; };
}

all! { is_shared:
    Stopper, stopruntime::StopOnDrop, stopruntime::OnStop, stopruntime::Stopped,
    stopruntime::TimedOut, stopruntime::Config, stopruntime::InstallError, stopruntime::Support,
    stopruntime::Stoppable<std::fs::File>, shutdown::Shutdown, shutdown::Guard,
    report::Threads, report::ThreadReport, thread::Builder, thread::Group<()>,
    thread::JoinHandle<()>, thread::ScopedJoinHandle<'static, ()>, thread::Overdue,
    thread::StopOnDrop<()>, sync::Mutex<u8>, sync::RwLock<u8>, sync::Condvar, sync::Semaphore,
    sync::Barrier, sync::Once, sync::OnceLock<u8>, sync::mpsc::Sender<u8>,
    sync::mpsc::SyncSender<u8>,
}
all! { is_unwind_safe:
    Stopper, stopruntime::StopOnDrop, thread::JoinHandle<()>, thread::Group<()>, sync::Mutex<u8>,
    sync::Condvar, sync::Semaphore, sync::mpsc::Sender<u8>,
}
all! { is_value:
    Stopper, stopruntime::Stopped, stopruntime::TimedOut, stopruntime::Cause, stopruntime::Reason,
    stopruntime::Backend, stopruntime::Rseq, stopruntime::ForeignSupport, stopruntime::Support,
    report::Obstacle, report::Descriptor, report::Activity, report::WaitsFor, report::Wait,
    report::ThreadReport, report::Request, report::Threads, report::Audit, report::Unmarked,
}
all! { is_text:
    stopruntime::Backend, stopruntime::Rseq, stopruntime::ForeignSupport, stopruntime::Support,
    stopruntime::Reason, report::Obstacle, report::Activity, report::WaitsFor, report::Wait,
    report::ThreadReport, report::Threads,
}
all! { is_handle:
    Stopper, stopruntime::StopOnDrop, shutdown::Guard, thread::Group<u8>, thread::JoinHandle<u8>,
    thread::ScopedJoinHandle<'static, u8>, thread::StopOnDrop<u8>,
    thread::Scope<'static, 'static>,
}
/// Has none of the common traits.
struct Opaque;
all! { is_debug:
    thread::StopOnDrop<Opaque>, thread::JoinHandle<Opaque>, thread::Group<Opaque>,
    thread::ScopedJoinHandle<'static, Opaque>, thread::Scope<'static, 'static>,
}
all! { is_error:
    stopruntime::Stopped, stopruntime::TimedOut, stopruntime::InstallError, thread::Overdue,
}

per_backend! {
    /// Handles of one scope are equal, and have one place in a set.
    fn stoppers_are_equal_if_they_are_of_one_scope() {
        let service = Stopper::new();
        let jobs: HashSet<Stopper> =
            [service.clone(), service.clone(), service.child(), service.child()].into();
        assert_eq!(jobs.len(), 3);
        assert!(jobs.contains(&service.run(Stopper::current)));
        assert!(!jobs.contains(&Stopper::current()));
    }

    /// Each owner hands out the scope that it stops, by value and by reference.
    fn owners_hand_out_what_they_stop() {
        fn is_one(owner: &impl AsRef<Stopper>, handed_out: &Stopper) {
            assert_eq!(owner.as_ref(), handed_out);
            assert_eq!(request_stop_all([owner]), 1);
            assert!(handed_out.stop_requested());
        }
        let stopper = Stopper::new();
        is_one(&stopper.clone().stop_on_drop(), &stopper);
        let guard = shutdown::Shutdown::new().install().unwrap();
        is_one(&guard, &guard.stopper());
        let group = thread::Group::<()>::new();
        assert!(!group.stop_requested());
        is_one(&group, &group.stopper());
        assert!(group.stop_requested());
        let sleep = || sleep_or_stop(Duration::MAX).is_err();
        let owner = thread::spawn(sleep).stop_on_drop();
        is_one(&owner, &owner.stopper());
        assert!(owner.join().unwrap());
        thread::scope(|scope| {
            scope.spawn(move || assert!(sleep()));
            is_one(scope, &scope.stopper());
        });
    }

    fn a_group_is_stopped_with_the_scope_above_it() {
        let service = Stopper::new();
        let group = thread::Group::<()>::under(&service);
        service.request_stop();
        assert!(group.stop_requested() && group.request_stop());
    }

    fn a_scopes_request_has_a_reason() {
        let reason = thread::scope(|scope| {
            let sleeper = scope.spawn(|| sleep_or_stop(Duration::MAX).unwrap_err().reason());
            assert!(scope.request_stop_because("reload"));
            assert!(!scope.request_stop_because("again"));
            sleeper.join().unwrap()
        });
        let reason = reason.unwrap();
        assert_eq!(reason, "reload");
        assert_eq!(reason, *"reload");
        assert_ne!(reason, "again");
        assert_eq!(AsRef::<str>::as_ref(&reason), reason.as_str());
    }
}
