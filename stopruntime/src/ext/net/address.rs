//! Socket addresses as the kernel writes them.

use crate::ext::syscall::RawAddress;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr as UnixAddr;
use std::path::Path;

const V4: u16 = libc::AF_INET as u16;
const V6: u16 = libc::AF_INET6 as u16;

/// `sockaddr_in` and `sockaddr_in6`: family, port and address in network order,
/// for v6 flow and scope as well (ip(7), ipv6(7)).
#[inline(always)]
pub(in crate::ext) fn internet(address: &RawAddress) -> io::Result<SocketAddr> {
    let bytes = address.bytes();
    match (family(bytes), bytes) {
        (V4, &[_, _, p0, p1, a, b, c, d, ..]) => {
            let port = u16::from_be_bytes([p0, p1]);
            Ok(SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), port)))
        }
        (V6, bytes) => version_6(bytes).ok_or_else(unexpected),
        _ => Err(unexpected()),
    }
}

#[inline]
fn version_6(bytes: &[u8]) -> Option<SocketAddr> {
    let port = u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?);
    // As std has it: the field unchanged, in the order the kernel keeps it.
    let flow = u32::from_ne_bytes(*bytes.get(4..)?.first_chunk()?);
    let address = Ipv6Addr::from(*bytes.get(8..)?.first_chunk::<16>()?);
    let scope = u32::from_ne_bytes(*bytes.get(24..)?.first_chunk()?);
    Some(SocketAddr::V6(SocketAddrV6::new(address, port, flow, scope)))
}

/// `sockaddr_un`: a path, an abstract name behind a null byte, or nothing for a
/// socket without a name (unix(7)). A path of all 108 bytes, which std cannot
/// say, is no reason to lose the connection: it comes out as no name.
pub(in crate::ext) fn unix(address: &RawAddress) -> io::Result<UnixAddr> {
    match address.bytes().get(2..) {
        Some([0, name @ ..]) => UnixAddr::from_abstract_name(name),
        Some(path) => {
            let end = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
            // A path that fills the field to its end has no place in std's type.
            UnixAddr::from_pathname(as_path(&path[..end])).or_else(|_| UnixAddr::from_pathname(""))
        }
        None => UnixAddr::from_pathname(""),
    }
}

/// The address of a path, as std has it: a null byte is an error, not an end
/// or an abstract name.
pub(in crate::ext) fn unix_path(path: &Path) -> io::Result<socket2::SockAddr> {
    UnixAddr::from_pathname(path)?;
    socket2::SockAddr::unix(path)
}

fn as_path(bytes: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    std::ffi::OsStr::from_bytes(bytes).as_ref()
}

#[inline(always)]
fn family(bytes: &[u8]) -> u16 {
    bytes.first_chunk().map_or(0, |family| u16::from_ne_bytes(*family))
}

#[cold]
fn unexpected() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "the peer's address is not an internet address")
}
