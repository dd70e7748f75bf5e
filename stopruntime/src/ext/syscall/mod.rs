//! The few system calls that std's types come down to. They take the bare
//! descriptor, because std inlines `as_raw_fd` but not `as_fd`, and a call is
//! what must not stand before the next window; the caller holds its owner.

mod file;
mod process;
mod ready;
mod socket;
mod time;
mod transfer;

pub(super) use file::{effective_user, flock, look, open, status_flags, sync};
pub(super) use process::{
    any_readable, append, has_ended, is_hung_up, signal_group, wait_for_end, watch,
};
pub(super) use ready::{read_ready, write_ready};
pub(super) use socket::{
    RawAddress, accept, connect, connected, recv, recv_from, recv_ready, send, send_to,
};
pub(super) use time::sleep_until;
pub(super) use transfer::{read, readv, write, write_now, writev};

pub(crate) use ready::{wait_readable, wait_writable};
