//! Loops over readiness with the calls of libc, as a server has them: two
//! hundred descriptors with traffic, and a stop at any instant. Each event is
//! delivered exactly once, also where the kernel reports it only once
//! (`EPOLLONESHOT | EPOLLET`, epoll(7)): an event that a stopped call had
//! taken would leave its bytes there for good.

#![allow(unsafe_code)]

use crate::readiness::wires::{COUNT, Wires};
use core::ptr::{null, null_mut};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use stop_tests::dice::{Dice, runs};
use stop_tests::per_backend;
use stop_tests::proc::wait_for;
use stop_tests::started::{LIMIT, start};
use stopruntime::stoppable;

const FOR_EVER: i32 = -1;
/// Events that one call takes at most.
const AT_ONCE: usize = 64;

/// The wires, and the instance that watches them for the loops that have one.
struct Server {
    wires: Wires,
    epoll: OwnedFd,
}

#[stoppable]
fn poll(server: &Server) {
    let entry = |fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    let mut entries: Vec<_> = server.wires.descriptors().map(entry).collect();
    loop {
        #[blocking]
        // SAFETY: as many entries.
        let ready = unsafe { libc::poll(entries.as_mut_ptr(), COUNT as libc::nfds_t, FOR_EVER) };
        let with_event = entries.iter().enumerate().filter(|(_, entry)| entry.revents != 0);
        assert_eq!(with_event.clone().count(), ready as usize);
        for (index, _) in with_event {
            assert_ne!(server.wires.take(index), 0);
        }
    }
}

#[stoppable]
fn select(server: &Server) {
    let descriptors: Vec<_> = server.wires.descriptors().collect();
    let bound = descriptors.iter().max().unwrap() + 1;
    assert!(bound as usize <= libc::FD_SETSIZE);
    // SAFETY: zeroed is an empty set, and the numbers fit in it.
    let all = unsafe {
        let mut all: libc::fd_set = core::mem::zeroed();
        for fd in &descriptors {
            libc::FD_SET(*fd, &raw mut all);
        }
        all
    };
    loop {
        let mut set = all;
        let (set, none) = (&raw mut set, null_mut());
        #[blocking]
        // SAFETY: a set that reaches so far.
        let ready = unsafe { libc::select(bound, set, none, none, null_mut()) };
        // SAFETY: the numbers fit in it.
        let is_set = |fd: i32| unsafe { libc::FD_ISSET(fd, set) };
        let with_event = descriptors.iter().enumerate().filter(|(_, fd)| is_set(**fd));
        assert_eq!(with_event.clone().count(), ready as usize);
        for (index, _) in with_event {
            assert_ne!(server.wires.take(index), 0);
        }
    }
}

#[stoppable]
fn epoll_wait(server: &Server) {
    let mut events = [NO_EVENT; AT_ONCE];
    loop {
        let (epoll, place) = (server.epoll.as_raw_fd(), events.as_mut_ptr());
        #[blocking]
        // SAFETY: room for as many events.
        let ready = unsafe { libc::epoll_wait(epoll, place, AT_ONCE as i32, FOR_EVER) };
        for event in &events[..ready as usize] {
            server.serve(*event);
        }
    }
}

/// For musl there is no such function in the crate libc.
#[cfg(target_env = "gnu")]
#[stoppable]
fn epoll_pwait2(server: &Server) {
    let mut events = [NO_EVENT; AT_ONCE];
    loop {
        let (epoll, place) = (server.epoll.as_raw_fd(), events.as_mut_ptr());
        #[blocking]
        // SAFETY: room for as many events.
        let ready = unsafe { libc::epoll_pwait2(epoll, place, AT_ONCE as i32, null(), null()) };
        for event in &events[..ready as usize] {
            server.serve(*event);
        }
    }
}

const NO_EVENT: libc::epoll_event = libc::epoll_event { events: 0, u64: 0 };

