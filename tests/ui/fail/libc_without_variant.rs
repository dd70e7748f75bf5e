use stopruntime::stoppable;

#[stoppable]
fn work(start: *mut u8) {
    // SAFETY: never run.
    #[blocking]
    unsafe {
        libc::madvise(start.cast(), 1, libc::MADV_NORMAL)
    };
}

fn main() {}
