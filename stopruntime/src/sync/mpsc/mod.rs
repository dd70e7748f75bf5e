//! Channels whose waits can be stopped: the shape of [`std::sync::mpsc`], with
//! its error types. A [`Receiver`] can be cloned, which takes the place of
//! sharing one behind a `Mutex`: each message goes to one of them.
//!
//! A stopped `recv` has taken no message; a stopped `send` drops the value that it
//! was given without sending it. To keep it, send a clone and remove the original
//! only after the `send` has succeeded.
//!
//! While no thread waits, neither half makes a system call.

mod lock;
mod queue;
mod state;
mod waiters;

use super::wait::{OrStop, Plain, never};
use crate::scope::Stopped;
use queue::Queue;
use std::fmt;
use std::iter::FusedIterator;
use std::sync::Arc;
pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};
use std::time::{Duration, Instant};

/// Creates a channel without bound.
///
/// # Examples
///
/// ```
/// use stopruntime::sync::mpsc;
///
/// let (sender, receiver) = mpsc::channel();
/// sender.send(1)?;
/// assert_eq!(receiver.recv_or_stop()??, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let queue = Arc::new(Queue::new(None));
    (Sender { queue: Arc::clone(&queue) }, Receiver { queue })
}

/// Creates a channel for this many messages; for 0 each `send` waits until its
/// message has been received.
///
/// # Examples
///
/// ```
/// use stopruntime::Stopper;
/// use stopruntime::sync::mpsc::sync_channel;
///
/// let (sender, receiver) = sync_channel(1);
/// sender.send(1)?;
/// Stopper::current().request_stop();
/// assert!(sender.send_or_stop(2).is_err()); // there is no room
/// assert_eq!(receiver.recv(), Ok(1));
/// # Ok::<(), stopruntime::sync::mpsc::SendError<i32>>(())
/// ```
#[must_use]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let queue = Arc::new(Queue::new(Some(bound)));
    (SyncSender { queue: Arc::clone(&queue) }, Receiver { queue })
}

/// Sends into a channel without bound, and never waits.
///
/// # Examples
///
/// ```
/// use stopruntime::sync::mpsc;
/// use stopruntime::thread;
///
/// let (sender, receiver) = mpsc::channel();
/// for number in [1, 2, 3] {
///     let sender = sender.clone();
///     thread::spawn(move || sender.send(number));
/// }
/// drop(sender); // so that `iter` ends
/// assert_eq!(receiver.iter().sum::<i32>(), 6);
/// ```
pub struct Sender<T> {
    queue: Arc<Queue<T>>,
}

/// Sends into a bounded channel, and waits for room.
///
/// # Examples
///
/// As at [`sync_channel`].
pub struct SyncSender<T> {
    queue: Arc<Queue<T>>,
}

/// Receives from a channel.
///
/// # Examples
///
/// ```
/// use stopruntime::sync::mpsc;
/// use stopruntime::thread;
///
/// let (sender, receiver) = mpsc::channel();
/// let worker = thread::spawn(move || {
///     let mut sum = 0;
///     while let Ok(Ok(number)) = receiver.recv_or_stop() {
///         sum += number;
///     }
///     sum
/// });
/// for number in [1, 2, 3] {
///     sender.send(number).unwrap();
/// }
/// drop(sender); // or `worker.request_stop()`
/// assert_eq!(worker.join().unwrap(), 6);
/// ```
pub struct Receiver<T> {
    queue: Arc<Queue<T>>,
}

impl<T> Sender<T> {
    /// Sends a message.
    ///
    /// # Errors
    ///
    /// The message, if there is no receiver any more.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        never(self.queue.send::<Plain>(message))
    }

    /// Sends as [`Sender::send`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and the message was not sent.
    pub fn send_or_stop(&self, message: T) -> Result<Result<(), SendError<T>>, Stopped> {
        self.queue.send::<OrStop>(message)
    }
}

impl<T> SyncSender<T> {
    /// Sends a message; waits while the channel is full.
    ///
    /// # Errors
    ///
    /// The message, if there is no receiver any more.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        never(self.queue.send::<Plain>(message))
    }

    /// Sends as [`SyncSender::send`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and the message was not sent.
    pub fn send_or_stop(&self, message: T) -> Result<Result<(), SendError<T>>, Stopped> {
        self.queue.send::<OrStop>(message)
    }

    /// Sends a message if the channel has room, for a bound of 0 if a receiver
    /// is waiting.
    ///
    /// # Errors
    ///
    /// The message, and why it was not sent.
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        self.queue.try_send(message)
    }
}

