//! What `/proc` says of a thread of this process. proc(5).
//!
//! Files are read one after the other while the thread goes on. What they say is taken
//! together only if the thread was in the same call before and afterwards.

use super::activity::{Activity, Wait};
use super::names;
use super::place::Trace;
use super::waits_for::waits_for;
use crate::runtime::installed;
use crate::runtime::record::Record;
use crate::runtime::signal;
use core::ffi::{c_int, c_long};
use core::sync::atomic::Ordering;
use std::fs;
use std::io;

/// What a look at a thread has found.
pub(super) struct Looked {
    pub(super) id: Option<c_int>,
    pub(super) name: String,
    pub(super) activity: Activity,
    /// The stop signal is blocked.
    pub(super) blocked: bool,
}

/// Looks at the thread of a record that is held.
pub(super) fn look(record: &Record) -> Looked {
    /// A thread that is in another call after so many looks runs.
    const LOOKS: u32 = 8;
    let nameless = |activity| Looked { id: None, name: String::new(), activity, blocked: false };
    let known = record.known.thread();
    if record.has_ended() {
        return nameless(Activity::Ended);
    }
    if record.known.is_of_another_process() {
        let why = "it is a thread of the process that has forked this one".into();
        return nameless(Activity::Unknown(why));
    }
    let Some(id) = known else { return nameless(Activity::NotBegun) };
    let status = Status::read(id);
    let (name, blocked) = match &status {
        Ok(status) => (status.name.clone(), status.blocked),
        Err(_) => (String::new(), false),
    };
    let mut activity = Activity::Runs;
    if id == signal::thread_id() {
        activity = Activity::Reports;
    } else {
        for _ in 0..LOOKS {
            if let Some(settled) = once(record, id) {
                activity = settled;
                break;
            }
        }
    }
    // Its id was its own all the time if it has not ended.
    if record.known.thread() == known {
        Looked { id: known, name, activity, blocked }
    } else {
        nameless(Activity::Ended)
    }
}

/// One look; none if the thread has gone on meanwhile.
fn once(record: &Record, id: c_int) -> Option<Activity> {
    let inside = is_inside(record);
    let before = call(id);
    let state = match Status::read(id) {
        Ok(status) => status.state,
        Err(error) => {
            return Some(Activity::Unknown(format!("/proc/self/task/{id}/status: {error}")));
        }
    };
    let text = match before {
        Ok(text) => text,
        Err(error) => return Some(without_call(id, state, &error)),
    };
    let activity = match (by_state(state), parse(&text)) {
        (Some(activity), _) => activity,
        (_, Some(Call::None)) => Activity::WaitsOutside,
        (_, Some(Call::Number { number, args, at })) => {
            let foreign = !inside && record.region.is_watched();
            let wait =
                Wait { foreign, uninterruptible: state == 'D', ..wait(number, args, inside) };
            let trace = Trace::take(at);
            let is_same = call(id).is_ok_and(|after| after == text) && is_inside(record) == inside;
            return is_same.then(|| Activity::Waits(Wait { place: trace.place(), ..wait }));
        }
        // It runs by now.
        (_, None) => return None,
    };
    Some(activity)
}

/// What the state says by itself: a thread that sleeps may do so in a call. proc(5).
fn by_state(state: char) -> Option<Activity> {
    Some(match state {
        'T' => Activity::Frozen,
        't' => Activity::Traced,
        'Z' | 'X' => Activity::Ended,
        'R' => Activity::Runs,
        _ => return None,
    })
}

/// What is known of a wait by the call alone.
pub(super) fn wait(number: c_long, args: [usize; 6], marked: bool) -> Wait {
    let name = names::marked(number).or_else(|| other(number));
    let on = waits_for(name, args);
    Wait { number, name, marked, foreign: false, on, place: None, uninterruptible: false }
}

/// The name of a call that waits and that has no variant.
fn other(number: c_long) -> Option<&'static str> {
    Some(match number {
        libc::SYS_clone => "clone",
        libc::SYS_close => "close",
        libc::SYS_execve => "execve",
        libc::SYS_getdents64 => "getdents64",
        libc::SYS_nanosleep => "nanosleep",
        // After SIGSTOP and SIGCONT: a wait with a time-out that goes on.
        libc::SYS_restart_syscall => "restart_syscall",
        #[cfg(target_arch = "x86_64")]
        libc::SYS_select => "select",
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open => "open",
        #[cfg(target_arch = "x86")]
        libc::SYS_open => "open",
        #[cfg(target_arch = "x86")]
        libc::SYS_poll => "poll",
        #[cfg(target_arch = "x86")]
        libc::SYS_socketcall => "socketcall",
        // With times of 64 bits, Linux 5.1: the same numbers for nearly all.
        #[cfg(target_pointer_width = "32")]
        407 => "clock_nanosleep",
        #[cfg(target_pointer_width = "32")]
        414 => "ppoll",
        #[cfg(target_pointer_width = "32")]
        422 => "futex",
        _ => return None,
    })
}

