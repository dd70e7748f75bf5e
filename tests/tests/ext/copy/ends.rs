//! The ends of copies, of each kind that is treated in a way of its own.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Cursor, IoSliceMut, Read, Seek, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::thread::{self, JoinHandle};
use stopruntime::ext::{ReadOrStop, WriteOrStop};
use stopruntime::{Stoppable, Stopped, Stopper};

pub(crate) type Reader = Box<dyn ReadOrStop + Send>;
pub(crate) type Writer = Box<dyn WriteOrStop + Send>;

/// Bytes of which a missing, doubled or displaced one would be seen.
pub(crate) fn bytes(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// A source, and the thread behind it.
pub(crate) struct Source {
    pub(crate) name: &'static str,
    pub(crate) reader: Reader,
    /// Writes what it is sent; the source ends when this is dropped. None for a
    /// source that has everything already.
    pub(crate) feed: Option<Sender<Vec<u8>>>,
}

fn fed<R, W>(name: &'static str, (reader, mut writer): (R, W)) -> Source
where
    R: ReadOrStop + Send + 'static,
    W: Write + Send + 'static,
{
    let (feed, pieces) = channel::<Vec<u8>>();
    thread::spawn(move || {
        // Ends early where the reader is dropped before its end.
        while let Ok(piece) = pieces.recv() {
            if writer.write_all(&piece).is_err() {
                break;
            }
        }
    });
    Source { name, reader: Box::new(reader), feed: Some(feed) }
}

/// All kinds of sources that wait, with nothing in them yet.
pub(crate) const WAITING_SOURCES: [fn() -> Source; 12] = [
    || fed("TcpStream", tcp()),
    || fed("UnixStream", unix()),
    || {
        let (reader, writer) = unix();
        fed("File (socket)", (File::from(OwnedFd::from(reader)), writer))
    },
    || fed("PipeReader", io::pipe().unwrap()),
    || fed("File (FIFO)", fifo()),
    || fed("ChildStdout", child()),
    || {
        let (reader, writer) = tcp();
        fed("BufReader<TcpStream>", (BufReader::new(reader), writer))
    },
    || {
        let (reader, writer) = unix();
        fed("BufReader<Stoppable<UnixStream>>", (BufReader::new(Stoppable::new(reader)), writer))
    },
    || {
        let (reader, writer) = io::pipe().unwrap();
        fed("Stoppable<PipeReader>", (Stoppable::new(reader), writer))
    },
    || {
        let (reader, writer) = tcp();
        fed("Take<TcpStream>", (reader.take(1 << 40), writer))
    },
    || fed("Stdin", stdin()),
    || {
        let (reader, writer) = unix();
        fed("a reader of one's own", (Own(reader), writer))
    },
];

/// All kinds of sources that have their bytes.
pub(crate) const FILLED_SOURCES: [fn(&[u8]) -> Source; 3] = [
    |bytes| filled("File (disk)", disk(bytes)),
    |bytes| filled("BufReader<File>", BufReader::new(disk(bytes))),
    |bytes| filled("Cursor", Cursor::new(bytes.to_vec())),
];

fn filled(name: &'static str, reader: impl ReadOrStop + Send + 'static) -> Source {
    Source { name, reader: Box::new(reader), feed: None }
}

/// A destination, and what comes out of it.
pub(crate) struct Destination {
    pub(crate) name: &'static str,
    pub(crate) writer: Writer,
    pub(crate) out: Box<dyn Read + Send>,
    /// Its buffers are no part of what has been written.
    pub(crate) buffered: bool,
    /// It has an end before all has been written.
    pub(crate) ends_early: bool,
}

fn into<R, W>(name: &'static str, (out, writer): (R, W)) -> Destination
where
    R: Read + Send + 'static,
    W: WriteOrStop + Send + 'static,
{
    let (writer, out) = (Box::new(writer), Box::new(out));
    Destination { name, writer, out, buffered: false, ends_early: false }
}

impl Destination {
    /// Takes what comes out until the end.
    pub(crate) fn collect(mut out: Box<dyn Read + Send>) -> JoinHandle<Vec<u8>> {
        thread::spawn(move || {
            let mut all = Vec::new();
            // Of any length, so that the other end is full again and again.
            let mut piece = [0; 3_000];
            loop {
                match out.read(&mut piece).unwrap() {
                    0 => return all,
                    length => all.extend_from_slice(&piece[..length]),
                }
            }
        })
    }
}

/// All kinds of destinations that are full some time.
pub(crate) const WAITING_DESTINATIONS: [fn() -> Destination; 6] = [
    || into("PipeWriter", io::pipe().unwrap()),
    || into("UnixStream", unix()),
    || into("TcpStream", tcp()),
    || into("File (FIFO)", fifo()),
    || into("ChildStdin", child()),
    || {
        let (out, writer) = io::pipe().unwrap();
        let writer = BufWriter::new(Stoppable::new(writer));
        Destination { buffered: true, ..into("BufWriter", (out, writer)) }
    },
];

/// A file that is only ever added to; read from its beginning.
pub(crate) fn appended() -> Destination {
    let file = disk(&[]);
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let writer = OpenOptions::new().append(true).open(path).unwrap();
    Destination { ends_early: true, ..into("File (append)", (file, writer)) }
}

/// The reading end first, with little room between them.
pub(crate) fn tcp() -> (TcpStream, TcpStream) {
    const SIZE: usize = 16 << 10;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let size = |socket: i32, option: i32| {
        let size = i32::try_from(SIZE).unwrap();
        let length = libc::socklen_t::try_from(size_of_val(&size)).unwrap();
        // SAFETY: an int, of its length.
        let set = unsafe {
            let value = (&raw const size).cast();
            libc::setsockopt(socket, libc::SOL_SOCKET, option, value, length)
        };
        assert_eq!(set, 0);
    };
    size(listener.as_raw_fd(), libc::SO_RCVBUF);
    let writer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    size(writer.as_raw_fd(), libc::SO_SNDBUF);
    (listener.accept().unwrap().0, writer)
}

/// Both ends of a FIFO that has no name any more.
pub(crate) fn fifo() -> (File, File) {
    let directory = stop_tests::directory::Directory::new().unwrap();
    let path = directory.fifo("fifo").unwrap();
    // Opened for both, neither end waits for the other (fifo(7)).
    let _both = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    (File::open(&path).unwrap(), OpenOptions::new().write(true).open(&path).unwrap())
}

/// A file with these bytes that has no name any more.
pub(crate) fn disk(bytes: &[u8]) -> File {
    let directory = stop_tests::directory::Directory::new().unwrap();
    let path = directory.join("file");
    let mut file = OpenOptions::new().read(true).write(true).create_new(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

fn unix() -> (UnixStream, UnixStream) {
    UnixStream::pair().unwrap()
}

/// A child that repeats what it is fed, and ends with it. It has begun: what it
/// is fed comes at once.
fn child() -> (ChildStdout, ChildStdin) {
    let mut child =
        Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut reader, mut writer) = (child.stdout.take().unwrap(), child.stdin.take().unwrap());
    thread::spawn(move || child.wait());
    writer.write_all(b"x").unwrap();
    reader.read_exact(&mut [0]).unwrap();
    (reader, writer)
}

/// Standard input is a pipe from now on: for one source in a process.
fn stdin() -> (io::Stdin, io::PipeWriter) {
    let (reader, writer) = io::pipe().unwrap();
    // SAFETY: two descriptors; nothing owns standard input yet.
    assert_eq!(unsafe { libc::dup2(reader.as_raw_fd(), 0) }, 0);
    (io::stdin(), writer)
}

/// A reader that nothing is known of but how it reads.
pub(crate) fn own(stream: UnixStream) -> impl ReadOrStop + Send {
    Own(stream)
}

struct Own(UnixStream);

impl Read for Own {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl ReadOrStop for Own {
    fn read_or_stop(&mut self, buffer: &mut [u8]) -> Result<io::Result<usize>, Stopped> {
        self.0.read_vectored_or_stop(&mut [IoSliceMut::new(buffer)])
    }

    fn ready_or_stop(&self) -> Result<io::Result<()>, Stopped> {
        self.0.ready_or_stop()
    }
}

/// Takes a few bytes at a time, and requests the stop of its own thread after
/// each.
pub(crate) struct Requests {
    pub(crate) copy: Vec<u8>,
    most: usize,
}

impl Requests {
    pub(crate) fn after(most: usize) -> Requests {
        Requests { copy: Vec::new(), most }
    }
}

impl Write for Requests {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.copy.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl WriteOrStop for Requests {
    fn write_or_stop(&mut self, data: &[u8]) -> Result<io::Result<usize>, Stopped> {
        let outcome = self.copy.write_or_stop(&data[..data.len().min(self.most)]);
        Stopper::current().request_stop();
        outcome
    }

    fn flush_or_stop(&mut self) -> Result<io::Result<()>, Stopped> {
        self.copy.flush_or_stop()
    }
}