impl<T> Receiver<T> {
    /// Waits for a message.
    ///
    /// # Errors
    ///
    /// There is no message, and no sender any more.
    pub fn recv(&self) -> Result<T, RecvError> {
        never(self.queue.recv::<Plain>(None)).map_err(|_| RecvError)
    }

    /// Waits as [`Receiver::recv`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and no message was taken.
    ///
    /// # Examples
    ///
    /// ```
    /// use stopruntime::sync::mpsc;
    /// use stopruntime::thread;
    ///
    /// let (sender, receiver) = mpsc::channel::<u8>();
    /// let waiter = thread::spawn(move || receiver.recv_or_stop().is_err());
    /// assert!(waiter.stop_and_join().unwrap());
    /// drop(sender);
    /// ```
    pub fn recv_or_stop(&self) -> Result<Result<T, RecvError>, Stopped> {
        Ok(self.queue.recv::<OrStop>(None)?.map_err(|_| RecvError))
    }

    /// Waits for a message, at most this long.
    ///
    /// # Errors
    ///
    /// No message came in time, or there is no sender any more.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        never(self.queue.recv::<Plain>(Instant::now().checked_add(timeout)))
    }

    /// Waits as [`Receiver::recv_timeout`] does, stop-checked.
    ///
    /// # Errors
    ///
    /// [`Stopped`]: a stop is requested and no message was taken.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::Duration;
    /// use stopruntime::sync::mpsc::{self, RecvTimeoutError};
    ///
    /// let (_sender, receiver) = mpsc::channel::<u8>();
    /// let received = receiver.recv_timeout_or_stop(Duration::from_millis(1)).unwrap();
    /// assert_eq!(received, Err(RecvTimeoutError::Timeout));
    /// ```
    pub fn recv_timeout_or_stop(
        &self,
        timeout: Duration,
    ) -> Result<Result<T, RecvTimeoutError>, Stopped> {
        self.queue.recv::<OrStop>(Instant::now().checked_add(timeout))
    }

    /// Takes a message if there is one.
    ///
    /// # Errors
    ///
    /// There is none, or no sender any more either.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.queue.try_recv()
    }

    /// Iterates over the messages until there is no sender any more.
    #[must_use]
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { rx: self }
    }

    /// Iterates over the messages that are there now.
    #[must_use]
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { rx: self }
    }
}

// The name of the field is part of what Debug says.

/// Goes over the messages of a borrowed receiver.
#[derive(Debug)]
pub struct Iter<'receiver, T> {
    rx: &'receiver Receiver<T>,
}

/// Iterates over the messages that are there now.
#[derive(Debug)]
pub struct TryIter<'receiver, T> {
    rx: &'receiver Receiver<T>,
}

/// Goes over the messages of a receiver.
#[derive(Debug)]
pub struct IntoIter<T> {
    rx: Receiver<T>,
}

impl<T> Iter<'_, T> {
    pub(crate) fn receiver(&self) -> &Receiver<T> {
        self.rx
    }
}

impl<T> IntoIter<T> {
    pub(crate) fn receiver(&self) -> &Receiver<T> {
        &self.rx
    }
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.rx.recv().ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.rx.try_recv().ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.rx.recv().ok()
    }
}

impl<T> FusedIterator for Iter<'_, T> {}
impl<T> FusedIterator for IntoIter<T> {}

impl<'receiver, T> IntoIterator for &'receiver Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'receiver, T>;

    fn into_iter(self) -> Iter<'receiver, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter { rx: self }
    }
}

macro_rules! halves {
    ($($half:ident: $more:ident, $less:ident);*) => {$(
        impl<T> Clone for $half<T> {
            fn clone(&self) -> $half<T> {
                self.queue.$more();
                $half { queue: Arc::clone(&self.queue) }
            }
        }

        impl<T> Drop for $half<T> {
            fn drop(&mut self) {
                self.queue.$less();
            }
        }

        impl<T> fmt::Debug for $half<T> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.debug_struct(stringify!($half)).finish_non_exhaustive()
            }
        }
    )*};
}
halves! {
    Sender: add_sender, drop_sender;
    SyncSender: add_sender, drop_sender;
    Receiver: add_receiver, drop_receiver
}
