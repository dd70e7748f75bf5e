//! Ways out of a region that is stopped.

use crate::both_ways;
use crate::kit::{CANCELED, armed, assert_clean, plain_read, reads_on};
use std::ptr::null_mut;

both_ways! {
    fn a_panic_out_of_it() {
        let caught = std::panic::catch_unwind(|| armed(|| {
            assert_eq!(plain_read(), CANCELED);
            std::panic::resume_unwind(Box::new(7));
        }));
        assert!(caught.is_err());
        assert_clean();
        reads_on();
    }

    fn the_end_of_the_thread_in_it() {
        extern "C-unwind" fn ends(_: *mut libc::c_void) -> *mut libc::c_void {
            armed(|| {
                assert_eq!(plain_read(), CANCELED);
                // SAFETY: nothing on this stack has a destructor except the region's guard.
                unsafe { pthread_exit(null_mut()) }
            })
        }
        type Start = extern "C" fn(*mut libc::c_void) -> *mut libc::c_void;
        for _ in 0..20 {
            // SAFETY: a start routine that is left by unwinding alone; a number or a pointer.
            unsafe {
                let start = std::mem::transmute::<*const (), Start>(ends as *const ());
                let mut thread = std::mem::zeroed::<libc::pthread_t>();
                assert_eq!(libc::pthread_create(&raw mut thread, std::ptr::null(), start, null_mut()), 0);
                assert_eq!(libc::pthread_join(thread, null_mut()), 0);
            }
            assert_clean();
        }
        assert_eq!(armed(plain_read), CANCELED);
    }
}

unsafe extern "C-unwind" {
    fn pthread_exit(value: *mut libc::c_void) -> !;
}
