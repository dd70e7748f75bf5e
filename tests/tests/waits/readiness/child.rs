//! A child by a descriptor: readable when it has ended. `pidfd_open(2)`.

#![allow(unsafe_code)]

use crate::readiness::phases::{Subject, phases};
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use stop_tests::per_backend;
use stopruntime::stoppable;

/// A child that ends when its input does.
struct Cat {
    descriptor: OwnedFd,
    child: Mutex<Child>,
}

impl Cat {
    fn new() -> Cat {
        let mut command = Command::new("cat");
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        // SAFETY: two integers; made just now, and nothing else owns it.
        let descriptor = unsafe {
            let raw = libc::syscall(libc::SYS_pidfd_open, child.id(), 0);
            OwnedFd::from_raw_fd(raw.try_into().unwrap())
        };
        Cat { descriptor, child: Mutex::new(child) }
    }

    #[stoppable]
    fn end(&self) -> Option<String> {
        #[blocking(readable = self.descriptor)]
        let status = self.end_plainly();
        Some(status)
    }

    fn end_plainly(&self) -> String {
        self.child.lock().unwrap().wait().unwrap().to_string()
    }
}

impl Drop for Cat {
    fn drop(&mut self) {
        let child = self.child.get_mut().unwrap();
        drop(child.stdin.take());
        let _ = child.wait();
    }
}

per_backend! {
    fn a_child() {
        phases(|| {
            Subject::new(Cat::new(), Cat::end, Cat::end_plainly, "exit status: 0", |cat, _| {
                drop(cat.child.lock().unwrap().stdin.take());
            })
        });
    }
}
