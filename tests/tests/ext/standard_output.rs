//! Standard output, which std keeps behind a lock and a buffer: a mark waits for its
//! descriptor. One test in a process: it is the process's own.

#![allow(unsafe_code)]

use std::io::{self, Write};
use std::os::fd::AsRawFd;
use stop_tests::per_backend;
use stop_tests::started::stopped_in;
use stopruntime::stoppable;

/// Goes out as it is written, and in one piece where there is room for it.
const LINE: &[u8] = b"a line of some length\n";

#[stoppable]
fn fill() -> io::Result<()> {
    let mut output = io::stdout();
    loop {
        #[blocking(writable)]
        output.write_all(LINE)?;
    }
}

per_backend! {
    fn a_write_to_a_full_pipe_is_stopped_and_tears_no_line() {
        let (reader, writer) = io::pipe().unwrap();
        // SAFETY: descriptors; nothing else of this process writes meanwhile.
        let before = unsafe { libc::dup(1) };
        // SAFETY: as above.
        assert_eq!(unsafe { libc::dup2(writer.as_raw_fd(), 1) }, 1);
        let result = stopped_in(&[libc::SYS_ppoll], fill);
        // SAFETY: what has been kept of it.
        assert_eq!(unsafe { libc::dup2(before, 1) }, 1);
        assert!(stopruntime::is_stopped(&result.unwrap_err()));
        let mut length: libc::c_int = 0;
        // SAFETY: a query into a valid place.
        let asked = unsafe { libc::ioctl(reader.as_raw_fd(), libc::FIONREAD, &raw mut length) };
        assert_eq!((asked, usize::try_from(length).unwrap() % LINE.len()), (0, 0));
        assert!(length > 0);
    }
}
