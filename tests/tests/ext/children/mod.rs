//! `Command::output`, `Command::status`, `Child::wait_with_output`: as std's
//! while no stop is requested; once one is, no child, zombie, pipe or byte is
//! left where nothing has it.

mod group;
mod in_fork;
mod random;
mod std_shape;
mod stopped;

/// What all of them use.
mod prelude {
    pub(crate) use std::io::{self, Read, Write};
    pub(crate) use std::process::{Child, Command, ExitStatus, Output, Stdio};
    pub(crate) use stop_tests::per_backend;
    pub(crate) use stop_tests::proc::limit;
    use stop_tests::started::blocked;
    pub(crate) use stop_tests::started::requested;
    pub(crate) use stopruntime::ext::{
        OutputOrStop, ReadOutputOrStop, StatusOrStop, WaitOrStop, WaitWithOutputOrStop,
    };
    pub(crate) use stopruntime::{Stopped, Stopper, stoppable, thread};

    /// Bytes that [`noisy`] writes to each of its streams: more than two pipes
    /// hold.
    pub(crate) const NOISE: usize = BLOCKS * BLOCK;
    const BLOCKS: usize = 24;
    const BLOCK: usize = 8 * 1024;

    pub(crate) fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        command
    }

    /// A process of its own, without helpers, that writes to both streams in
    /// turn and ends with 3: it comes to no end unless both are read.
    pub(crate) fn noisy() -> Command {
        noisy_and_then("exit 3")
    }

    /// The same, with another end.
    pub(crate) fn noisy_and_then(end: &str) -> Command {
        shell(&format!(
            "s=12345678; while [ ${{#s}} -lt {BLOCK} ]; do s=$s$s; done
             i=0; while [ $i -lt {BLOCKS} ]; do
                 printf '%04d%s' $i \"${{s#????}}\"; printf '%04d%s' $i \"${{s%????}}\" >&2
                 i=$((i+1))
             done; {end}"
        ))
    }

    /// What it writes.
    pub(crate) fn noise() -> [Vec<u8>; 2] {
        let line = "12345678".repeat(BLOCK / 8);
        [&line[4..], &line[..BLOCK - 4]].map(|rest| {
            let blocks: Vec<String> = (0..BLOCKS).map(|i| format!("{i:04}{rest}")).collect();
            blocks.concat().into_bytes()
        })
    }

    /// A process that ends when it is killed.
    pub(crate) fn endless() -> Command {
        let mut command = Command::new("sleep");
        command.arg("infinity");
        command
    }

    /// What `check_nothing_is_left` compares with. Orphans of this process'
    /// children become its own, so that they are seen as well.
    pub(crate) fn begin() -> usize {
        // The runtime's own, if it needs any.
        assert!(!Stopper::current().stop_requested());
        // SAFETY: prctl(2) with an integer.
        let set = unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
        assert!(
            set == 0
                || stop_tests::emulation_hides("orphans of children", stop_tests::NO_SUBREAPER)
        );
        descriptors()
    }

    pub(crate) fn descriptors() -> usize {
        std::fs::read_dir("/proc/self/fd").unwrap().count()
    }

    /// No child runs, none is to be reaped, no descriptor is open that was not.
    #[track_caller]
    pub(crate) fn check_nothing_is_left(descriptors_before: usize) {
        assert_eq!(any_child(), None, "a child is left");
        assert_eq!(descriptors(), descriptors_before, "descriptors");
    }

    /// Whether there is any child: `Some(false)` if it still runs.
    pub(crate) fn any_child() -> Option<bool> {
        // SAFETY: zeroed is a valid siginfo, and waitid(2) fills it in.
        let (found, info) = unsafe {
            let mut info: libc::siginfo_t = core::mem::zeroed();
            let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
            (libc::waitid(libc::P_ALL, 0, &raw mut info, options), info)
        };
        if found == -1 {
            assert_eq!(io::Error::last_os_error().raw_os_error(), Some(libc::ECHILD));
            return None;
        }
        // SAFETY: filled in, or still zeroed: no child has ended.
        Some(unsafe { info.si_pid() } != 0)
    }

    /// The calls that the three wait in.
    pub(crate) const WAITS: [libc::c_long; 2] = [libc::SYS_ppoll, libc::SYS_waitid];

    /// Runs `body` in a thread and returns once that waits for a child.
    pub(crate) fn waiting<T: Send + 'static>(
        body: impl FnOnce() -> T + Send + 'static,
    ) -> thread::JoinHandle<T> {
        blocked(&WAITS, body).0
    }

    /// Requests its stop; what it returns.
    pub(crate) fn stop<T: std::fmt::Debug>(handle: thread::JoinHandle<T>) -> T {
        assert!(handle.request_stop());
        let ended = handle.join_timeout(limit());
        ended.expect("a request ends it").expect("it does not panic")
    }
}
