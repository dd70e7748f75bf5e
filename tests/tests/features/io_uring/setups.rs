//! Rings that are set up in other ways.

use super::{ENTER, Read, completions, push, stopped_while_it_waits};
use io_uring::types::{Fd, Timespec};
use io_uring::{Builder, IoUring, cqueue, opcode, squeue};
use std::alloc::{Layout, alloc_zeroed};
use std::fs::OpenOptions;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::mpsc;
use stop_tests::{not_tested, thread_id, wait_until_blocked_in};
use stopruntime::ext::SubmitAndWaitOrStop;
use stopruntime::{check, thread};

static SOON: Timespec = Timespec::new().nsec(1_000_000);

type Setup = fn(&mut Builder);

/// What became of a wait.
struct Outcome {
    submitted: usize,
    stopped: bool,
    /// After the stop, in a plain wait.
    completed: Vec<(u64, i32)>,
}

/// Waits for a read in a ring that its own thread sets up, is stopped, and
/// waits on.
fn stopped_in(setup: Setup) -> std::io::Result<Outcome> {
    let read = Read::new();
    let entry = read.entry(3);
    let (sender, receiver) = mpsc::channel();
    let (go_on, until) = mpsc::channel::<()>();
    let waiter = thread::spawn(move || {
        let mut builder = IoUring::<squeue::Entry, cqueue::Entry>::builder();
        setup(&mut builder);
        let mut ring = match builder.build(4) {
            Ok(ring) => ring,
            Err(error) => return Err(error),
        };
        push(&mut ring, &entry);
        assert!(ring.submit().unwrap() <= 1);
        sender.send(thread_id()).unwrap();
        // With a thread of the kernel's own, it is not known how much of the queue
        // that thread has taken by now.
        let mut submitted = 0;
        let stopped = loop {
            match ring.submit_and_wait_or_stop(1) {
                Ok(count) => submitted += count.unwrap(),
                Err(_stopped) => break check().is_err(),
            }
        };
        sender.send(thread_id()).unwrap();
        until.recv().unwrap();
        ring.submit_and_wait(1).unwrap();
        Ok(Outcome { submitted, stopped, completed: completions(&mut ring) })
    });
    if let Ok(thread) = receiver.recv() {
        wait_until_blocked_in(thread, &ENTER);
        waiter.request_stop();
        // If data meet a signal, whatever its source and in any wait, kernels from
        // before pipes took RWF_NOWAIT cancel the read (seen with 6.1): they do not
        // start the worker that is to read.
        receiver.recv().unwrap();
        read.feed();
        go_on.send(()).unwrap();
    }
    waiter.join().unwrap()
}

on_rings! {
    fn waits_of_rings_of_each_setup_are_stopped() {
        let setups: [(&str, Setup); 5] = [
            ("plain", |_| ()),
            ("setup_coop_taskrun", |builder| {
                builder.setup_coop_taskrun().setup_taskrun_flag();
            }),
            ("setup_defer_taskrun", |builder| {
                builder.setup_single_issuer().setup_defer_taskrun();
            }),
            ("setup_sqpoll, awake", |builder| {
                builder.setup_sqpoll(100_000);
            }),
            ("setup_sqpoll, asleep", |builder| {
                builder.setup_sqpoll(1);
            }),
        ];
        for (name, setup) in setups {
            match stopped_in(setup) {
                Ok(Outcome { submitted, stopped, completed }) => {
                    assert!(stopped && submitted <= 1, "{name}: {submitted}");
                    assert_eq!(completed, [(3, 1)], "{name}");
                }
                Err(error) => not_tested(name, error),
            }
        }
    }

    fn a_split_ring_with_a_registered_descriptor_is_stopped() {
        let read = Read::new();
        let entry = read.entry(4);
        let (outcome, stopped) = stopped_while_it_waits(move || {
            let mut ring = super::ring();
            let (mut submitter, mut queue, _completions) = ring.split();
            submitter.register_ring_fd().unwrap();
            // SAFETY: the byte that it reads into is never freed.
            unsafe { queue.push(&entry) }.unwrap();
            queue.sync();
            let outcome = submitter.submit_and_wait_or_stop(1).unwrap().unwrap();
            (outcome, submitter.submit_and_wait_or_stop(1).is_err())
        });
        assert_eq!((outcome, stopped), (1, true));
        drop(read);
    }

    /// It ends with its input and output, and is stopped by the next call.
    fn a_polled_ring_returns_what_it_has_read() {
        let path = std::env::temp_dir().join(format!("stop-tests-polled-{}", std::process::id()));
        std::fs::write(&path, [7; 8192]).unwrap();
        let direct = OpenOptions::new().read(true).custom_flags(libc::O_DIRECT).open(&path);
        std::fs::remove_file(&path).unwrap();
        let file = match direct {
            Ok(file) => file,
            Err(error) => return not_tested("O_DIRECT", error),
        };
        let polled = IoUring::<squeue::Entry, cqueue::Entry>::builder().setup_iopoll().build(4);
        let mut ring = match polled {
            Ok(ring) => ring,
            Err(error) => return not_tested("setup_iopoll", error),
        };
        push(&mut ring, &opcode::Nop::new().build().user_data(2));
        assert_eq!(ring.submit_and_wait_or_stop(1).unwrap().unwrap(), 1);
        assert_eq!(completions(&mut ring), [(2, 0)]);
        // SAFETY: a layout that is not empty; never freed.
        let buffer = unsafe { alloc_zeroed(Layout::from_size_align(4096, 4096).unwrap()) };
        let read = opcode::Read::new(Fd(file.as_raw_fd()), buffer, 4096).build().user_data(1);
        push(&mut ring, &read);
        let (mut submitted, mut completed) = (0, Vec::new());
        // What a worker of the kernel's does for it is not waited for.
        while completed.is_empty() {
            submitted += ring.submit_and_wait_or_stop(1).unwrap().unwrap();
            completed = completions(&mut ring);
        }
        assert_eq!(submitted, 1);
        if completed == [(1, -libc::EOPNOTSUPP)] {
            let error = std::io::Error::from_raw_os_error(libc::EOPNOTSUPP);
            not_tested("a polled read of this file system", error);
        } else {
            assert_eq!(completed, [(1, 4096)]);
        }
        stopruntime::Stopper::current().request_stop();
        push(&mut ring, &read);
        assert!(ring.submit_and_wait_or_stop(1).is_err());
        assert_eq!(ring.submission().len(), 1);
        assert_eq!(completions(&mut ring), []);
    }

    /// Plain calls after a stop are not interrupted.
    fn a_stop_leaves_no_signal_over() {
        for _ in 0..50 {
            let (left, fine) = stopped_while_it_waits(|| {
                let mut ring = super::ring();
                while ring.submit_and_wait_or_stop(1).is_ok() {}
                push(&mut ring, &opcode::Timeout::new(&raw const SOON).build().user_data(1));
                let fine = ring.submit_and_wait(1).is_ok();
                (completions(&mut ring), fine)
            });
            assert_eq!((left, fine), (vec![(1, -libc::ETIME)], true));
        }
    }
}
