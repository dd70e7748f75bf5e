//! Waiting for children.

use super::{Arranged, Case, arranged, case};
use core::ptr::null_mut;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use stopruntime::ext::StatusOrStop;
use stopruntime::{Stopped, sys};

/// A child that ends when its input does; dropped, it is gone.
struct Cat(Child);

impl Cat {
    fn end(&mut self) {
        drop(self.0.stdin.take());
        // Until it is there to be reaped, which the call does, or has done.
        // SAFETY: zeroed is a valid siginfo.
        unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            let options = libc::WEXITED | libc::WNOWAIT;
            let found = libc::waitid(libc::P_PID, self.0.id(), &raw mut info, options);
            let error = std::io::Error::last_os_error().raw_os_error();
            assert!(found == 0 || error == Some(libc::ECHILD), "{error:?}");
        }
    }
}

impl Drop for Cat {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// A wait for a child; fed by its end.
fn for_child(call: fn(i32) -> Result<i32, Stopped>) -> Arranged {
    let mut command = Command::new("cat");
    let cat = Cat(command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap());
    let id = cat.0.id() as i32;
    let cat = Arc::new(Mutex::new(cat));
    let other = Arc::clone(&cat);
    let reaped = move |result: i32| {
        // waitid says 0, the others whom.
        assert!(result <= 0 || result == id, "{result} instead of {id}");
        i64::from(result.min(0))
    };
    arranged(move || call(id).map(reaped), move || other.lock().unwrap().end()).keeping(cat)
}

/// A command that ends when its input does; fed by that. Stopped, it is killed:
/// the next call has a child of its own.
fn running() -> Arranged {
    let (reader, writer) = std::io::pipe().unwrap();
    arranged(
        move || {
            let mut command = Command::new("cat");
            let status = command.stdin(reader.try_clone().unwrap()).status_or_stop()?;
            assert!(status.unwrap().success());
            Ok(0)
        },
        move || drop(writer),
    )
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        case("waitpid", || for_child(made!(|id| sys::waitpid_or_stop(id, null_mut(), 0)))),
        case("wait4", || for_child(made!(|id| sys::wait4_or_stop(id, null_mut(), 0, null_mut())))),
        case("waitid", || {
            for_child(made!(|id| {
                sys::waitid_or_stop(libc::P_PID, id as u32, null_mut(), libc::WEXITED)
            }))
        }),
        case("wait", || for_child(made!(|_| sys::wait_or_stop(null_mut())))),
        case("wait3", || for_child(made!(|_| sys::wait3_or_stop(null_mut(), 0, null_mut())))),
        case("waitpid(-1)", || for_child(made!(|_| sys::waitpid_or_stop(-1, null_mut(), 0)))),
        case("process::Command::status", running).stands_for(&["system"]),
        case("waitid(P_ALL)", || {
            for_child(made!(|_| sys::waitid_or_stop(libc::P_ALL, 0, null_mut(), libc::WEXITED)))
        }),
    ]
}
