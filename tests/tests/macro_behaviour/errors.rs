//! The errors that a stop comes in, and those it goes out by.

use crate::nested::read_frame;
use crate::prelude::*;
use std::error::Error;
use std::fmt;
use std::ops::Deref;

/// As `thiserror` writes it for `#[from] io::Error`: nothing of it knows of stops.
#[derive(Debug)]
enum Failure {
    Io(io::Error),
    /// With `#[error(transparent)]`: what it shows is the error's own source.
    Transparent(io::Error),
    TooLong,
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("failed")
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Failure::Io(error) => Some(error),
            Failure::Transparent(error) => error.source(),
            Failure::TooLong => None,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Io(error)
    }
}

/// As the reports of `anyhow` and `eyre`: no error itself.
struct Report(Box<dyn Error + Send + Sync>);

impl Deref for Report {
    type Target = dyn Error + Send + Sync;

    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Report {
    fn from(error: E) -> Report {
        Report(Box::new(error))
    }
}

/// Like the report of `miette`.
struct Handed(Failure);

impl AsRef<dyn Error> for Handed {
    fn as_ref(&self) -> &(dyn Error + 'static) {
        &self.0
    }
}

/// What `call` returns where it is marked `as_is`: whether control left there.
macro_rules! leaves {
    ($error:ty, $call:expr) => {{
        #[stoppable]
        fn marked(call: impl FnOnce() -> Result<u8, $error>) -> Option<Result<u8, $error>> {
            #[blocking(as_is)]
            let result = call();
            Some(result)
        }
        requested_after(move || {
            marked(|| {
                request();
                $call
            })
            .is_none()
        })
    }};
}

fn stopped() -> io::Error {
    stopruntime::check().unwrap_err().into()
}

#[test]
fn a_stop_is_found_in_what_can_be_walked() {
    assert!(leaves!(Failure, Err(Failure::Io(stopped()))));
    assert!(leaves!(Failure, Err(Failure::Transparent(stopped()))));
    assert!(leaves!(Box<Failure>, Err(Box::new(Failure::Io(stopped())))));
    assert!(leaves!(Box<dyn Error>, Err(Failure::Io(stopped()).into())));
    assert!(leaves!(Report, Err(Failure::Io(stopped()).into())));
    assert!(leaves!(Report, Err(stopped().into())));
    assert!(leaves!(Handed, Err(Handed(Failure::Io(stopped())))));
    assert!(leaves!(Stopped, Err(stopruntime::check().unwrap_err())));
}

#[stoppable]
fn items(items: &mut dyn Iterator<Item = Result<u8, Failure>>, log: &mut Vec<u8>) {
    loop {
        #[blocking(as_is)]
        let item = items.next();
        log.push(item.map_or(1, |item| item.unwrap_or(2)));
        if log.len() == 2 {
            request();
        }
    }
}

#[test]
fn a_stop_is_found_in_what_an_iterator_yields() {
    let log = requested_after(|| {
        let mut log = Vec::new();
        let mut count = 0;
        let next = || {
            count += 1;
            match count {
                1 => Some(Ok(3)),
                2 => Some(Err(Failure::TooLong)),
                _ => Some(Err(Failure::Io(stopped()))),
            }
        };
        items(&mut std::iter::from_fn(next), &mut log);
        log
    });
    assert_eq!(log, [3, 2]);
    // Stopped while it waits, an iterator may simply end.
    let log = requested_after(|| {
        let mut log = Vec::new();
        let ends = || {
            request();
            None
        };
        items(&mut std::iter::from_fn(ends), &mut log);
        log
    });
    assert!(log.is_empty());
}

#[test]
fn another_error_is_what_it_was() {
    assert!(!leaves!(Failure, Err(Failure::TooLong)));
    assert!(!leaves!(Failure, Err(Failure::Io(io::ErrorKind::NotFound.into()))));
    assert!(!leaves!(Report, Err(Failure::TooLong.into())));
    assert!(!leaves!(Handed, Err(Handed(Failure::TooLong))));
    assert!(!leaves!(Failure, Ok(1)));
}

#[stoppable]
fn by_io(socket: &UnixDatagram) -> Result<u8, Failure> {
    #[blocking(as_is)]
    let frame = read_frame(socket)?;
    if frame > 100 {
        return Err(Failure::TooLong);
    }
    Ok(frame)
}

#[stoppable]
fn by_report(socket: &UnixDatagram) -> Result<u8, Report> {
    #[blocking(as_is)]
    let frame = by_io(socket)?;
    Ok(frame)
}

#[stoppable]
fn opaque(socket: &UnixDatagram) -> Result<impl Into<u32> + use<>, Stopped> {
    #[blocking(as_is)]
    let frame = by_report(socket).map_err(|report| report.0).unwrap_or(0);
    Ok(frame)
}

#[stoppable]
fn generic<E: From<io::Error>>(socket: &UnixDatagram) -> Result<u8, E> {
    #[blocking]
    socket.recv(&mut [0])?;
    Ok(1)
}

#[stoppable]
fn in_closure(socket: &UnixDatagram) {
    let receive = || -> Result<usize, Failure> { Ok(blocking!(socket.recv(&mut [0]))?) };
    assert!(matches!(receive(), Err(Failure::Io(error)) if is_stopped(&error)));
}

#[test]
fn a_stop_goes_out_by_what_the_error_is_made_from() {
    requested(|| {
        let socket = datagrams(1).1;
        assert!(matches!(by_io(&socket), Err(Failure::Io(error)) if is_stopped(&error)));
        assert!(
            by_report(&socket).is_err_and(|report| report.0.downcast_ref::<Stopped>().is_some())
        );
        assert!(opaque(&socket).is_err());
        assert!(generic::<Failure>(&socket).is_err());
        in_closure(&socket);
    });
}
