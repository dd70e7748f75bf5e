//! A region is ended by all that ends a marked call, and by nothing else.

use crate::both_ways;
use crate::kit::{CANCELED, LONG, plain_read, reads_on, reads_on_for, stopped_region};
use std::io::{self, ErrorKind};
use std::io::{Read, pipe};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use stop_tests::proc::wait_for_deadlines_helper;
use stop_tests::{thread_id, wait_until_blocked_in};
use stopruntime::ext::{ConnectOrStop, ReadOrStop, SendToOrStop, sleep_or_stop};
use stopruntime::{Cause, Stopper, check, foreign, foreign_reset, shield, stop_requested, within};

const SHORT: Duration = Duration::from_millis(20);

both_ways! {
    fn a_deadline_ends_it_and_nothing_else() {
        let (job, this) = (Stopper::new(), thread_id());
        let theirs = job.clone();
        // Begins when the region waits: it could be over before, on a busy machine.
        let limit = std::thread::spawn(move || {
            wait_until_blocked_in(this, &[libc::SYS_read]);
            let deadline = Instant::now() + SHORT;
            theirs.request_stop_at(deadline);
            deadline
        });
        assert_eq!(job.run(|| foreign(plain_read)).unwrap(), CANCELED);
        let deadline = limit.join().unwrap();
        assert!(Instant::now() >= deadline && Instant::now() < deadline + LONG);
        assert!(check().is_ok());
        // The next region is none of its business.
        foreign(reads_on).unwrap();
        assert!(!stop_requested());
    }

    fn a_deadline_inside_of_it_ends_what_is_inside() {
        foreign(|| {
            for _ in 0..3 {
                let result = within(SHORT, || Ok::<_, std::io::Error>(plain_read()));
                assert_eq!(result.unwrap(), CANCELED);
                reads_on();
            }
            let late = within(Duration::ZERO, || Ok::<_, std::io::Error>(plain_read()));
            assert_eq!(late.unwrap(), CANCELED);
            reads_on();
        })
        .unwrap();
        foreign(reads_on).unwrap();
    }

    fn a_deadline_that_has_ended_it_is_a_time_out() {
        fn fails() -> io::Result<()> {
            Err(io::Error::from_raw_os_error(plain_read()))
        }
        let is_late = |result: io::Result<()>| result.unwrap_err().kind() == ErrorKind::TimedOut;
        assert!(is_late(within(SHORT, || foreign(fails)?)));
        assert!(is_late(foreign(|| within(SHORT, fails)).unwrap()));
        assert!(is_late(within(LONG, || within(SHORT, || foreign(fails)?))));
        // Nor is a result, if the region has begun in time.
        let begun = AtomicBool::new(false);
        let reads = || {
            begun.store(true, Ordering::Relaxed);
            plain_read()
        };
        let result = within(SHORT, || Ok::<_, io::Error>(foreign(reads)?));
        assert_eq!(result.is_ok(), begun.load(Ordering::Relaxed));
        // Another error, long before, and one that a scope farther out has caused.
        let other = || within(LONG, || foreign(|| Err(io::Error::from(ErrorKind::NotFound)))?);
        assert_eq!(other().map(|()| 0).unwrap_err().kind(), ErrorKind::NotFound);
        let job = Stopper::new();
        let stopped = || {
            foreign(|| {
                job.request_stop();
                fails()
            })?
        };
        let error = job.run(|| within(LONG, stopped)).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(CANCELED));
        assert!(check().is_ok());
    }

    /// Of a thread whose calls do not look at their scopes.
    fn a_deadline_around_it_comes_back_from_inside() {
        let result = within(10 * SHORT, || {
            let inside = foreign(|| {
                let planned = AtomicBool::new(false);
                let error = std::thread::scope(|scope| {
                    within(Duration::from_millis(1), || {
                        let error = plain_read();
                        // The helper plans without the outer one.
                        scope.spawn(|| {
                            wait_for_deadlines_helper(std::process::id().cast_signed());
                            planned.store(true, Ordering::SeqCst);
                        });
                        while !planned.load(Ordering::SeqCst) {
                            std::hint::spin_loop();
                        }
                        Ok::<_, std::io::Error>(error)
                    })
                });
                assert_eq!(error.unwrap(), CANCELED);
                plain_read()
            });
            // On a busy machine its time may be over before the region has begun.
            Ok::<_, std::io::Error>(inside.unwrap_or(CANCELED))
        });
        assert_eq!(result.unwrap(), CANCELED);
    }

    fn a_stopped_scope_inside_of_it() {
        let job = Stopper::new();
        job.request_stop();
        foreign(|| {
            assert_eq!(job.run(plain_read), CANCELED);
            // Two of the timer's longest steps, in which it would find it waiting twice.
            reads_on_for(2 * SHORT);
            assert_eq!(job.run(plain_read), CANCELED);
            job.run(|| shield(reads_on));
            assert_eq!(job.run(|| shield(|| job.run(plain_read))), CANCELED);
        })
        .unwrap();
        assert!(job.run(|| foreign(|| ())).is_err());
    }

    fn a_shield_inside_of_a_stopped_one() {
        let error = stopped_region(&[libc::SYS_read], || foreign(|| {
            assert_eq!(plain_read(), CANCELED);
            shield(|| {
                reads_on();
                // And marked calls in it.
                sleep_or_stop(SHORT).unwrap();
                foreign(reads_on).unwrap();
            });
            // Not yet begun: it stops.
            assert!(foreign(|| ()).is_err());
            plain_read()
        }));
        assert_eq!(error, Ok(CANCELED));
    }

    fn a_request_that_came_in_a_shield() {
        let (sender, receiver) = mpsc::channel();
        let thread = stopruntime::thread::spawn(move || foreign(|| {
            shield(|| {
                sender.send(thread_id()).unwrap();
                while !stop_requested() {
                    std::thread::yield_now();
                }
                reads_on();
            });
            plain_read()
        }));
        receiver.recv().unwrap();
        thread.request_stop();
        assert_eq!(thread.join().unwrap(), Ok(CANCELED));
    }

    fn a_region_in_a_shield() {
        let (sender, receiver) = mpsc::channel();
        let thread = stopruntime::thread::spawn(move || {
            let (mut reader, writer) = pipe().unwrap();
            shield(|| foreign(|| {
                sender.send((thread_id(), writer)).unwrap();
                assert_eq!(reader.read(&mut [0]).unwrap(), 0);
            }))
            .unwrap();
            foreign(|| ()).unwrap_err().cause()
        });
        let (id, writer) = receiver.recv().unwrap();
        wait_until_blocked_in(id, &[libc::SYS_read]);
        thread.request_stop();
        wait_until_blocked_in(id, &[libc::SYS_read]);
        drop(writer);
        assert_eq!(thread.join().unwrap(), Cause::Requested);
    }

    fn a_marked_call_of_a_callback() {
        // The request ends the marked call; the plain one after it as well.
        let result = stopped_region(&[libc::SYS_read, libc::SYS_ppoll], || foreign(|| {
            let (mut reader, _writer) = pipe().unwrap();
            assert!(reader.read_or_stop(&mut [0]).is_err());
            assert!(sleep_or_stop(Duration::MAX).is_err());
            plain_read()
        }));
        assert_eq!(result, Ok(CANCELED));
    }

    fn the_resolution_of_a_name() {
        // Stands for a resolver whose server is silent.
        struct Silent;
        impl std::net::ToSocketAddrs for Silent {
            type Iter = std::vec::IntoIter<std::net::SocketAddr>;

            fn to_socket_addrs(&self) -> std::io::Result<Self::Iter> {
                Err(std::io::Error::from_raw_os_error(plain_read()))
            }
        }
        let connect = || std::net::TcpStream::connect_or_stop(Silent);
        assert!(stopped_region(&[libc::SYS_read], connect).is_err(), "stopped, and no error of it");
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let send = move || socket.send_to_or_stop(b"data", Silent);
        assert!(stopped_region(&[libc::SYS_read], send).is_err(), "stopped, and no error of it");
    }

    fn a_region_inside_of_another() {
        let result = stopped_region(&[libc::SYS_read], || foreign(|| {
            let inner = foreign(plain_read).unwrap();
            (inner, plain_read())
        }));
        assert_eq!(result, Ok((CANCELED, CANCELED)));
    }

    fn one_that_resets_inside_of_one_that_does_not() {
        use std::os::unix::net::UnixStream;
        let read = || {
            let (mut stream, _peer) = UnixStream::pair().unwrap();
            stream.read(&mut [0]).unwrap_err().raw_os_error().unwrap()
        };
        let result = stopped_region(&[libc::SYS_read, stop_tests::RECV], move || foreign(|| {
            (foreign_reset(read).unwrap(), read())
        }));
        assert_eq!(result, Ok((libc::ECONNRESET, CANCELED)));
    }

    fn one_that_was_requested_before() {
        Stopper::current().request_stop();
        let stopped = foreign(|| unreachable!("stopped")).map(|(): ()| ()).unwrap_err();
        assert_eq!(stopped.cause(), Cause::Requested);
    }

    fn a_result_is_returned_however_late() {
        let result = stopped_region(&[libc::SYS_read], || foreign(|| { plain_read(); 7 }));
        assert_eq!(result, Ok(7));
    }

    fn code_behind_it_is_not_disturbed() {
        for _ in 0..50 {
            let result = stopped_region(&[libc::SYS_read], || {
                let error = foreign(plain_read)?;
                let (mut reader, writer) = pipe().unwrap();
                drop(writer);
                assert_eq!(reader.read(&mut [0]).unwrap(), 0);
                std::thread::sleep(Duration::from_millis(1));
                Ok(error)
            });
            assert_eq!(result, Ok(CANCELED));
        }
    }
}
