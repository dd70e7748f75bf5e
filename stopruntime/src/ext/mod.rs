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

mod address;
mod buffered;
mod bufread;
mod chain;
mod channel;
mod command;
mod connect;
mod copy;
mod datagram;
mod file;
mod listener;
mod memory;
mod open;
mod output;
mod park;
mod pipes;
mod process;
mod raw;
mod raw_file;
mod read;
mod refused;
mod ring;
mod stdin;
mod stoppable;
mod stream;
mod streams;
mod time;
mod write;

pub use bufread::{BufReadOrStop, BytesOrStop, FillBufOrStop};
pub use channel::{ReceiverOrStop, SenderOrStop};
pub use command::{OutputOrStop, StatusOrStop};
pub use connect::{ConnectOrStop, ConnectTimeoutOrStop};
pub use copy::{CopyFromOrStop, CopyToOrStop, copy_or_stop};
pub use datagram::{
    PeekFromOrStop, PeekOrStop, RecvFromOrStop, RecvOrStop, SendOrStop, SendToOrStop,
};
pub use file::{FileOrStop, LockOrStop};
pub use listener::{AcceptOrStop, IncomingOrStop};
pub use open::OpenOrStop;
pub use output::{ReadOutputOrStop, WaitWithOutputOrStop};
pub use park::{park_or_stop, park_timeout_or_stop};
pub use process::{JoinOrStop, WaitOrStop};
pub use read::ReadOrStop;
#[doc(hidden)]
pub use refused::{InitialiseOrStop, ReadWriteLockOrStop};
pub use ring::{SubmitAndWaitOrStop, SubmitWithArgsOrStop};
#[doc(hidden)]
pub use stdin::LockBefore;
pub use stdin::{StdinGuard, StdinOrStop};
pub use stoppable::Stoppable;
pub use time::{sleep_or_stop, sleep_until_or_stop};
pub use write::WriteOrStop;

pub(crate) use bufread::{Bytes, Lines, Split};
pub(crate) use listener::Incoming;
pub(crate) use raw::{wait_readable, wait_writable};
