//! The sockets, and the names they are known by.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use crate::args::Options;
use crate::source::Source;

/// All that is listened on.
pub(crate) struct Doors {
    pub(crate) udp: Vec<(Source, UdpSocket)>,
    pub(crate) tcp: Vec<(Source, TcpListener)>,
    pub(crate) unix: Vec<(Source, UnixDoor)>,
}

impl Doors {
    /// Opens what the options name, or says which of it cannot be opened.
    pub(crate) fn open(options: &Options) -> Result<Doors, String> {
        let mut doors = Doors { udp: Vec::new(), tcp: Vec::new(), unix: Vec::new() };
        for address in &options.udp {
            let opened = UdpSocket::bind(address).and_then(|it| Ok((it.local_addr()?, it)));
            let (address, socket) = named(opened, "udp", address)?;
            doors.udp.push((Source::new(format!("udp {address}")), socket));
        }
        for address in &options.tcp {
            let opened = TcpListener::bind(address).and_then(|it| Ok((it.local_addr()?, it)));
            let (address, socket) = named(opened, "tcp", address)?;
            doors.tcp.push((Source::new(format!("tcp {address}")), socket));
        }
        for path in &options.unix {
            let name = path.display().to_string();
            let door = named(UnixDoor::open(path), "unix", &name)?;
            doors.unix.push((Source::new(format!("unix {name}")), door));
        }
        Ok(doors)
    }

    pub(crate) fn sources(&self) -> impl Iterator<Item = &Source> {
        let udp = self.udp.iter().map(|(source, _)| source);
        let tcp = self.tcp.iter().map(|(source, _)| source);
        udp.chain(tcp).chain(self.unix.iter().map(|(source, _)| source))
    }
}

fn named<T>(opened: io::Result<T>, kind: &str, address: &str) -> Result<T, String> {
    opened.map_err(|error| format!("cannot listen on {kind} {address}: {error}"))
}

/// A socket with a name in the file system, which goes with it.
pub(crate) struct UnixDoor {
    pub(crate) socket: UnixDatagram,
    path: PathBuf,
}

impl UnixDoor {
    fn open(path: &Path) -> io::Result<UnixDoor> {
        remove_stale(path)?;
        Ok(UnixDoor { socket: UnixDatagram::bind(path)?, path: path.to_owned() })
    }
}

impl Drop for UnixDoor {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Removes the name that a collector has left which was killed: a socket, and
/// no process behind it.
fn remove_stale(path: &Path) -> io::Result<()> {
    let is_socket = fs::metadata(path).is_ok_and(|found| found.file_type().is_socket());
    let refused = |error: io::Error| error.kind() == ErrorKind::ConnectionRefused;
    if is_socket && UnixDatagram::unbound()?.connect(path).is_err_and(refused) {
        fs::remove_file(path)?;
    }
    Ok(())
}
