//! The two ends of a channel. Those of [`sync::mpsc`](crate::sync::mpsc) have
//! these methods of their own.

use crate::scope::Stopped;
use std::time::{Duration, Instant};

/// Receives from a channel, stop-checked: `recv`, `recv_timeout`, `recv_deadline`.
///
/// A call that is stopped has taken no message. `crossbeam_channel::Receiver` has these
/// calls with the feature `crossbeam-channel`.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "crossbeam-channel")] {
/// use crossbeam_channel::unbounded;
/// use stopruntime::Stopper;
/// use stopruntime::ext::ReceiverOrStop;
///
/// let (sender, receiver) = unbounded();
/// sender.send(1)?;
/// assert_eq!(receiver.recv_or_stop()??, 1);
/// sender.send(2)?;
/// Stopper::current().request_stop();
/// assert!(receiver.recv_or_stop().is_err());
/// assert_eq!(receiver.len(), 1); // it was not taken
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ReceiverOrStop {
    /// What the channel carries.
    type Message;
    /// Why `recv` fails.
    type Disconnected;
    /// Why `recv_timeout` and `recv_deadline` fail.
    type NotInTime;

    /// Waits for a message.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and no message was taken.
    fn recv_or_stop(&self) -> Result<Result<Self::Message, Self::Disconnected>, Stopped>;

    /// Waits for a message, at most this long.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and no message was taken.
    fn recv_timeout_or_stop(
        &self,
        timeout: Duration,
    ) -> Result<Result<Self::Message, Self::NotInTime>, Stopped>;

    /// Waits for a message, at most until then.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and no message was taken.
    fn recv_deadline_or_stop(
        &self,
        deadline: Instant,
    ) -> Result<Result<Self::Message, Self::NotInTime>, Stopped>;
}

/// Sends into a channel, stop-checked: `send`, `send_timeout`, `send_deadline`.
///
/// If a call is stopped, the message is not sent, and it is dropped. To keep it, send a
/// clone and remove the original only after the `send` has succeeded.
/// `crossbeam_channel::Sender` has these calls with the feature `crossbeam-channel`.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "crossbeam-channel")] {
/// use crossbeam_channel::bounded;
/// use stopruntime::Stopper;
/// use stopruntime::ext::SenderOrStop;
///
/// let (sender, receiver) = bounded(1);
/// sender.send_or_stop(1)??;
/// Stopper::current().request_stop();
/// assert!(sender.send_or_stop(2).is_err()); // there is no room
/// assert_eq!(receiver.recv()?, 1);
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait SenderOrStop {
    /// What the channel carries.
    type Message;
    /// Why `send` fails.
    type Disconnected;
    /// Why `send_timeout` and `send_deadline` fail.
    type NotInTime;

    /// Sends a message; waits while the channel is full.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and the message was not sent.
    fn send_or_stop(
        &self,
        message: Self::Message,
    ) -> Result<Result<(), Self::Disconnected>, Stopped>;

    /// Sends a message; waits at most this long while the channel is full.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and the message was not sent.
    fn send_timeout_or_stop(
        &self,
        message: Self::Message,
        timeout: Duration,
    ) -> Result<Result<(), Self::NotInTime>, Stopped>;

    /// Sends a message; waits at most until then while the channel is full.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and the message was not sent.
    fn send_deadline_or_stop(
        &self,
        message: Self::Message,
        deadline: Instant,
    ) -> Result<Result<(), Self::NotInTime>, Stopped>;
}
