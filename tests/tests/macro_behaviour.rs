//! What `#[stoppable]` does to control flow: nothing while no stop is requested,
//! and the documented way out once one is.

// These forms are what is tested here, not how one would write them.
#![allow(
    clippy::assign_op_pattern,
    clippy::match_single_binding,
    clippy::needless_pass_by_value,
    clippy::needless_return,
    clippy::unnecessary_wraps
)]

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::time::{Duration, Instant};

use stopruntime::{CarriesStop, Stopped, Stopper, is_stopped, stoppable, thread};

/// Runs `body` in a thread that has been requested to stop before.
fn requested<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    thread::spawn(move || {
        Stopper::current().request_stop();
        body()
    })
    .join()
    .unwrap()
}

/// Runs `body` in a thread and returns once it waits for data.
fn waiting<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> thread::JoinHandle<T> {
    let (sender, receiver) = std::sync::mpsc::channel();
    let handle = thread::spawn(move || {
        sender.send(stop_tests::thread_id()).unwrap();
        body()
    });
    let waits =
        [libc::SYS_read, libc::SYS_recvfrom, libc::SYS_accept4, libc::SYS_poll, libc::SYS_ppoll];
    stop_tests::wait_until_blocked_in(receiver.recv().unwrap(), &waits);
    handle
}

/// Two ends, the second with `count` datagrams of one byte waiting.
fn datagrams(count: u8) -> (UnixDatagram, UnixDatagram) {
    let (sender, receiver) = UnixDatagram::pair().unwrap();
    for number in 0..count {
        sender.send(&[number]).unwrap();
    }
    (sender, receiver)
}

fn request() {
    Stopper::current().request_stop();
}

// --- loops -----------------------------------------------------------------

#[stoppable]
fn sum(socket: &UnixDatagram, until: u8) -> io::Result<(u32, &'static str)> {
    let mut buffer = [0];
    let mut sum = 0;
    loop {
        #[blocking]
        let length = socket.recv(&mut buffer)?;
        assert_eq!(length, 1);
        if buffer[0] == until {
            break;
        }
        sum += u32::from(buffer[0]);
    }
    Ok((sum, "cleaned up"))
}

#[test]
fn a_loop_runs_as_it_would() {
    let (_sender, receiver) = datagrams(5);
    assert_eq!(sum(&receiver, 4).unwrap(), (6, "cleaned up"));
}

#[test]
fn a_loop_is_left_as_by_break() {
    let left = requested(|| {
        let (_sender, receiver) = datagrams(5);
        (sum(&receiver, 4).unwrap(), receiver.recv(&mut [0]).unwrap())
    });
    // Nothing was received, and all of it is still there.
    assert_eq!(left, ((0, "cleaned up"), 1));
}

#[test]
fn a_waiting_call_is_ended() {
    let (_sender, receiver) = datagrams(0);
    let waiting = waiting(move || sum(&receiver, 4));
    waiting.request_stop();
    assert_eq!(waiting.join().unwrap().unwrap(), (0, "cleaned up"));
}

#[stoppable]
fn requested_half_way(socket: &UnixDatagram) -> io::Result<u32> {
    let mut buffer = [0];
    let mut rounds = 0;
    loop {
        #[blocking]
        socket.recv(&mut buffer)?;
        rounds += 1;
        if buffer[0] == 2 {
            request();
        }
    }
    Ok(rounds)
}

#[test]
fn what_a_call_returned_is_worked_on() {
    let (left, next) = requested_after(|| {
        let (_sender, receiver) = datagrams(9);
        let left = requested_half_way(&receiver).unwrap();
        let mut buffer = [0];
        receiver.recv(&mut buffer).unwrap();
        (left, buffer[0])
    });
    assert_eq!((left, next), (3, 3));
}

/// Runs `body`, which requests its own stop, in a thread of its own.
fn requested_after<T: Send + 'static>(body: impl FnOnce() -> T + Send + 'static) -> T {
    thread::spawn(body).join().unwrap()
}

