//! `report::audit`: every wait that was forgotten is found, once a place, and nothing else.

use super::report::start_named;
use std::io::{PipeReader, PipeWriter, Read, pipe};
use std::net::{TcpListener, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::time::Duration;
use stop_tests::proc::wait_for;
use stop_tests::{per_backend, this_program, this_test};
use stopruntime::ext::{JoinOrStop, ReadOrStop, ReceiverOrStop, park_or_stop, sleep_or_stop};
use stopruntime::report::{Activity, Audit, Unmarked, audit};
use stopruntime::thread::JoinHandle;
use stopruntime::{Config, Stopper, foreign, shield, sync, within};

fn begin() {
    Config::new().audit(true).install().unwrap();
}

/// Starts a thread of this name.
fn starts<R>(name: &str, f: impl FnOnce() -> R + Send + 'static) -> JoinHandle<()> {
    start_named(name, move || {
        f();
    })
}

/// The place that was found by a thread of this name.
fn of<'audit>(audit: &'audit Audit, thread: &str) -> &'audit Unmarked {
    let mut places = audit.iter().filter(|place| place.thread == thread);
    let place = places.next().unwrap_or_else(|| panic!("{thread} is not in\n{audit}"));
    assert!(places.next().is_none(), "{thread} twice in\n{audit}");
    place
}

fn is_found(thread: &str) -> bool {
    audit().iter().any(|place| place.thread == thread)
}

fn wait_until_found(threads: &[&str]) {
    for thread in threads {
        wait_for(thread, || is_found(thread));
    }
}

fn waits<T>(it: &JoinHandle<T>) {
    wait_for("a wait", || matches!(it.report().activity, Activity::Waits(_)));
}

/// Ends a wait for a pipe.
struct End(PipeReader, Option<PipeWriter>);

impl End {
    fn new() -> End {
        let (reader, writer) = pipe().unwrap();
        End(reader, Some(writer))
    }

    fn reader(&self) -> PipeReader {
        self.0.try_clone().unwrap()
    }

    fn come(&mut self) {
        self.1 = None;
    }
}

fn reads(mut reader: PipeReader) -> usize {
    reader.read(&mut [0]).unwrap()
}

type Shared = Arc<(Mutex<()>, Condvar, AtomicBool)>;

// Functions, because a place without line numbers has nothing but a name.

fn waits_for_the_condition(shared: &Shared) {
    let mut guard = shared.0.lock().unwrap();
    while !shared.2.load(Ordering::Relaxed) {
        guard = shared.1.wait(guard).unwrap();
    }
}

fn locks(shared: &Shared) {
    drop(shared.0.lock().unwrap());
}

fn receives(channel: &mpsc::Receiver<()>) {
    assert!(channel.recv().is_err());
}

fn joins(other: std::thread::JoinHandle<usize>) {
    assert_eq!(other.join().unwrap(), 0);
}

#[inline(never)]
fn gives(channel: &crossbeam_channel::Sender<()>) {
    assert!(channel.send(()).is_err());
}

#[inline(never)]
fn takes(channel: &crossbeam_channel::Receiver<()>) {
    assert!(channel.recv().is_err());
}

