//! What a thread waits in, and for what.

use super::{says, says_one_of, says_with, start};
use std::fs::File;
use std::io::{Read, pipe};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use stop_tests::directory::Directory;
use stop_tests::per_backend;
use stopruntime::ext::{
    AcceptOrStop, JoinOrStop, ReadOrStop, RecvFromOrStop, RecvOrStop, WaitOrStop, park_or_stop,
    sleep_or_stop,
};
use stopruntime::report::Obstacle;
use stopruntime::sync::Mutex;
use stopruntime::thread::JoinHandle;
use stopruntime::{Backend, backend};

fn without_windows() -> bool {
    backend() == Backend::Ppoll
}

/// The name of a marked call, or of the one that takes its place without windows.
fn marked(name: &str, without: &str) -> String {
    format!("waits in {} (marked)", if without_windows() { without } else { name })
}

/// Waits until a thread says that it sleeps.
fn sleeps<T>(it: &JoinHandle<T>) {
    says(it, "waits in futex (marked)");
}

/// Before a request.
const NOT_MARKED: &str = "; would not stop: its call is not marked";

per_backend! {
    fn sockets_have_addresses() {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (number, address) = (udp.as_raw_fd(), udp.local_addr().unwrap());
        let it = start(move || udp.recv_from_or_stop(&mut [0]).is_err());
        says(&it, &format!("{} on descriptor {number} (UDP {address})", marked("recvfrom", "recvmsg")));
        assert!(it.stop_and_join().unwrap());

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (number, address) = (listener.as_raw_fd(), listener.local_addr().unwrap());
        let stream = TcpStream::connect(address).unwrap();
        let (peer, _) = listener.accept().unwrap();
        let it = start(move || listener.accept_or_stop().is_err());
        says(&it, &format!("{} on descriptor {number} (TCP {address})", marked("accept4", "ppoll")));
        assert!(it.stop_and_join().unwrap());

        let (own, number) = (stream.local_addr().unwrap(), stream.as_raw_fd());
        let it = start(move || (&stream).read_or_stop(&mut [0]).is_err());
        let on = format!("on descriptor {number} (TCP {own} to {address})");
        let [read, receive] =
            [("read", "readv"), ("recvfrom", "recvmsg")].map(|(name, without)| marked(name, without));
        says_one_of(&it, &[&format!("{read} {on}"), &format!("{receive} {on}")]);
        assert!(it.stop_and_join().unwrap());
        drop(peer);
    }

    fn unix_sockets_have_paths_and_names() {
        let directory = Directory::new().unwrap();
        let path = directory.join("socket");
        let named = SocketAddr::from_abstract_name(format!("stop-{}", std::process::id())).unwrap();
        let sockets = [
            (UnixDatagram::bind(&path).unwrap(), format!(" {}", path.display())),
            (UnixDatagram::bind_addr(&named).unwrap(), format!(" @stop-{}", std::process::id())),
            (UnixDatagram::unbound().unwrap(), String::new()),
        ];
        for (socket, name) in sockets {
            let number = socket.as_raw_fd();
            let it = start(move || socket.recv_or_stop(&mut [0]).is_err());
            let call = marked("recvfrom", "recvmsg");
            says(&it, &format!("{call} on descriptor {number} (Unix datagram{name})"));
            assert!(it.stop_and_join().unwrap());
        }
    }

    fn files_and_pipes() {
        let (mut reader, _writer) = pipe().unwrap();
        let number = reader.as_raw_fd();
        let link = std::fs::read_link(format!("/proc/self/fd/{number}")).unwrap();
        let inode = link.to_str().unwrap().strip_prefix("pipe:[").unwrap().trim_end_matches(']');
        let it = start(move || reader.read_or_stop(&mut [0]).is_err());
        let call = marked("read", "readv");
        says(&it, &format!("{call} on descriptor {number} (pipe {inode})"));
        assert!(it.stop_and_join().unwrap());

        let directory = Directory::new().unwrap();
        let path = directory.join("fi\nfo");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let mut fifo = File::options().read(true).write(true).open(&path).unwrap();
        let number = fifo.as_raw_fd();
        let it = start(move || fifo.read_or_stop(&mut [0]).is_err());
        // In one line.
        let shown = path.to_str().unwrap().replace('\n', "?");
        says(&it, &format!("{call} on descriptor {number} ({shown})"));
        assert!(it.stop_and_join().unwrap());

        // SAFETY: a descriptor of its own.
        #[allow(unsafe_code)]
        let event = unsafe { OwnedFd::from_raw_fd(libc::eventfd(0, libc::EFD_CLOEXEC)) };
        let (number, mut event) = (event.as_raw_fd(), File::from(event));
        let it = start(move || event.read_or_stop(&mut [0; 8]).is_err());
        says(&it, &format!("{call} on descriptor {number} (eventfd)"));
        assert!(it.stop_and_join().unwrap());
    }

    fn sleeps_and_parks() {
        let it = start(|| sleep_or_stop(Duration::MAX).is_err());
        sleeps(&it);
        assert!(it.stop_and_join().unwrap());

        // Std's own, on a word of std's.
        let it = start(|| park_or_stop().is_err());
        says_with(&it, "waits in futex (marked) on the word at 0x", "");
        assert!(it.stop_and_join().unwrap());
    }

    fn locks_threads_and_children() {
        let lock = Arc::new(Mutex::new(()));
        let held = lock.lock();
        let theirs = Arc::clone(&lock);
        let it = start(move || theirs.lock_or_stop().is_err());
        let begin = "waits in futex_waitv (marked) on the word at 0x";
        let (first, end) = (Arc::as_ptr(&lock) as usize, size_of::<Mutex<()>>());
        let line = says_with(&it, begin, "");
        let address = usize::from_str_radix(&line[begin.len()..], 16).unwrap();
        assert!((first..first + 16 + end).contains(&address), "{address:#x} is no word of {first:#x}");
        assert!(it.stop_and_join().unwrap());
        drop(held);

        let sleeper = start(|| sleep_or_stop(Duration::MAX).is_err());
        sleeps(&sleeper);
        let (stopper, id) = (sleeper.stopper(), sleeper.report().id.unwrap());
        let it = start(move || sleeper.join_or_stop().is_err());
        says(&it, &format!("waits in futex_waitv (marked) for the end of thread {id}"));
        assert!(it.stop_and_join().unwrap());
        stopper.request_stop();

        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let id = child.id();
        let _input = child.stdin.take(); // it waits for that
        let it = start(move || {
            let stopped = child.wait_or_stop().is_err();
            child.kill().unwrap();
            child.wait().unwrap();
            stopped
        });
        if without_windows() {
            // By its pidfd, of whatever number.
            says_with(&it, "waits in ppoll (marked) on descriptor ", " (pidfd)");
        } else {
            says_one_of(&it, &["wait4", "waitid"].map(|call| format!("waits in {call} (marked) for child {id}")).each_ref().map(String::as_str));
        }
        assert!(it.stop_and_join().unwrap());
    }

    fn what_is_not_marked() {
        let (sender, receiver) = mpsc::channel::<()>();
        let waits = start(move || receiver.recv().is_err());
        says_with(&waits, "waits in futex (not marked) on the word at 0x", NOT_MARKED);
        let id = waits.report().id.unwrap();
        // Std's join is libc's, on a word that libc knows.
        if cfg!(target_env = "gnu") {
            let it = start(move || waits.join().unwrap());
            says(&it, &format!("waits in futex (a plain join) for the end of thread {id}"));
            it.request_stop();
            let line = format!(
                "waits in futex (a plain join) for the end of thread {id}; stop requested; it goes on \
                 when that thread has ended"
            );
            says(&it, &line);
            assert_eq!(it.report().obstacles, [Obstacle::Joins]);
            drop(sender);
            assert!(it.join().unwrap());
        }

        let (reader, writer) = pipe().unwrap();
        let (other, _keep) = pipe().unwrap();
        let numbers = [reader.as_raw_fd(), other.as_raw_fd()];
        let it = start(move || {
            let mut polled = [&reader, &other].map(|pipe| libc::pollfd {
                fd: pipe.as_raw_fd(),
                events: libc::POLLIN,
                revents: 0,
            });
            // SAFETY: as many as there are.
            #[allow(unsafe_code)]
            let ready = unsafe { libc::poll(polled.as_mut_ptr(), 2, -1) };
            ready
        });
        let report = says_with(&it, "waits in p", NOT_MARKED);
        for number in numbers {
            assert!(report.contains(&format!("descriptor {number} (pipe ")), "{report}");
        }
        drop(writer);
        assert_eq!(it.join().unwrap(), 1);

        let (mut reader, writer) = pipe().unwrap();
        let it = start(move || reader.read(&mut [0]).unwrap());
        says_with(&it, "waits in read (not marked) on descriptor ", NOT_MARKED);
        drop(writer);
        assert_eq!(it.join().unwrap(), 0);
    }
}
