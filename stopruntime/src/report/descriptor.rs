//! What stands behind a descriptor of this process.
//!
//! # Safety
//!
//! The invariant of this module: no call here changes what the descriptor is or what stands
//! behind it, so that it does not matter which that is by now.

#![allow(unsafe_code)]

use core::ffi::c_int;
use core::fmt;
use socket2::SockAddr;
use std::path::Path;
use std::{fs, io};

/// Says what stands behind a descriptor.
///
/// # Examples
///
/// As at [`WaitsFor`](super::WaitsFor).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Descriptor {
    /// The descriptor.
    pub number: c_int,
    /// A text for people: `UDP 127.0.0.1:5514`, `/dev/ttyS0`, `pipe 4242`, `eventfd`. None if
    /// it is not open, or cannot be looked at.
    pub what: Option<String>,
}

impl Descriptor {
    pub(super) fn of(number: c_int) -> Descriptor {
        let link = fs::read_link(format!("/proc/self/fd/{number}"));
        Descriptor { number, what: link.ok().map(|link| what(number, &link)) }
    }
}

impl fmt::Display for Descriptor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "descriptor {}", self.number)?;
        self.what.as_ref().map_or(Ok(()), |what| write!(formatter, " ({what})"))
    }
}

/// What the kernel's link means: a path, `pipe:[4242]`, `anon_inode:[eventfd]`.
fn what(number: c_int, link: &Path) -> String {
    let text = link.to_string_lossy();
    if text.starts_with('/') {
        // In one line.
        return text.replace(char::is_control, "?");
    }
    let Some((kind, rest)) = text.split_once(':') else { return text.into_owned() };
    let inside = rest.trim_matches(['[', ']']);
    match kind {
        "socket" => socket(number).unwrap_or_else(|| text.clone().into_owned()),
        "anon_inode" => inside.to_owned(),
        kind => format!("{kind} {inside}"),
    }
}

/// The kind of a socket, and its addresses.
fn socket(number: c_int) -> Option<String> {
    let own = address(number, libc::getsockname)?;
    let peer = address(number, libc::getpeername);
    let is_stream = kind(number)? == libc::SOCK_STREAM;
    let family = match (c_int::from(own.family()), is_stream) {
        (libc::AF_INET | libc::AF_INET6, true) => "TCP",
        (libc::AF_INET | libc::AF_INET6, false) => "UDP",
        (libc::AF_UNIX, true) => "Unix stream",
        (libc::AF_UNIX, false) => "Unix datagram",
        (libc::AF_NETLINK, _) => "netlink",
        _ => "socket",
    };
    let own = text(&own).map_or(String::new(), |own| format!(" {own}"));
    let peer =
        peer.and_then(|peer| text(&peer)).map_or(String::new(), |peer| format!(" to {peer}"));
    Some(format!("{family}{own}{peer}"))
}

fn text(address: &SockAddr) -> Option<String> {
    if let Some(address) = address.as_socket() {
        return Some(address.to_string());
    }
    if let Some(path) = address.as_pathname() {
        return Some(path.to_string_lossy().replace(char::is_control, "?"));
    }
    let name = address.as_abstract_namespace()?;
    Some(format!("@{}", String::from_utf8_lossy(name).replace(char::is_control, "?")))
}

type Ask = unsafe extern "C" fn(c_int, *mut libc::sockaddr, *mut libc::socklen_t) -> c_int;

fn address(number: c_int, ask: Ask) -> Option<SockAddr> {
    // SAFETY: the kernel fills in an address that fits, or fails.
    let found = unsafe {
        SockAddr::try_init(|storage, length| match ask(number, storage.cast(), length) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        })
    };
    found.ok().map(|((), address)| address)
}

fn kind(number: c_int) -> Option<c_int> {
    let (mut kind, mut length) = (0, size_of::<c_int>() as libc::socklen_t);
    // SAFETY: a place for the number, and its size.
    let result = unsafe {
        let place = (&raw mut kind).cast();
        libc::getsockopt(number, libc::SOL_SOCKET, libc::SO_TYPE, place, &raw mut length)
    };
    (result == 0).then_some(kind)
}