impl Server {
    fn new() -> Server {
        let wires = Wires::new();
        // SAFETY: made just now, and nothing else owns it.
        let epoll = unsafe { OwnedFd::from_raw_fd(libc::epoll_create1(libc::EPOLL_CLOEXEC)) };
        let server = Server { wires, epoll };
        for (index, descriptor) in server.wires.descriptors().enumerate() {
            server.watch(libc::EPOLL_CTL_ADD, descriptor, index);
        }
        server
    }

    fn watch(&self, operation: i32, descriptor: i32, index: usize) {
        let once = (libc::EPOLLIN | libc::EPOLLET | libc::EPOLLONESHOT) as u32;
        let mut event = libc::epoll_event { events: once, u64: index as u64 };
        // SAFETY: the event outlives the call.
        let done = unsafe {
            libc::epoll_ctl(self.epoll.as_raw_fd(), operation, descriptor, &raw mut event)
        };
        assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
    }

    /// What an event is about; after it the descriptor is armed again.
    fn serve(&self, event: libc::epoll_event) {
        let index = event.u64 as usize;
        self.wires.disarm(index);
        assert_ne!(self.wires.take(index), 0);
        self.wires.arm(index);
        let descriptor = self.wires.descriptors().nth(index).unwrap();
        self.watch(libc::EPOLL_CTL_MOD, descriptor, index);
    }
}

/// Sends to any wire until told not to.
fn traffic(server: &Server, quiet: &AtomicBool, mut dice: Dice) {
    while !quiet.load(Ordering::SeqCst) {
        server.wires.send(dice.below(COUNT as u64) as usize, 1 + dice.below(16) as usize);
        std::thread::yield_now();
    }
}

/// Runs the loop again and again, and stops it at any instant.
fn stopped_at_any_instant(serve: fn(&Server)) {
    let server = Arc::new(Server::new());
    let quiet = Arc::new(AtomicBool::new(false));
    let mut dice = Dice::new();
    let writer = {
        let (server, quiet, dice) = (server.clone(), quiet.clone(), Dice::of(dice.below(1 << 60)));
        std::thread::spawn(move || traffic(&server, &quiet, dice))
    };
    let run = |server: &Arc<Server>| {
        let server = Arc::clone(server);
        start(move || serve(&server))
    };
    let (mut with_traffic, stops) = (0, runs(200));
    for stop in 0..stops {
        let before = server.wires.total();
        let thread = run(&server);
        // In the midst of its work, or, one in four, maybe at its start.
        if stop % 4 != 3 {
            wait_for("traffic", || server.wires.total() > before);
        }
        dice.spin(300_000);
        // It ends soon, or the test does.
        thread.stopped();
        with_traffic += u64::from(server.wires.total() > before);
    }
    quiet.store(true, Ordering::SeqCst);
    writer.join().unwrap();
    // The last one takes what the others left.
    let thread = run(&server);
    let end = Instant::now() + LIMIT;
    while !server.wires.left().is_empty() && Instant::now() < end {
        std::thread::yield_now();
    }
    thread.stopped();
    assert_eq!(server.wires.left(), [], "lost: (wire, sent, taken)");
    println!("{} bytes; {with_traffic} of {stops} had some", server.wires.total());
    assert!(with_traffic > stops / 2);
}

per_backend! {
    fn poll_delivers_each_event_once() {
        stopped_at_any_instant(poll);
    }

    fn select_delivers_each_event_once() {
        stopped_at_any_instant(select);
    }

    fn epoll_wait_delivers_each_event_once() {
        stopped_at_any_instant(epoll_wait);
    }

    #[cfg(target_env = "gnu")]
    fn epoll_pwait2_delivers_each_event_once() {
        if stopruntime::support().epoll_pwait2 {
            stopped_at_any_instant(epoll_pwait2);
        } else {
            stop_tests::not_tested("epoll_pwait2", "the kernel does not have it");
        }
    }
}