#[stoppable]
fn nested_loops(socket: &UnixDatagram, log: &mut Vec<&'static str>) -> io::Result<()> {
    let mut buffer = [0];
    for _round in 0..3 {
        log.push("round");
        while buffer[0] < 10 {
            log.push("inner");
            loop {
                #[blocking]
                socket.recv(&mut buffer)?;
                if buffer[0] == 1 {
                    request();
                }
            }
        }
    }
    log.push("after");
    Ok(())
}

#[test]
fn the_outermost_loop_is_left() {
    let log = requested_after(|| {
        let (_sender, receiver) = datagrams(2);
        let mut log = Vec::new();
        nested_loops(&receiver, &mut log).unwrap();
        log
    });
    assert_eq!(log, ["round", "inner", "after"]);
}

#[stoppable]
fn labels(socket: &UnixDatagram) -> io::Result<Vec<u8>> {
    let mut seen = Vec::new();
    let mut buffer = [0];
    'outer: loop {
        'inner: loop {
            #[blocking]
            socket.recv(&mut buffer)?;
            match buffer[0] {
                0 => continue,
                1 => continue 'inner,
                2 => continue 'outer,
                3 => break 'inner,
                4 => break 'outer,
                5 => request(),
                _ => {}
            }
            seen.push(buffer[0]);
        }
        seen.push(100);
    }
    seen.push(200);
    Ok(seen)
}

#[test]
fn labels_keep_their_meaning() {
    let (_sender, receiver) = datagrams(5);
    assert_eq!(labels(&receiver).unwrap(), [100, 200]);
    let seen = requested_after(|| {
        let (sender, receiver) = datagrams(4);
        sender.send(&[9]).unwrap();
        sender.send(&[5]).unwrap();
        labels(&receiver).unwrap()
    });
    assert_eq!(seen, [100, 9, 5, 200]);
}

#[stoppable]
fn two_loops(socket: &UnixDatagram, log: &mut Vec<u8>) {
    let mut buffer = [0];
    loop {
        if blocking!(socket.recv(&mut buffer)).is_err() || buffer[0] == 1 {
            break;
        }
        log.push(1);
    }
    loop {
        if blocking!(socket.recv(&mut buffer)).is_err() || buffer[0] == 3 {
            break;
        }
        log.push(2);
    }
    log.push(3);
}

#[test]
fn each_outermost_loop_is_left_by_itself() {
    let mut log = Vec::new();
    two_loops(&datagrams(4).1, &mut log);
    assert_eq!(log, [1, 2, 3]);
    let log = requested(|| {
        let mut log = Vec::new();
        two_loops(&datagrams(4).1, &mut log);
        log
    });
    assert_eq!(log, [3]);
}

#[stoppable]
fn flushing(socket: &UnixDatagram, pending: &mut VecDeque<u8>) -> io::Result<usize> {
    let mut buffer = [0];
    loop {
        #[blocking]
        socket.recv(&mut buffer)?;
    }
    let mut flushed = 0;
    while let Some(_message) = pending.pop_front() {
        flushed += 1;
    }
    for _ in 0..3 {
        flushed += 1;
    }
    Ok(flushed)
}

#[test]
fn clean_up_loops_run_to_their_end() {
    let flushed = requested(|| {
        let (_sender, receiver) = datagrams(0);
        flushing(&receiver, &mut VecDeque::from([1, 2, 3, 4])).unwrap()
    });
    assert_eq!(flushed, 7);
}

// --- where the checkpoint is -------------------------------------------------

#[stoppable]
fn pop_and_send(socket: &UnixDatagram, queue: &mut VecDeque<u8>) -> io::Result<()> {
    while let Some(message) = queue.pop_front() {
        #[blocking]
        socket.send(&[message])?;
    }
    Ok(())
}

