//! Calls of functions, as they are, and after a wait.

use crate::prelude::*;

#[stoppable]
pub(crate) fn read_frame(socket: &UnixDatagram) -> io::Result<u8> {
    let mut buffer = [0];
    #[blocking]
    socket.recv(&mut buffer)?;
    Ok(buffer[0])
}

#[derive(Debug)]
enum FrameError {
    Io(io::Error),
    TooBig,
}

impl CarriesStop for FrameError {
    fn stopped(&self) -> Option<Stopped> {
        match self {
            FrameError::Io(error) => error.stopped(),
            FrameError::TooBig => None,
        }
    }
}

impl From<io::Error> for FrameError {
    fn from(error: io::Error) -> Self {
        FrameError::Io(error)
    }
}

fn small_frame(socket: &UnixDatagram) -> Result<u8, FrameError> {
    match read_frame(socket)? {
        number @ 0..8 => Ok(number),
        _ => Err(FrameError::TooBig),
    }
}

#[stoppable]
fn frames(socket: &UnixDatagram, log: &mut Vec<u8>) -> Result<(), FrameError> {
    loop {
        #[blocking(as_is)]
        let frame = small_frame(socket)?;
        log.push(frame);
        if frame == 2 {
            request();
        }
    }
    log.push(100);
    Ok(())
}

/// Its arms call what the table knows: the word is for the head.
#[stoppable]
fn relay(from: &UnixDatagram, to: &UnixDatagram) -> io::Result<&'static str> {
    loop {
        #[blocking(as_is)]
        match read_frame(from) {
            Ok(frame) => _ = to.send(&[frame])?,
            Err(_) => return Ok("its arm"),
        }
    }
    Ok("the clean-up")
}

#[test]
fn a_word_above_a_match_is_for_its_head() {
    let thread = waiting(|| {
        let ((_sender, from), (to, _receiver)) = (datagrams(1), datagrams(0));
        relay(&from, &to).unwrap()
    });
    assert_eq!(thread.stop_and_join().unwrap(), "the clean-up");
}

#[test]
fn a_stop_passes_through_nested_functions() {
    let log = requested_after(|| {
        let mut log = Vec::new();
        frames(&datagrams(5).1, &mut log).unwrap();
        log
    });
    assert_eq!(log, [0, 1, 2, 100]);
    let waiting = waiting(|| {
        let mut log = Vec::new();
        let (_sender, receiver) = datagrams(1);
        frames(&receiver, &mut log).unwrap();
        log
    });
    waiting.request_stop();
    assert_eq!(waiting.join().unwrap(), [0, 100]);
}

#[test]
fn other_errors_of_nested_functions_are_errors() {
    let (sender, receiver) = datagrams(0);
    sender.send(&[9]).unwrap();
    assert!(matches!(frames(&receiver, &mut Vec::new()), Err(FrameError::TooBig)));
}

/// What a thread that was stopped has left: an error that carries its stop.
fn another_threads_stop() -> io::Error {
    requested(|| read_frame(&datagrams(1).1)).unwrap_err()
}

#[stoppable(break)]
fn collect(results: &std::sync::mpsc::Receiver<io::Result<u8>>) -> io::Result<Vec<u8>> {
    fn next(results: &std::sync::mpsc::Receiver<io::Result<u8>>) -> io::Result<u8> {
        results.recv().unwrap()
    }
    let mut all = Vec::new();
    while all.len() < 2 {
        #[blocking(as_is)]
        let result = next(results);
        all.push(result.unwrap_or(9));
    }
    Ok(all)
}

/// Hands on what it was given.
struct Relay(Option<io::Error>);

impl Read for Relay {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

impl stopruntime::ext::ReadOrStop for Relay {
    fn read_or_stop(&mut self, buffer: &mut [u8]) -> Result<io::Result<usize>, Stopped> {
        Ok(self.read(buffer))
    }

    fn ready_or_stop(&self) -> Result<io::Result<()>, Stopped> {
        Ok(Ok(()))
    }
}

stop_tests::on_backends! { stop_tests::BACKENDS;
    /// It comes home in a channel or a join, and is no stop of this thread.
    fn another_threads_stop_is_an_ordinary_error() {
        let (sender, results) = std::sync::mpsc::channel();
        for result in [Err(another_threads_stop()), Ok(1)] {
            sender.send(result).unwrap();
        }
        assert_eq!(collect(&results).unwrap(), [9, 1]);
        let mut reader = BufReader::new(Relay(Some(another_threads_stop())));
        let error = stopruntime::ext::ReadOrStop::read_or_stop(&mut reader, &mut [0]);
        assert!(is_stopped(&error.unwrap().unwrap_err()));
        let mut reader = BufReader::new(Relay(Some(another_threads_stop())));
        let error = stopruntime::ext::FillBufOrStop::fill_buf_or_stop(&mut reader);
        assert!(is_stopped(&error.unwrap().unwrap_err()));
    }
}

struct Port(UnixDatagram);

impl Port {
    /// A third party's, which the table knows by name and must not replace.
    fn recv(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.recv(buffer)
    }

    fn recv_framed(&mut self) -> io::Result<u8> {
        read_frame(&self.0)
    }
}

impl std::os::fd::AsFd for Port {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[stoppable]
fn drain(mut port: Port) -> io::Result<u32> {
    let mut count = 0;
    let mut buffer = [0];
    loop {
        #[blocking(readable)]
        let length = port.recv(&mut buffer)?;
        count += u32::try_from(length).unwrap();
    }
    Ok(count)
}

#[stoppable]
fn drain_by_descriptor(mut port: Port) -> io::Result<u32> {
    let mut count = 0;
    loop {
        #[blocking(readable = port.0)]
        port.recv(&mut [0])?;
        count += 1;
    }
    Ok(count)
}

#[stoppable]
fn drain_as_is(mut port: Port) -> io::Result<u32> {
    let mut count = 0;
    loop {
        #[blocking(as_is)]
        port.recv_framed()?;
        count += 1;
    }
    Ok(count)
}

#[test]
fn anything_with_a_descriptor() {
    for function in [drain, drain_by_descriptor, drain_as_is] {
        let (_sender, receiver) = datagrams(3);
        let draining = waiting(move || function(Port(receiver)));
        draining.request_stop();
        assert_eq!(draining.join().unwrap().unwrap(), 3);
    }
}

#[stoppable(break)]
fn by_libc(socket: &UnixDatagram) -> (u32, isize) {
    use std::os::fd::AsRawFd;
    let mut buffer = [0_u8; 4];
    let mut count = 0;
    let mut last = 0;
    while last >= 0 {
        // SAFETY: the buffer is as long as is said.
        #[blocking]
        let length =
            unsafe { libc::read(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
        last = length;
        count += 1;
    }
    (count, last)
}

#[test]
fn calls_by_their_libc_names() {
    let reading = waiting(|| {
        let (_sender, receiver) = datagrams(3);
        by_libc(&receiver)
    });
    reading.request_stop();
    assert_eq!(reading.join().unwrap(), (3, 1));
}