per_backend! {
    fn it_finds_every_wait_that_is_not_marked() {
        begin();
        let mut end = End::new();
        let (pipe, udp) = (end.reader(), UdpSocket::bind("127.0.0.1:0").unwrap());
        let (listener, channel) = (TcpListener::bind("127.0.0.1:0").unwrap(), mpsc::channel::<()>());
        let (to, tcp) = (udp.local_addr().unwrap(), listener.local_addr().unwrap());
        let lock = Shared::default();
        let (theirs, conditions) = (lock.clone(), lock.clone());
        let condition = starts("condition", move || waits_for_the_condition(&conditions));
        // For the condition, and never for the lock.
        waits(&condition);
        let held = lock.0.lock().unwrap();
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take();
        let other = std::thread::spawn({
            let pipe = end.reader();
            move || reads(pipe)
        });
        let threads = [
            starts("read", move || reads(pipe)),
            starts("recv", move || udp.recv_from(&mut [0]).unwrap()),
            starts("accept", move || listener.accept().unwrap()),
            starts("channel", move || receives(&channel.1)),
            starts("lock", move || locks(&theirs)),
            starts("child", move || assert!(child.wait().unwrap().success())),
            starts("join", move || joins(other)),
            starts("park", std::thread::park),
        ];
        // It ends by itself, again and again until it has been found.
        let is_found = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&is_found);
        let sleep = starts("sleep", move || {
            while !theirs.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_secs(1));
            }
        });
        let names = [
            "read", "recv", "accept", "channel", "lock", "child", "join", "park", "sleep",
            "condition",
        ];
        wait_until_found(&names);

        let audit = audit();
        assert_eq!(audit.len(), names.len(), "{audit}");
        let expected: [(&str, &[&str], &str); 10] = [
            ("read", &["read"], "#[blocking(foreign)]"),
            ("recv", &["recvfrom", "socketcall"], "#[blocking]"),
            ("accept", &["accept", "accept4", "socketcall"], "#[blocking]"),
            ("channel", &["futex"], "stopruntime::sync"),
            ("lock", &["futex"], "stopruntime::sync"),
            ("child", &["wait4", "waitid"], "wait for the child"),
            ("join", &["futex"], if cfg!(target_env = "gnu") { "mark the join" } else { "" }),
            ("park", &["futex"], "#[blocking]"),
            ("sleep", &["clock_nanosleep", "nanosleep"], "#[blocking]"),
            ("condition", &["futex"], "stopruntime::sync"),
        ];
        for (thread, calls, remedy) in expected {
            let place = of(&audit, thread);
            assert!(calls.contains(&place.wait.name.unwrap()), "{place:?}");
            assert!(!place.wait.marked && place.remedy().contains(remedy), "{place:?}");
            let source = place.wait.place.as_deref();
            assert!(source.is_none_or(|source| source.contains("audit")), "{place:?}");
            // The sum has a line.
            assert!(audit.to_string().lines().any(|line| line == place.to_string()), "{audit}");
        }

        is_found.store(true, Ordering::Relaxed);
        end.come();
        drop((input, channel.0, held));
        lock.2.store(true, Ordering::Relaxed);
        lock.1.notify_all();
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(b"x", to).unwrap();
        drop(std::net::TcpStream::connect(tcp).unwrap());
        threads[7].thread().unpark();
        for thread in threads.into_iter().chain([condition, sleep]) {
            thread.join().unwrap();
        }
    }

    fn nothing_that_is_marked_or_meant_is_found() {
        begin();
        let mut end = End::new();
        let lock = Arc::new(sync::Mutex::new(()));
        let (held, locks) = (lock.lock(), lock.clone());
        let mut reader = end.reader();
        let (channel, receives) = crossbeam_channel::unbounded::<()>();
        let joined = starts("joined", || sleep_or_stop(Duration::MAX));
        let to_stop = joined.stopper();
        let marked = [
            starts("sleep", || sleep_or_stop(Duration::MAX)),
            starts("read", move || reader.read_or_stop(&mut [0])),
            starts("park", park_or_stop),
            starts("lock", move || locks.lock_or_stop().is_ok()),
            starts("join", move || joined.join_or_stop().is_ok()),
            starts("crossbeam", move || receives.recv_or_stop()),
            starts("limit", || {
                let sleeps = || Ok::<_, std::io::Error>(sleep_or_stop(Duration::MAX)?);
                within(Duration::from_secs(3600), sleeps)
            }),
        ];
        let (pipes, cleans) = ([end.reader(), end.reader()], end.reader());
        let [of_region, of_shield] = pipes;
        let meant = [
            starts("region", move || foreign(|| reads(of_region))),
            starts("shield", move || shield(|| reads(of_shield))),
            // It cleans up.
            starts("cleans", move || {
                sleep_or_stop(Duration::MAX).unwrap_err();
                reads(cleans)
            }),
        ];
        waits(&meant[2]);
        meant[2].request_stop();
        // A thread of the runtime's own, which a callback gives a record.
        let (service, called) = (Stopper::new(), mpsc::channel());
        let _callback = service.on_stop(move || {
            drop(Stopper::current());
            called.0.send(()).unwrap();
        });
        service.request_stop();
        called.1.recv().unwrap();
        for thread in marked.iter().chain(&meant) {
            waits(thread);
        }
        // All of those wait by now. When this one has been found, they have been looked at
        // as often, or oftener.
        let late = end.reader();
        let late = starts("late", move || reads(late));
        wait_until_found(&["late"]);
        let audit = audit();
        assert_eq!(audit.len(), 1, "{audit}");

        for thread in &marked {
            thread.request_stop();
        }
        to_stop.request_stop();
        end.come();
        drop((held, channel));
        for thread in marked.into_iter().chain(meant).chain([late]) {
            thread.join().unwrap();
        }
    }

    fn a_place_is_said_once() {
        begin();
        let mut end = End::new();
        let threads = [0; 3].map(|_| {
            let pipe = end.reader();
            starts("same", move || reads(pipe))
        });
        wait_for("three waits", || audit().iter().map(|place| place.count).sum::<u64>() == 3);
        let audit = audit();
        assert_eq!(audit.len(), 1, "{audit}");
        assert!(audit[0].longest >= Duration::from_millis(100), "{audit}");
        assert!(audit[0].to_string().contains(": 3 times, up to "), "{audit}");
        end.come();
        for thread in threads {
            thread.join().unwrap();
        }
    }

    /// The place is where a mark belongs: not in the crate, where both waits are the same.
    fn two_waits_in_another_crate_are_two_places() {
        begin();
        let mut end = End::new();
        let (pipe, to) = (end.reader(), crossbeam_channel::bounded::<()>(0));
        let from = crossbeam_channel::bounded::<()>(0);
        let threads = [
            starts("plain", move || reads(pipe)),
            starts("crate", move || gives(&to.0)),
            starts("crate", move || takes(&from.1)),
        ];
        wait_for("three waits", || audit().iter().map(|place| place.count).sum::<u64>() == 3);
        let audit = audit();
        let places = audit.iter().map(|place| place.wait.place.as_deref().unwrap());
        let places: Vec<_> = places.collect();
        println!("{audit}");
        // Without line numbers there is nothing to tell whose a function is.
        if places.iter().any(|place| place.contains("audit.rs:")) {
            for function in ["reads", "gives", "takes"] {
                let is_it = |word: &str| word == function;
                let is_in = |place: &&str| place.split([' ', ':']).any(is_it);
                assert!(places.iter().any(is_in), "{audit}");
            }
        }
        end.come();
        drop((to.1, from.0));
        for thread in threads {
            thread.join().unwrap();
        }
    }

    /// To find a place takes long, of a large program. Here it waits for the lock that
    /// `backtrace` takes.
    fn a_wait_that_ends_before_its_place_is_known() {
        begin();
        let (holds, held) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let holder = std::thread::spawn(move || {
            backtrace::trace(|_| {
                holds.send(()).unwrap();
                released.recv().is_ok()
            });
        });
        held.recv().unwrap();
        // It ends by itself.
        starts("short", || std::thread::sleep(Duration::from_secs(1))).join().unwrap();
        assert!(audit().is_empty());
        drop(release);
        holder.join().unwrap();
        wait_until_found(&["short"]);
        let audit = audit();
        assert!(of(&audit, "short").longest > Duration::from_millis(100), "{audit}");
    }

    /// By the environment alone, and as a person sees it.
    fn it_says_what_it_finds_and_at_the_end_a_sum() {
        const INSIDE: &str = "STOP_TESTS_AUDIT";
        if let Ok(waits) = std::env::var(INSIDE) {
            if waits == "1" {
                let mut end = End::new();
                let pipe = end.reader();
                let it = starts("forgot", move || reads(pipe));
                wait_until_found(&["forgot"]);
                end.come();
                it.join().unwrap();
                forks();
            } else {
                assert!(Stopper::current() == Stopper::current());
                assert!(audit().is_empty());
            }
            return;
        }
        for (waits, asked) in [("1", "1"), ("0", "1"), ("0", "0"), ("0", "")] {
            let mut program = this_program();
            program.args(this_test()).env(INSIDE, waits).env("STOPRUNTIME_AUDIT", asked);
            let output = program.output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success(), "{said}");
            let mut lines = said.lines().filter_map(|line| line.strip_prefix("stopruntime audit: "));
            if asked == "1" && waits == "1" {
                let line = lines.next().unwrap();
                assert!(line.starts_with("forgot ("), "{said}");
                assert!(line.contains("): waits in read (not marked) on descriptor "), "{said}");
                assert!(line.contains(": mark it: #[blocking], or "), "{said}");
                let head = "where threads waited for more than 100 ms and were not marked:";
                assert_eq!(lines.next(), Some(head), "{said}");
                let sum = lines.next().unwrap();
                assert!(sum.starts_with("read, ") && sum.contains(": once, up to "), "{said}");
            } else if asked == "1" {
                let none = "no wait of more than 100 ms was seen that is not marked, in the threads that the runtime knows";
                assert_eq!(lines.next(), Some(none), "{said}");
            }
            assert_eq!(lines.next(), None, "{said}");
        }
    }
}

/// The child is not audited, and says no sum.
fn forks() {
    let mut status = 0;
    // SAFETY: the child ends, as a program does.
    #[allow(unsafe_code)]
    let waited = unsafe {
        let child = libc::fork();
        if child == 0 {
            libc::exit(i32::from(!audit().is_empty()));
        }
        libc::waitpid(child, &raw mut status, 0) == child
    };
    assert!(waited && status == 0, "{status}");
}
