//! libc's calls by their own names.
#![deny(warnings)]

use std::io;

use libc::{c_int, c_void};
use stopruntime::stoppable;

#[stoppable(break)]
fn read(descriptor: c_int, buffer: &mut [u8]) -> io::Result<isize> {
    loop {
        // SAFETY: the buffer is as long as is said.
        #[blocking]
        let length = unsafe {
            libc::read(descriptor, buffer.as_mut_ptr().cast::<c_void>(), buffer.len())
        };
        if length < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: waits for a child, whose status is not asked for.
        if unsafe { blocking!(libc::waitpid(-1, std::ptr::null_mut(), 0)) } > 0 {
            break;
        }
    }
    Ok(0)
}

fn main() {
    let _ = read;
}
