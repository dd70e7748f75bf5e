//! What the handles of both kinds of threads have.

/// The methods of both kinds of handle, over std's.
macro_rules! of_every_handle {
    ($inner:ty) => {
        pub(super) fn new(inner: $inner, stopper: Stopper) -> Self {
            let thread = inner.thread().clone();
            Self { inner: Mutex::new(Some(inner)), thread, stopper }
        }

        /// Std's handle, unless the thread has been joined through a reference.
        fn take(&self) -> Option<$inner> {
            self.inner.lock().unwrap_or_else(PoisonError::into_inner).take()
        }

        /// What the thread, which has ended, has returned.
        #[track_caller]
        fn outcome(&self) -> Result<T> {
            self.take().expect(JOINED).join()
        }

        /// Requests a stop and returns at once; see [`Stopper::request_stop`].
        ///
        /// # Examples
        ///
        /// ```
        /// use std::time::Duration;
        /// use stopruntime::{ext::sleep_or_stop, thread};
        ///
        /// let sleeper = thread::spawn(|| sleep_or_stop(Duration::MAX).is_err());
        /// assert!(sleeper.request_stop());
        /// assert!(sleeper.stop_requested());
        /// assert!(sleeper.join().unwrap());
        /// ```
        #[doc(alias = "interrupt")]
        #[doc(alias = "cancel")]
        #[doc(alias = "pthread_cancel")]
        #[allow(clippy::must_use_candidate, reason = "a request is made for its effect")]
        pub fn request_stop(&self) -> bool {
            self.stopper.request_stop()
        }

        /// Returns whether a stop has been requested.
        #[must_use]
        pub fn stop_requested(&self) -> bool {
            self.stopper.stop_requested()
        }

        /// Requests a stop and says why; see [`Stopper::request_stop_because`].
        #[allow(clippy::must_use_candidate, reason = "a request is made for its effect")]
        pub fn request_stop_because(&self, reason: impl Into<Reason>) -> bool {
            self.stopper.request_stop_because(reason)
        }

        /// Reports what the thread does, and why it does not stop; see
        /// [`report`](crate::report).
        ///
        /// # Examples
        ///
        /// As at [`ThreadReport`].
        #[must_use]
        pub fn report(&self) -> ThreadReport {
            ThreadReport::named(self.stopper.record(), &self.thread)
        }

        /// Returns a handle that only requests, to give away.
        ///
        /// # Examples
        ///
        /// ```
        /// use std::time::Duration;
        /// use stopruntime::{ext::sleep_or_stop, thread};
        ///
        /// let sleeper = thread::spawn(|| sleep_or_stop(Duration::MAX).is_err());
        /// let stopper = sleeper.stopper();
        /// let other = thread::spawn(move || stopper.request_stop());
        /// assert!(sleeper.join().unwrap());
        /// assert!(other.join().unwrap());
        /// ```
        #[must_use]
        pub fn stopper(&self) -> Stopper {
            self.stopper.clone()
        }

        /// Requests a stop and waits until the thread has ended.
        ///
        /// # Errors
        ///
        /// The payload of the panic that ended the thread.
        ///
        /// # Panics
        ///
        /// As [`join`](Self::join).
        ///
        /// # Examples
        ///
        /// ```
        /// use std::io;
        /// use std::net::UdpSocket;
        /// use stopruntime::ext::RecvOrStop;
        /// use stopruntime::thread;
        ///
        /// let socket = UdpSocket::bind("127.0.0.1:0")?;
        /// let counter = thread::spawn(move || {
        ///     let mut count = 0;
        ///     while let Ok(Ok(_)) = socket.recv_or_stop(&mut [0; 16]) {
        ///         count += 1;
        ///     }
        ///     count
        /// });
        /// assert_eq!(counter.stop_and_join().unwrap(), 0);
        /// # Ok::<(), io::Error>(())
        /// ```
        #[track_caller]
        pub fn stop_and_join(self) -> Result<T> {
            self.request_stop();
            self.join()
        }

        /// Waits until the thread has ended.
        ///
        /// # Errors
        ///
        /// The payload of the panic that ended the thread.
        ///
        /// # Panics
        ///
        /// If `join_or_stop` has returned the thread's value already: it borrows
        /// the handle, so that a stopped join leaves it with the caller.
        #[doc(alias = "pthread_join")]
        #[track_caller]
        pub fn join(self) -> Result<T> {
            self.outcome()
        }

        /// Waits at most this long; the destructors of the thread's thread-locals
        /// count as part of the thread.
        ///
        /// Destructors of thread-specific data count as well, except one that sets
        /// its value again three times and then waits: `pthread_key_create(3)`.
        ///
        /// # Errors
        ///
        /// The handle itself if the thread has not ended by then.
        ///
        /// # Panics
        ///
        /// As [`join`](Self::join).
        ///
        /// # Examples
        ///
        /// ```
        /// use std::time::Duration;
        /// use stopruntime::{ext::sleep_or_stop, thread};
        ///
        /// let sleeper = thread::spawn(|| sleep_or_stop(Duration::MAX).is_err());
        /// let sleeper = sleeper.join_timeout(Duration::from_millis(1)).expect_err("it sleeps");
        /// sleeper.request_stop();
        /// assert!(sleeper.join_timeout(Duration::MAX).unwrap().unwrap());
        /// ```
        #[doc(alias = "pthread_timedjoin_np")]
        #[track_caller]
        pub fn join_timeout(self, timeout: Duration) -> std::result::Result<Result<T>, Self> {
            let ended = match Instant::now().checked_add(timeout) {
                Some(deadline) => self.stopper.record().wait_until_ended(deadline),
                // Further than the clock reaches: no limit.
                None => true,
            };
            if ended { Ok(self.outcome()) } else { Err(self) }
        }

        /// Waits as [`join_timeout`](Self::join_timeout) does, stop-checked. If it is
        /// stopped, the handle stays as it is; if the time is over, the result is the
        /// handle and this one is as after a join.
        ///
        /// # Errors
        ///
        /// [`Stopped`]: a stop of the calling thread is requested.
        ///
        /// # Panics
        ///
        /// As [`join`](Self::join).
        ///
        /// # Examples
        ///
        /// ```
        /// use std::time::Duration;
        /// use stopruntime::{ext::sleep_or_stop, thread};
        ///
        /// let sleeper = thread::spawn(|| sleep_or_stop(Duration::MAX).is_err());
        /// let outcome = sleeper.join_timeout_or_stop(Duration::from_millis(1)).unwrap();
        /// let sleeper = outcome.expect_err("it sleeps");
        /// assert!(sleeper.stop_and_join().unwrap());
        /// ```
        #[track_caller]
        pub fn join_timeout_or_stop(
            &self,
            timeout: Duration,
        ) -> std::result::Result<std::result::Result<Result<T>, Self>, Stopped> {
            let deadline = Instant::now().checked_add(timeout);
            if ended_or_stop(self.stopper.record(), deadline)? {
                return Ok(Ok(self.outcome()));
            }
            let inner = self.take().expect(JOINED);
            Ok(Err(Self::new(inner, self.stopper.clone())))
        }

        /// `join`, stop-checked.
        #[track_caller]
        pub(crate) fn join_unless_stopped(&self) -> std::result::Result<Result<T>, Stopped> {
            ended_or_stop(self.stopper.record(), None)?;
            Ok(self.outcome())
        }

        /// Returns whether the thread's function has returned.
        #[must_use]
        pub fn is_finished(&self) -> bool {
            let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            inner.as_ref().is_none_or(|inner| inner.is_finished())
        }

        /// Returns the thread's name and id.
        #[must_use]
        pub fn thread(&self) -> &Thread {
            &self.thread
        }
    };
}
pub(super) use of_every_handle;
