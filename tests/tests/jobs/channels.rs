//! Channels of crossbeam and rings of `io_uring` under scopes and limits.

use super::wait_for_rest_of;
use crossbeam_channel::{Receiver, Sender, bounded, select};
use io_uring::IoUring;
use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use stop_tests::{per_backend, thread_id, wait_until_blocked_in};
use stopruntime::crossbeam::stop_channel;
use stopruntime::ext::{ReceiverOrStop, SenderOrStop, SubmitAndWaitOrStop};
use stopruntime::{Stopped, Stopper, check, shield, within};

const SHORT: Duration = Duration::from_millis(5);

fn receives(receiver: &Receiver<u32>) -> Result<u32, Stopped> {
    Ok(receiver.recv_or_stop()?.unwrap())
}

fn limited<T>(wait: impl FnOnce() -> Result<T, Stopped>) -> bool {
    let result = within(SHORT, || Ok::<_, io::Error>(wait()?));
    result.is_err_and(|error| error.kind() == io::ErrorKind::TimedOut)
}

per_backend! {
    fn a_job_that_waits_for_a_channel_is_stopped() {
        let (sender, receiver) = bounded(0);
        let job = Stopper::new();
        let (ids, id) = mpsc::channel();
        let worker = thread::spawn({
            let job = job.clone();
            move || {
                ids.send(thread_id()).unwrap();
                assert!(job.run(|| receives(&receiver)).is_err());
                ids.send(0).unwrap();
                receives(&receiver).unwrap()
            }
        });
        wait_until_blocked_in(id.recv().unwrap(), &[libc::SYS_futex]);
        wait_for_rest_of("stop-callbacks");
        job.request_stop();
        // A message that is there first would be received.
        assert_eq!(id.recv(), Ok(0));
        sender.send(7).unwrap();
        assert_eq!(worker.join().unwrap(), 7);
    }

    fn a_limit_ends_waits_for_channels() {
        let (full, receiver): (Sender<u32>, Receiver<u32>) = bounded(0);
        let (_open, empty) = bounded::<u32>(0);
        for _ in 0..3 {
            assert!(limited(|| receives(&empty)));
            assert!(limited(|| full.send_or_stop(1)));
            assert!(limited(|| Ok::<_, Stopped>(shield(|| within(SHORT, || {
                Ok::<_, io::Error>(empty.recv_or_stop()?)
            })).unwrap_err()).and_then(|_| receives(&empty))));
            assert!(check().is_ok());
        }
        // The message of a stopped send is not sent.
        let sends = thread::spawn(move || full.send(2).unwrap());
        assert_eq!(receives(&receiver).unwrap(), 2);
        sends.join().unwrap();
    }

    fn a_stop_channel_is_that_of_its_scope() {
        let job = Stopper::new();
        let own = stop_channel();
        let of_the_job = job.run(stop_channel);
        job.request_stop();
        assert!(of_the_job.recv().is_err());
        assert!(own.try_recv().unwrap_err().is_empty());
        assert!(stop_channel().same_channel(&own));
        let (_open, never) = bounded::<()>(0);
        let stopped = job.run(|| {
            let stop = stop_channel();
            select! { recv(never) -> _ => false, recv(stop) -> _ => true }
        });
        assert!(stopped);
        // A limit's.
        let late = within(SHORT, || {
            let stop = stop_channel();
            Ok::<_, io::Error>(stop.recv().is_err())
        });
        assert!(late.unwrap());
    }

    fn a_channel_of_a_scope_that_is_gone_disconnects() {
        // In time: as others are added.
        let gone = Stopper::new().run(stop_channel);
        let job = Stopper::new();
        let kept: Vec<_> = (0..100).map(|_| job.run(stop_channel)).collect();
        assert!(gone.recv().is_err());
        assert!(kept.iter().all(|channel| channel.try_recv().unwrap_err().is_empty()));
    }

    fn a_ring_is_left_in_time() {
        let ring = match IoUring::new(8) {
            Ok(ring) => ring,
            Err(error) => return stop_tests::not_tested("a ring under a limit", error),
        };
        assert!(limited(|| ring.submit_and_wait_or_stop(1)));
        let job = Stopper::new();
        thread::scope(|scope| {
            scope.spawn(|| {
                assert!(job.run(|| ring.submit_and_wait_or_stop(1)).is_err());
                assert!(check().is_ok());
            });
            job.request_stop();
        });
    }
}
