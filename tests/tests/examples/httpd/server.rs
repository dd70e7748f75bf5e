//! `httpd` as a process, and its client.

use crate::example;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::process::{Child, ExitStatus, Stdio};
use stop_tests::directory::Directory;
use stop_tests::program;

/// Larger than what the kernel holds for a client that does not read.
pub(crate) const LARGE: usize = 32 << 20;

pub(crate) struct Server {
    child: Child,
    address: String,
    /// What is served, and a secret beside it.
    _directory: Directory,
}

impl Server {
    pub(crate) fn start(arguments: &[&str]) -> Server {
        let directory = Directory::new().unwrap();
        let files = directory.join("files");
        fs::create_dir_all(files.join("inner dir")).unwrap();
        fs::write(directory.join("secret"), "secret").unwrap();
        fs::write(files.join("a.txt"), "text\n").unwrap();
        fs::write(files.join("empty"), "").unwrap();
        fs::write(files.join("inner dir/index.html"), "<p>inner").unwrap();
        symlink("a.txt", files.join("link")).unwrap();
        symlink("../secret", files.join("way-out")).unwrap();
        symlink("..", files.join("up")).unwrap();
        fs::File::create(files.join("large")).unwrap().set_len(LARGE as u64).unwrap();
        let mut command = program(&example::path("httpd"));
        command.args(["--listen", "127.0.0.1:0"]).args(arguments).arg(&files);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on ").expect("an address").to_owned();
        Server { child, address, _directory: directory }
    }

    pub(crate) fn connect(&self) -> Client {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(stop_tests::limit() / 3)).unwrap();
        Client { stream: BufReader::new(stream) }
    }

    pub(crate) fn signal(&self, signal: libc::c_int) {
        // SAFETY: takes no pointers; the child is not reaped, so the id is its.
        assert_eq!(unsafe { libc::kill(self.child.id().cast_signed(), signal) }, 0);
    }

    pub(crate) fn ends(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A test that has failed leaves no process behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn send(&mut self, text: &str) {
        self.stream.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// A plain request for this target.
    pub(crate) fn get(&mut self, target: &str) -> Answer {
        self.send(&format!("GET {target} HTTP/1.1\r\nHost: here\r\n\r\n"));
        self.answer()
    }

    pub(crate) fn answer(&mut self) -> Answer {
        let (status, head, length) = self.head();
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).expect("the whole body");
        Answer { status, head, body }
    }

    /// The status, the headers in small letters, and the length of what follows.
    pub(crate) fn head(&mut self) -> (u16, String, usize) {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.stream.read_line(&mut head).unwrap(), 0, "no end of {head:?}");
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        head.make_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap().split("\r\n").next();
        let length = length.unwrap().parse().unwrap();
        (status, head, length)
    }

    /// What comes until the other side closes.
    pub(crate) fn rest(&mut self) -> std::io::Result<usize> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).map(|_| rest.len())
    }
}
