//! std's blocking calls, stop-checked, as extension traits: for use without the
//! attribute, which expands to the same.
//!
//! The rule has no exceptions: `f_or_stop(args)` returns
//! `Result<what f(args) returns, Stopped>`.
//!
//! ```
//! use std::net::UdpSocket;
//! use stopruntime::ext::RecvFromOrStop;
//!
//! fn serve(socket: &UdpSocket) -> std::io::Result<()> {
//!     let mut buffer = [0; 2048];
//!     loop {
//!         match socket.recv_from_or_stop(&mut buffer) {
//!             Ok(result) => println!("{:?}", &buffer[..result?.0]),
//!             Err(_stopped) => return Ok(()),
//!         }
//!     }
//! }
//! # let socket = UdpSocket::bind("127.0.0.1:0")?;
//! # stopruntime::Stopper::current().request_stop();
//! # serve(&socket)?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A trait of one operation that many types have, as `read` or `accept`, may be implemented
//! for a type of your own, whose calls can then be marked. Traits that mirror one type of std
//! are sealed: [`FileOrStop`], [`IncomingOrStop`], [`KillGroup`], [`OpenOrStop`],
//! [`ReadOutputOrStop`] and [`StdinOrStop`].

mod channel;
mod fs;
mod io;
mod net;
mod outcome;
mod process;
pub(crate) mod refused;
mod sealed;
mod syscall;
mod thread;

pub use crate::uring::{SubmitAndWaitOrStop, SubmitWithArgsOrStop};
pub use channel::{ReceiverOrStop, SenderOrStop};
pub use fs::{FileOrStop, LockOrStop, OpenOrStop};
#[doc(hidden)]
pub use io::LockBefore;
pub use io::{
    BufReadOrStop, BytesOrStop, CopyFromOrStop, CopyToOrStop, FillBufOrStop, ReadOrStop,
    StdinGuard, StdinOrStop, Stoppable, WriteOrStop, copy_or_stop,
};
pub use net::{
    AcceptOrStop, ConnectOrStop, ConnectTimeoutOrStop, IncomingOrStop, PeekFromOrStop, PeekOrStop,
    RecvFromOrStop, RecvOrStop, SendOrStop, SendToOrStop,
};
pub use outcome::Outcome;
pub use process::{
    GroupChild, GroupCommand, KillGroup, OutputOrStop, ReadOutputOrStop, StatusOrStop, WaitOrStop,
    WaitWithOutputOrStop,
};
#[doc(hidden)]
pub use refused::{InitialiseOrStop, ReadWriteLockOrStop};
pub use thread::{
    JoinOrStop, park_or_stop, park_timeout_or_stop, sleep_or_stop, sleep_until_or_stop,
};

pub(crate) use io::{Bytes, Lines, Split};
pub(crate) use net::Incoming;
pub(crate) use syscall::{wait_readable, wait_writable};