#[test]
fn a_condition_is_not_evaluated_for_nothing() {
    let mut queue = VecDeque::from([1, 2, 3]);
    let (sender, _receiver) = datagrams(0);
    pop_and_send(&sender, &mut queue).unwrap();
    assert!(queue.is_empty());
    let left = requested(|| {
        let mut queue = VecDeque::from([1, 2, 3]);
        let (sender, _receiver) = datagrams(0);
        pop_and_send(&sender, &mut queue).unwrap();
        queue.len()
    });
    assert_eq!(left, 3, "the message that was not sent is still in the queue");
}

#[stoppable]
fn take_and_send(socket: &UnixDatagram, items: &mut std::vec::IntoIter<u8>) -> io::Result<()> {
    for item in items {
        #[blocking]
        socket.send(&[item])?;
    }
    Ok(())
}

#[test]
fn an_item_is_not_taken_for_nothing() {
    let (sender, _receiver) = datagrams(0);
    let mut items = vec![1, 2, 3].into_iter();
    take_and_send(&sender, &mut items).unwrap();
    assert_eq!(items.len(), 0);
    let left = requested(|| {
        let (sender, _receiver) = datagrams(0);
        let mut items = vec![1, 2, 3].into_iter();
        take_and_send(&sender, &mut items).unwrap();
        items.len()
    });
    assert_eq!(left, 3);
}

#[stoppable]
fn deep(socket: &UnixDatagram, rounds: &Cell<u32>) -> io::Result<()> {
    while rounds.get() < 5 {
        rounds.set(rounds.get() + 1);
        if rounds.get() == 2 {
            request();
        }
        // Not reached in every round: the checkpoint sees the request.
        if rounds.get() == 5 {
            #[blocking]
            socket.recv(&mut [0])?;
        }
    }
    Ok(())
}

#[test]
fn a_loop_that_holds_a_mark_has_a_checkpoint() {
    let rounds = requested_after(|| {
        let rounds = Cell::new(0);
        deep(&datagrams(0).1, &rounds).unwrap();
        rounds.get()
    });
    assert_eq!(rounds, 2);
}

#[stoppable]
fn own_checkpoint(limit: u32) -> (u32, u32) {
    let mut rounds = 0;
    let mut outer = 0;
    while outer < 2 {
        outer += 1;
        #[checkpoint]
        while rounds < limit * outer {
            rounds += 1;
            if rounds == 3 {
                request();
            }
        }
    }
    (rounds, outer)
}

#[test]
fn a_checkpoint_leaves_the_outermost_loop() {
    assert_eq!(own_checkpoint(1), (2, 2));
    assert_eq!(requested_after(|| own_checkpoint(10)), (3, 1));
}

#[stoppable]
fn condition(stream: &mut UnixStream, total: &mut usize) -> io::Result<()> {
    let mut buffer = [0; 2];
    while let length @ 1.. = blocking!(stream.read(&mut buffer))? {
        *total += length;
    }
    *total += 100;
    Ok(())
}

#[test]
fn a_mark_in_a_condition_leaves_its_loop() {
    let run = || {
        let (mut sender, mut receiver) = UnixStream::pair().unwrap();
        sender.write_all(b"12345").unwrap();
        drop(sender);
        let mut total = 0;
        condition(&mut receiver, &mut total).unwrap();
        total
    };
    assert_eq!(run(), 105);
    assert_eq!(requested(run), 100);
}

// --- loops with a value, and no loop --------------------------------------------

#[stoppable]
fn bound(socket: &UnixDatagram) -> io::Result<u8> {
    let mut buffer = [0];
    let found = loop {
        #[blocking]
        socket.recv(&mut buffer)?;
        if buffer[0] == 2 {
            break buffer[0];
        }
    };
    Ok(found * 10)
}

