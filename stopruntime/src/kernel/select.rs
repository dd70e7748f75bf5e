//! select(2) of one descriptor in the place of poll(2), which refuses more
//! descriptors than the process may open (`EINVAL`): where `RLIMIT_NOFILE` is 0,
//! even one. select does not look at that limit.

use core::ffi::c_ulong;
use libc::pollfd;

/// The sets of one descriptor, as long as its number needs.
pub(crate) struct One {
    count: usize,
    readable: Vec<c_ulong>,
    writable: Vec<c_ulong>,
}

impl One {
    /// Of an entry that poll has refused.
    #[cold]
    pub(crate) fn new(entry: pollfd) -> One {
        const BITS: usize = c_ulong::BITS as usize;
        // A negative one is passed over, as by poll.
        let descriptor = usize::try_from(entry.fd).ok();
        let count = descriptor.map_or(0, |descriptor| descriptor + 1);
        let set = |events: i16| {
            let mut words = vec![0; count.div_ceil(BITS)];
            if let Some(descriptor) = descriptor.filter(|_| entry.events & events != 0) {
                words[descriptor / BITS] = 1 << (descriptor % BITS);
            }
            words
        };
        One { count, readable: set(libc::POLLIN), writable: set(libc::POLLOUT) }
    }

    /// The arguments of pselect6: the addresses of a time and of a mask with its
    /// size, or 0.
    pub(crate) fn args(&mut self, timeout: usize, mask: usize) -> [usize; 6] {
        let sets = [&mut self.readable, &mut self.writable].map(|set| set.as_mut_ptr() as usize);
        [self.count, sets[0], sets[1], 0, timeout, mask]
    }

    /// What poll would have made of the result of that call.
    pub(crate) fn seen(&self, raw: isize, entry: &mut pollfd) -> isize {
        const BAD: isize = -(libc::EBADF as isize);
        let has = |set: &[c_ulong], events: i16| {
            if set.iter().any(|word| *word != 0) { events } else { 0 }
        };
        entry.revents = match raw {
            BAD => libc::POLLNVAL,
            1.. => has(&self.readable, libc::POLLIN) | has(&self.writable, libc::POLLOUT),
            _ => 0,
        };
        if raw == BAD { 1 } else { raw }
    }
}
