//! What the public types promise by their traits alone: where they can be sent, and that
//! they can be compared, kept in sets and printed, as the API guidelines of Rust want it
//! (C-COMMON-TRAITS, C-SEND-SYNC, C-GOOD-ERR, C-DEBUG).

use std::collections::HashSet;
use std::error::Error;
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::panic::{RefUnwindSafe, UnwindSafe};
use stop_tests::per_backend;
use stopruntime::{Stopper, report, shutdown, sync, thread};

const fn is_shared<T: Send + Sync + Debug + Unpin>() {}
const fn is_unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}
const fn is_value<T: Clone + Eq + Hash>() {}
const fn is_text<T: Display>() {}
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
}