#[stoppable]
fn tail(socket: &UnixDatagram) -> Result<u8, io::Error> {
    let mut buffer = [0];
    loop {
        #[blocking]
        socket.recv(&mut buffer)?;
        if buffer[0] == 2 {
            return Ok(buffer[0]);
        }
    }
}

#[stoppable]
fn tail_with_semicolon(socket: &UnixDatagram) -> io::Result<u8> {
    let mut buffer = [0];
    loop {
        #[blocking]
        socket.recv(&mut buffer)?;
        if buffer[0] == 2 {
            return Ok(buffer[0]);
        }
    }
}

#[stoppable]
fn optional(socket: &UnixDatagram) -> Option<u8> {
    let mut buffer = [0];
    #[blocking]
    socket.recv(&mut buffer).ok()?;
    Some(buffer[0])
}

#[stoppable(or = 77)]
fn number(socket: &UnixDatagram) -> u8 {
    let mut buffer = [0];
    #[blocking]
    socket.recv(&mut buffer).unwrap();
    buffer[0]
}

#[stoppable]
fn nothing(socket: &UnixDatagram, reached: &mut bool) {
    #[blocking]
    socket.recv(&mut [0]).unwrap();
    *reached = true;
}

#[test]
fn a_loop_with_a_value_leaves_the_function() {
    for function in [bound, tail, tail_with_semicolon] {
        assert!(function(&datagrams(3).1).unwrap() >= 2);
        let error = requested(move || function(&datagrams(3).1).unwrap_err());
        assert!(is_stopped(&error));
    }
}

#[test]
fn without_a_loop_the_function_is_left() {
    assert_eq!(optional(&datagrams(1).1), Some(0));
    assert_eq!(requested(|| optional(&datagrams(1).1)), None);
    assert_eq!(number(&datagrams(1).1), 0);
    assert_eq!(requested(|| number(&datagrams(1).1)), 77);
    let run = || {
        let mut reached = false;
        nothing(&datagrams(1).1, &mut reached);
        reached
    };
    assert!(run());
    assert!(!requested(run));
}

#[stoppable]
fn inner_value(socket: &UnixDatagram) -> io::Result<&'static str> {
    let mut buffer = [0];
    loop {
        let value = loop {
            #[blocking]
            socket.recv(&mut buffer)?;
            if buffer[0] == 1 {
                break 3;
            }
        };
        if value == 3 {
            return Ok("value");
        }
    }
    Ok("left the outermost")
}

#[test]
fn a_loop_with_a_value_inside_a_plain_one() {
    assert_eq!(inner_value(&datagrams(2).1).unwrap(), "value");
    let left = requested(|| inner_value(&datagrams(2).1).unwrap());
    assert_eq!(left, "left the outermost");
}

#[stoppable]
fn unit_tail(socket: &UnixDatagram, log: &mut Vec<u8>) {
    let mut buffer = [0];
    log.push(1);
    loop {
        #[blocking]
        socket.recv(&mut buffer).unwrap();
        log.push(2);
    }
}

#[test]
fn a_tail_loop_without_a_value_is_a_plain_one() {
    let log = requested(|| {
        let mut log = Vec::new();
        unit_tail(&datagrams(2).1, &mut log);
        log
    });
    assert_eq!(log, [1]);
}

// --- closures ------------------------------------------------------------------

#[stoppable]
fn in_threads(
    socket: UnixDatagram,
) -> (thread::JoinHandle<()>, thread::JoinHandle<io::Result<u8>>) {
    let (sender, other) = datagrams(0);
    let endless = thread::spawn(move || {
        let mut buffer = [0];
        loop {
            #[blocking]
            match socket.recv(&mut buffer) {
                Ok(_) => {}
                Err(error) => eprintln!("{error}"),
            }
        }
    });
    let typed = thread::spawn(move || -> io::Result<u8> {
        let _open = sender;
        loop {
            let mut buffer = [0];
            #[blocking]
            other.recv(&mut buffer)?;
            if buffer[0] == 9 {
                return Ok(1);
            }
        }
    });
    (endless, typed)
}