/// Whether the thread is in a marked call.
pub(super) fn is_inside(record: &Record) -> bool {
    record.line.marker.load(Ordering::SeqCst) != 0 || record.on_flag.is_set() || record.is_parked()
}

/// The file that says in which call it is cannot be read.
fn without_call(id: c_int, state: char, error: &io::Error) -> Activity {
    if let Some(activity) = by_state(state) {
        return activity;
    }
    let place = fs::read_to_string(format!("/proc/self/task/{id}/wchan")).unwrap_or_default();
    let place = match place.as_str() {
        "" | "0" => "it sleeps".to_owned(),
        place => format!("it sleeps in the kernel's {place}"),
    };
    Activity::Unknown(format!("{place}; /proc/self/task/{id}/syscall: {error}"))
}

pub(super) fn call(id: c_int) -> io::Result<String> {
    fs::read_to_string(format!("/proc/self/task/{id}/syscall"))
}

pub(super) enum Call {
    None,
    /// With the stack pointer and the program counter.
    Number {
        number: c_long,
        args: [usize; 6],
        at: [usize; 2],
    },
}

/// "running"; or "-1 SP PC"; or the number, six arguments, SP and PC.
pub(super) fn parse(text: &str) -> Option<Call> {
    let mut words = text.split_whitespace();
    let number: c_long = words.next()?.parse().ok()?;
    if number < 0 {
        return Some(Call::None);
    }
    let (mut args, mut at) = ([0; 6], [0; 2]);
    for word in args.iter_mut().chain(&mut at) {
        let digits = words.next()?.strip_prefix("0x")?;
        // Of a program of 32 bits the kernel may show more.
        *word = u64::from_str_radix(digits, 16).ok()? as usize;
    }
    Some(Call::Number { number, args, at })
}

/// From the file `status`.
pub(super) struct Status {
    pub(super) name: String,
    pub(super) state: char,
    blocked: bool,
    /// How often it has been taken from a processor: the same as long as it sleeps.
    pub(super) switches: u64,
}

impl Status {
    pub(super) fn read(id: c_int) -> io::Result<Status> {
        // A name need not be text.
        let bytes = fs::read(format!("/proc/self/task/{id}/status"))?;
        let text = String::from_utf8_lossy(&bytes);
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.map_or("", str::trim)
        };
        let mask = u64::from_str_radix(field("SigBlk:"), 16).unwrap_or(0);
        let switches = ["voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"];
        Ok(Status {
            name: field("Name:").to_owned(),
            state: field("State:").chars().next().unwrap_or('?'),
            blocked: mask >> (installed::signal() - 1).max(0) & 1 != 0,
            switches: switches.iter().map(|name| field(name).parse().unwrap_or(0)).sum(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Activity, Call, by_state, parse};

    /// SIGSTOP holds the thread that makes a report as well: no test of a whole program
    /// comes by it.
    #[test]
    fn a_state_that_says_it_all() {
        assert!(matches!(by_state('T'), Some(Activity::Frozen)));
        assert!(matches!(by_state('t'), Some(Activity::Traced)));
        assert!(matches!(by_state('Z'), Some(Activity::Ended)));
        assert!(by_state('S').is_none() && by_state('D').is_none());
    }

    #[test]
    fn the_kernels_line_is_read() {
        let line = "0 0x5 0x7ffd0 0x800 0x0 0x0 0xffffffffffffffff 0x7ffd0 0x7f11\n";
        let Some(Call::Number { number: 0, args, at }) = parse(line) else { panic!("{line}") };
        assert_eq!((args, at), ([5, 0x7ffd0, 0x800, 0, 0, usize::MAX], [0x7ffd0, 0x7f11]));
        assert!(matches!(parse("-1 0x7ffd0 0x7f11\n"), Some(Call::None)));
        assert!(parse("running\n").is_none());
        assert!(parse("").is_none());
        assert!(parse("0 0x5 what").is_none());
    }
}
