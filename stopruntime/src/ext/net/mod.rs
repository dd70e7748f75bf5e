//! [`std::net`] and the sockets of [`std::os::unix::net`], stop-checked.

mod address;
mod connect;
mod datagram;
mod listener;

pub use connect::{ConnectOrStop, ConnectTimeoutOrStop};
pub use datagram::{
    PeekFromOrStop, PeekOrStop, RecvFromOrStop, RecvOrStop, SendOrStop, SendToOrStop,
};
pub use listener::{AcceptOrStop, IncomingOrStop};

pub(crate) use listener::Incoming;