#[test]
fn closures_are_left_by_themselves() {
    let (_sender, receiver) = datagrams(3);
    let (endless, typed) = in_threads(receiver);
    endless.request_stop();
    typed.request_stop();
    endless.join().unwrap();
    assert!(is_stopped(&typed.join().unwrap().unwrap_err()));
}

#[stoppable]
fn closure_scopes(socket: &UnixDatagram) -> io::Result<Vec<u32>> {
    let mut seen = Vec::new();
    for round in 0..2 {
        // Its loop is the outermost of its own scope.
        let count = || {
            let mut count = 0;
            loop {
                if blocking!(socket.recv(&mut [0])).is_err() {
                    break;
                }
                count += 1;
                if count == 2 {
                    request();
                }
            }
            count + 100 * round
        };
        seen.push(count());
    }
    // No loop: the closure is left, not the function.
    let read = || -> Option<usize> { blocking!(socket.recv(&mut [0])).ok() };
    assert_eq!(read(), None);
    Ok(seen)
}

#[test]
fn a_closure_is_a_scope_of_its_own() {
    let seen = requested_after(|| closure_scopes(&datagrams(6).1).unwrap());
    assert_eq!(seen, [2, 100]);
}

// --- blocking iterators -----------------------------------------------------------

#[stoppable]
fn connections(listener: &TcpListener, limit: u32) -> io::Result<u32> {
    let mut count = 0;
    #[blocking]
    for stream in listener.incoming() {
        stream?;
        count += 1;
        if count == limit {
            break;
        }
    }
    Ok(count)
}

#[test]
fn a_loop_over_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let _one = TcpStream::connect(address).unwrap();
    let _two = TcpStream::connect(address).unwrap();
    assert_eq!(connections(&listener, 2).unwrap(), 2);
    let server = waiting(move || connections(&listener, 9));
    server.request_stop();
    assert_eq!(server.join().unwrap().unwrap(), 0);
}

#[stoppable]
fn all_lines(stream: UnixStream) -> io::Result<Vec<String>> {
    let mut lines = Vec::new();
    #[blocking]
    for line in BufReader::new(stream).lines() {
        let line = line?;
        if line == "stop" {
            request();
        }
        lines.push(line);
    }
    Ok(lines)
}

#[test]
fn a_loop_over_lines() {
    let run = |text: &'static [u8]| {
        move || {
            let (mut sender, receiver) = UnixStream::pair().unwrap();
            sender.write_all(text).unwrap();
            drop(sender);
            all_lines(receiver).unwrap()
        }
    };
    assert_eq!(run(b"a\nb\n")(), ["a", "b"]);
    assert_eq!(requested_after(run(b"a\nstop\nb\n")), ["a", "stop"]);
}

// --- nested, as_is, readable ---------------------------------------------------------

#[stoppable]
fn read_frame(socket: &UnixDatagram) -> io::Result<u8> {
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
        #[blocking]
        let frame = small_frame(socket)?;
        log.push(frame);
        if frame == 2 {
            request();
        }
    }
    log.push(100);
    Ok(())
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

#[stoppable]
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

// --- shields ----------------------------------------------------------------------------

#[stoppable]
fn shielded(socket: &UnixDatagram) -> io::Result<(u32, u32)> {
    let mut sent = 0;
    let mut kept = 0;
    loop {
        #[unstoppable]
        {
            request();
            // Held: this marked call, in a function of its own, works.
            read_frame(socket)?;
            sent += 1;
        }
        #[unstoppable]
        for _ in 0..2 {
            read_frame(socket)?;
            kept += 1;
        }
        #[blocking]
        socket.recv(&mut [0])?;
    }
    Ok((sent, kept))
}

#[test]
fn a_shield_holds_requests() {
    assert_eq!(requested_after(|| shielded(&datagrams(9).1).unwrap()), (1, 2));
}

