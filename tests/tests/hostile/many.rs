//! Ten thousand threads at once, or as many as the machine allows, or the part
//! of them that is asked for.

use std::fs;
use std::io::pipe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use stop_tests::{not_tested, per_backend, thread_id, wait_until_blocked_in};
use stopruntime::ext::ReadOrStop;
use stopruntime::thread;

fn many() -> usize {
    usize::try_from(stop_tests::part_of(10_000)).expect("no more than that")
}

/// Half of what this machine allows, at most [`many`]: other tests run at the
/// same time.
fn how_many() -> usize {
    let machine = ["/proc/sys/kernel/threads-max", "/proc/sys/kernel/pid_max"];
    let group = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let group = group.lines().find_map(|line| line.strip_prefix("0::/")).unwrap_or_default();
    // A limit of any group above is one of this as well. cgroups(7)
    let mut groups = Vec::from([Path::new("/sys/fs/cgroup").join(group)]);
    while let Some(above) = groups.last().and_then(|group| group.parent()) {
        groups.push(above.to_owned());
    }
    let files = groups.iter().map(|group| group.join("pids.max"));
    let limits = files.chain(machine.map(PathBuf::from)).filter_map(|file| {
        // `max` is no limit.
        fs::read_to_string(file).ok()?.trim().parse::<usize>().ok()
    });
    let mut of_user = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: a valid place for the limit.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NPROC, &raw mut of_user) }, 0);
    let of_user = usize::try_from(of_user.rlim_cur).unwrap_or(usize::MAX);
    limits.chain([of_user]).map(|limit| limit / 2).chain([many()]).min().expect("at least one")
}
const READS: [libc::c_long; 2] = [libc::SYS_read, libc::SYS_ppoll];

per_backend! {
    /// All requested by the end of their scope: all flags, one barrier, then
    /// the signals.
    fn blocked_requested_and_joined() {
        let (reader, _writer) = pipe().unwrap();
        let stopped = AtomicUsize::new(0);
        let (sender, receiver) = std::sync::mpsc::channel();
        let mut started = 0;
        let most = how_many();
        if most < many() {
            not_tested("ten thousand threads", format_args!("{most} are half of the limit here"));
        }
        thread::scope(|scope| {
            let (reader, stopped) = (&reader, &stopped);
            while started < most {
                let sender = sender.clone();
                let builder = thread::Builder::new().stack_size(stop_tests::SMALL_STACK);
                let handle = builder.spawn_scoped(scope, move || {
                    sender.send(thread_id()).unwrap();
                    let mut marked = reader;
                    assert!(marked.read_or_stop(&mut [0]).is_err());
                    stopped.fetch_add(1, Ordering::Relaxed);
                });
                if let Err(error) = handle {
                    not_tested("more threads", format_args!("{started}, then {error}"));
                    break;
                }
                started += 1;
            }
            for thread in receiver.iter().take(started) {
                wait_until_blocked_in(thread, &READS);
            }
            scope.request_stop();
        });
        assert_eq!(stopped.load(Ordering::Relaxed), started);
        assert!(started > 0);
    }
}
