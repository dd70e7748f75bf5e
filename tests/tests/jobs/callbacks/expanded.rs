//! What `#[blocking(unblock = …)]` and `#[blocking(within = …)]` expand to.

use std::io::{self, Read, pipe};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use stop_tests::per_backend;
use stopruntime::expansion::{limited, unblocked};
use stopruntime::ext::ReadOrStop;
use stopruntime::{Cause, Stopper, check, shield};

per_backend! {
    fn a_call_is_unblocked_by_what_encloses_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connect = || TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let reads = |stream: &TcpStream| {
            let mut reader = stream;
            let read = || match reader.read(&mut [0]) {
                Ok(0) => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
                other => other,
            };
            unblocked(|| stream.shutdown(Shutdown::Both).unwrap(), read)
        };
        // By the thread, a job, a limit.
        let stream = connect();
        let (sender, receiver) = mpsc::channel();
        let worker = thread::spawn(move || {
            sender.send(Stopper::current()).unwrap();
            assert!(reads(&stream).is_err());
            // Not made.
            assert!(unblocked(|| unreachable!(), || unreachable!() as Option<()>).is_err());
        });
        receiver.recv().unwrap().request_stop();
        worker.join().unwrap();
        let (stream, job) = (connect(), Stopper::new());
        thread::scope(|scope| {
            scope.spawn(|| assert!(job.run(|| reads(&stream)).is_err()));
            job.request_stop();
        });
        let stream = connect();
        let result = stopruntime::within(Duration::from_millis(5), || {
            let stopped = reads(&stream).unwrap_err();
            assert_eq!(stopped.cause(), Cause::Deadline);
            Err::<(), io::Error>(stopped.into())
        });
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(check().is_ok());
        // Not under a shield, nor where it took effect.
        let job = Stopper::new();
        let kept = job.run(|| {
            shield(|| unblocked(|| unreachable!("hidden"), || Some(job.request_stop())))
        });
        assert_eq!(kept.unwrap(), Some(true));
    }

    fn one_call_has_a_limit_of_its_own() {
        let (mut reader, _writer) = pipe().unwrap();
        let mut read = |limit| limited(limit, || reader.read_or_stop(&mut [0]));
        let error = read(Duration::from_millis(5)).unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(check().is_ok());
        let job = Stopper::new();
        job.request_stop();
        assert!(job.run(|| read(Duration::from_secs(3600))).is_err());
    }
}