// --- what surrounds the call ----------------------------------------------------------------

#[stoppable]
fn positions(stream: &mut UnixStream, other: &UnixDatagram) -> io::Result<usize> {
    let mut buffer = [0; 4];
    let mut total = 0;
    #[blocking]
    let Ok(length) = stream.read(&mut buffer) else {
        return Ok(0);
    };
    total += length;
    #[blocking]
    total += stream.read(&mut buffer)?;
    #[blocking]
    total = total + stream.read(&mut buffer).map_err(io::Error::other)?;
    #[blocking]
    if let Ok(length) = stream.read(&mut buffer) {
        total += length;
    }
    #[blocking]
    if stream.read(&mut buffer)? > 100 {
        return Ok(1);
    }
    let pair = (1, blocking!(stream.read(&mut buffer))?);
    total += pair.1;
    let text = format!("{}", blocking_helper(stream)?);
    total += text.len();
    #[blocking]
    let wide = stream.read(&mut buffer)? as u64;
    total += usize::try_from(wide).unwrap();
    #[blocking]
    other.recv(&mut buffer[..]).unwrap();
    #[blocking]
    std::io::Read::read_exact(stream, &mut buffer)?;
    #[blocking]
    return Ok(total + stream.read(&mut buffer)?);
}

#[stoppable]
fn blocking_helper(stream: &mut UnixStream) -> io::Result<usize> {
    blocking!(stream.read(&mut [0; 4]))
}

#[test]
fn every_position_of_a_mark() {
    let run = || {
        let (mut sender, mut receiver) = UnixStream::pair().unwrap();
        sender.write_all(&[0; 4 * 10 - 1]).unwrap();
        let (_sender, other) = datagrams(1);
        positions(&mut receiver, &other)
    };
    assert_eq!(run().unwrap(), 4 * 6 + 1 + 3);
    assert!(is_stopped(&requested(run).unwrap_err()));
}

// --- methods, generics, temporaries ------------------------------------------------------------

struct Server<S> {
    socket: S,
    count: usize,
}

impl<S: Read + stopruntime::ext::ReadOrStop> Server<S> {
    #[stoppable]
    fn run(&mut self) -> io::Result<&mut Self>
    where
        S: Send,
    {
        let mut buffer = [0; 2];
        loop {
            #[blocking]
            let length = self.socket.read(&mut buffer)?;
            if length == 0 {
                break;
            }
            self.count += length;
        }
        Ok(self)
    }
}

trait Work {
    fn socket(&self) -> &UnixDatagram;

    #[stoppable]
    fn work(&self) -> io::Result<u8> {
        let mut last = 0;
        loop {
            let mut buffer = [0];
            #[blocking]
            self.socket().recv(&mut buffer)?;
            last = buffer[0];
            if last == 2 {
                break;
            }
        }
        Ok(last)
    }
}

impl Work for UnixDatagram {
    fn socket(&self) -> &UnixDatagram {
        self
    }
}

#[test]
fn methods_generics_and_trait_defaults() {
    let run = || {
        let (mut sender, receiver) = UnixStream::pair().unwrap();
        sender.write_all(b"12345").unwrap();
        drop(sender);
        let mut server = Server { socket: receiver, count: 0 };
        server.run().unwrap().count
    };
    assert_eq!(run(), 5);
    assert_eq!(requested(run), 0);
    assert_eq!(datagrams(3).1.work().unwrap(), 2);
    assert_eq!(requested(|| datagrams(3).1.work().unwrap()), 0);
}

#[stoppable]
fn under_lock(socket: &std::sync::Mutex<UnixStream>) -> io::Result<usize> {
    let mut total = 0;
    while total < 4 {
        // The guard lives to the end of the statement, as in the plain program.
        #[blocking]
        let length = socket.lock().unwrap().read(&mut [0; 2])?;
        assert!(socket.try_lock().is_ok());
        total += length;
    }
    #[blocking]
    match socket.lock().unwrap().read(&mut [0; 2])? {
        length => {
            assert!(socket.try_lock().is_err());
            total += length;
        }
    }
    Ok(total)
}

