//! Putting threads on processors. `sched_setaffinity(2)`.
//!
//! # Safety
//!
//! The invariant of this module: sets are initialised before the kernel or the
//! macros look at them.

use std::fs;

/// The processors this process may use.
#[derive(Clone)]
pub struct Cores(Vec<usize>);

impl Cores {
    /// Asks the kernel.
    pub fn available() -> Cores {
        // SAFETY: a zeroed set is an empty one; the kernel fills it in.
        let set = unsafe {
            let mut set: libc::cpu_set_t = core::mem::zeroed();
            assert_eq!(libc::sched_getaffinity(0, size_of_val(&set), &raw mut set), 0);
            set
        };
        let last = usize::try_from(libc::CPU_SETSIZE).expect("positive");
        // SAFETY: an initialised set and an index within it.
        Cores((0..last).filter(|core| unsafe { libc::CPU_ISSET(*core, &set) }).collect())
    }

    /// The one with the lowest number.
    pub fn first(&self) -> usize {
        self.0[0]
    }

    /// The first one again if there is only one.
    pub fn last(&self) -> usize {
        *self.0.last().expect("at least one core")
    }

    /// Moves the threads of this process, but for the calling one and the one
    /// given, to each core in turn; how often one was moved.
    pub fn shuffle(&self, but: i32) -> u64 {
        let me = crate::thread_id();
        let mut moves = 0;
        for core in &self.0 {
            for task in fs::read_dir("/proc/self/task").expect("proc").flatten() {
                let thread = task.file_name().to_string_lossy().parse().expect("a thread id");
                if thread != me && thread != but && try_pin(thread, &[*core]) {
                    moves += 1;
                }
            }
        }
        moves
    }
}

/// Keeps a thread on these cores.
pub fn pin(thread: i32, cores: &[usize]) {
    assert!(try_pin(thread, cores), "sched_setaffinity: {}", std::io::Error::last_os_error());
}

/// As [`pin`]; false if the thread has gone.
fn try_pin(thread: i32, cores: &[usize]) -> bool {
    // SAFETY: a zeroed set is an empty one.
    unsafe {
        let mut set: libc::cpu_set_t = core::mem::zeroed();
        for core in cores {
            libc::CPU_SET(*core, &mut set);
        }
        libc::sched_setaffinity(thread, size_of_val(&set), &raw const set) == 0
    }
}

/// Makes sleeps of the calling thread end within microseconds, not within the
/// 50 that the kernel allows itself. `PR_SET_TIMERSLACK(2const)`.
pub fn sleep_sharply() {
    // SAFETY: integers.
    assert_eq!(unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1) }, 0);
}
