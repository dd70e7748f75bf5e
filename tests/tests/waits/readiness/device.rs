//! A character device that std knows nothing of: a network interface of the
//! tun kind, whose packets are read from `/dev/net/tun`; where that is not
//! allowed, the master's side of a pseudoterminal, `/dev/ptmx`.

#![allow(unsafe_code)]

use crate::readiness::phases::{Subject, phases, text};
use std::fs::File;
use std::io::{Error, Read, Result, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use stop_tests::per_backend;
use stopruntime::stoppable;

/// What is read from a device, and who writes it.
struct Device {
    file: File,
    other: Other,
}

enum Other {
    /// A socket that sends packets through the interface of this number.
    Packets(OwnedFd, i32),
    Terminal(File),
}

impl AsFd for Device {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// An IPv4 header of 20 bytes to nowhere, from nobody: 0x45 is 'E'.
const PACKET: &[u8] = b"Etext in a packet...";

#[stoppable]
fn receive(device: &Device) -> Option<String> {
    #[blocking(readable)]
    let text = device.receive();
    Some(text)
}

impl Device {
    fn new() -> Device {
        tun().unwrap_or_else(|error| {
            println!("no tun here, but a terminal: {error}");
            terminal().unwrap()
        })
    }

    fn receive(&self) -> String {
        let mut buffer = [0; 256];
        let length = (&self.file).read(&mut buffer).unwrap();
        text(&buffer[..length])
    }

    fn send(&self) {
        match &self.other {
            Other::Packets(socket, interface) => send(socket, *interface).unwrap(),
            Other::Terminal(terminal) => (&*terminal).write_all(PACKET).unwrap(),
        }
    }
}

/// The result of a call of libc.
fn done(result: libc::c_int) -> Result<libc::c_int> {
    if result < 0 { Err(Error::last_os_error()) } else { Ok(result) }
}

/// A tun interface without addresses that is up. Nothing comes from it by
/// itself: IPv6, which would ask for routers, is off.
fn tun() -> Result<Device> {
    let file = File::options().read(true).write(true).open("/dev/net/tun")?;
    // SAFETY: zeroed is a request to be filled in, of the type that each of
    // these operations takes; the name is terminated.
    unsafe {
        let mut request: libc::ifreq = core::mem::zeroed();
        request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
        done(libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request))?;
        let name = core::ffi::CStr::from_ptr(request.ifr_name.as_ptr()).to_owned();
        let name = name.to_str().map_err(Error::other)?;
        std::fs::write(format!("/proc/sys/net/ipv6/conf/{name}/disable_ipv6"), "1")?;
        let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
        let socket = OwnedFd::from_raw_fd(done(libc::socket(libc::AF_PACKET, kind, 0))?);
        request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
        done(libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as libc::Ioctl, &raw mut request))?;
        done(libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFINDEX as libc::Ioctl, &raw mut request))?;
        let interface = request.ifr_ifru.ifru_ifindex;
        Ok(Device { file, other: Other::Packets(socket, interface) })
    }
}

/// packet(7).
fn send(socket: &OwnedFd, interface: i32) -> Result<()> {
    // SAFETY: zeroed is an address to be filled in; it and the packet outlive
    // the call.
    let sent = unsafe {
        let mut address: libc::sockaddr_ll = core::mem::zeroed();
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = (libc::ETH_P_IP as u16).to_be();
        address.sll_ifindex = interface;
        let length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        let (data, address) = (PACKET.as_ptr().cast(), (&raw const address).cast());
        libc::sendto(socket.as_raw_fd(), data, PACKET.len(), 0, address, length)
    };
    done(sent as libc::c_int).map(drop)
}

fn terminal() -> Result<Device> {
    let (mut master, mut slave) = (0, 0);
    let none = core::ptr::null_mut();
    // SAFETY: places for two descriptors, made just now; null for what is not
    // asked for.
    unsafe {
        done(libc::openpty(&raw mut master, &raw mut slave, none, none.cast(), none.cast()))?;
        let (file, slave) = (File::from_raw_fd(master), File::from_raw_fd(slave));
        Ok(Device { file, other: Other::Terminal(slave) })
    }
}

per_backend! {
    fn a_character_device() {
        let expected = std::str::from_utf8(PACKET).unwrap();
        phases(|| {
            Subject::new(Device::new(), receive, Device::receive, expected, |device, _| {
                device.send();
            })
        });
    }
}