#[test]
fn temporaries_live_as_long_as_they_would() {
    let (mut sender, receiver) = UnixStream::pair().unwrap();
    sender.write_all(b"123456").unwrap();
    assert_eq!(under_lock(&std::sync::Mutex::new(receiver)).unwrap(), 6);
}

#[stoppable]
fn holding(socket: &UnixDatagram, dropped: &Cell<u32>) -> io::Result<()> {
    struct Count<'a>(&'a Cell<u32>);
    impl Drop for Count<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let _outer = Count(dropped);
    loop {
        let _inner = Count(dropped);
        request();
        #[blocking]
        let _length = { socket.recv(&mut [0]) }?;
    }
    assert_eq!(dropped.get(), 1);
    Ok(())
}

#[test]
fn destructors_run() {
    let dropped = requested_after(|| {
        let dropped = Cell::new(0);
        holding(&datagrams(0).1, &dropped).unwrap();
        dropped.get()
    });
    assert_eq!(dropped, 2);
}

struct Noisy<'a>(&'a Cell<u32>);

impl Drop for Noisy<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[stoppable]
fn left_out_of_the_pattern(socket: &UnixDatagram, dropped: &Cell<u32>) -> io::Result<Vec<u32>> {
    let mut seen = Vec::new();
    for _ in [Noisy(dropped), Noisy(dropped)] {
        blocking!(socket.recv(&mut [0]))?;
        seen.push(dropped.get());
    }
    for (number, _) in [(10, Noisy(dropped)), (20, Noisy(dropped))] {
        blocking!(socket.recv(&mut [0]))?;
        seen.push(number + dropped.get());
    }
    Ok(seen)
}

#[test]
fn items_live_as_long_as_they_would() {
    let dropped = Cell::new(0);
    let seen = left_out_of_the_pattern(&datagrams(4).1, &dropped).unwrap();
    assert_eq!((seen, dropped.get()), (vec![0, 1, 12, 23], 4));
}

// --- sleeping, connecting ----------------------------------------------------------------------

#[stoppable(or = None)]
fn dial(address: std::net::SocketAddr) -> Option<TcpStream> {
    #[blocking]
    let stream = TcpStream::connect(address).ok();
    stream
}

#[test]
fn free_and_associated_functions() {
    #[stoppable(or = false)]
    fn nap_for(duration: Duration) -> bool {
        #[blocking]
        std::thread::sleep(duration);
        true
    }
    assert!(nap_for(Duration::from_millis(1)));
    let begin = Instant::now();
    assert!(!requested(|| nap_for(Duration::from_secs(60))));
    assert!(begin.elapsed() < Duration::from_secs(10));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    assert!(dial(address).is_some());
    assert!(requested(move || dial(address)).is_none());
}

#[stoppable]
fn datagram_service(socket: UdpSocket, mut log: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut buffer = [0; 16];
    loop {
        #[blocking]
        let (length, sender) = socket.recv_from(&mut buffer)?;
        log.extend_from_slice(&buffer[..length]);
        #[blocking]
        socket.send_to(&buffer[..length], sender)?;
    }
    log.push(b'.');
    Ok(log)
}

#[test]
fn the_example_of_the_front_page() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let service = thread::spawn(move || datagram_service(socket, Vec::new()));
    let client = UdpSocket::bind("127.0.0.1:0").unwrap();
    client.send_to(b"hello", address).unwrap();
    assert_eq!(client.recv(&mut [0; 16]).unwrap(), 5);
    assert!(service.request_stop());
    assert_eq!(service.join().unwrap().unwrap(), b"hello.");
}
