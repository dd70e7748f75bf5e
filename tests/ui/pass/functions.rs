//! Functions of every kind.
#![deny(warnings, missing_docs)]

use std::fmt::Debug;
use std::io;
use std::os::unix::net::UnixDatagram;

use stopruntime::stoppable;

/// Documented.
#[stoppable]
#[must_use]
#[inline]
pub fn documented(socket: &UnixDatagram) -> Option<usize> {
    #![allow(clippy::needless_return)]
    #[blocking]
    return socket.recv(&mut [0]).ok();
}

#[stoppable]
pub(crate) fn generic<'a, T: Debug, const N: usize>(
    socket: &'a UnixDatagram,
    (value, _): (T, u8),
) -> io::Result<(&'a UnixDatagram, [u8; N])>
where
    T: Clone,
{
    let mut buffer = [0; N];
    loop {
        #[blocking]
        socket.recv(&mut buffer)?;
        println!("{:?}", value.clone());
    }
    Ok((socket, buffer))
}

/// # Safety
///
/// None needed.
#[stoppable]
pub unsafe fn unsafe_fn(socket: &UnixDatagram) {
    #[blocking]
    socket.recv(&mut [0]).unwrap();
}

/// For C.
#[stoppable]
pub extern "C" fn extern_fn(socket: &UnixDatagram) {
    #[blocking]
    socket.recv(&mut [0]).unwrap();
}

struct Server {
    socket: UnixDatagram,
    count: u32,
}

impl Server {
    const LIMIT: u32 = 10;

    #[stoppable]
    fn by_mut(&mut self) -> io::Result<&mut Self> {
        while self.count < Self::LIMIT {
            #[blocking(break)]
            self.socket.recv(&mut [0])?;
            self.count += 1;
        }
        Ok(self)
    }

    #[stoppable]
    fn by_value(self) {
        loop {
            #[blocking]
            self.socket.recv(&mut [0]).unwrap();
        }
    }

    #[stoppable]
    fn boxed(self: Box<Self>) -> Option<u32> {
        #[blocking]
        self.socket.recv(&mut [0]).ok()?;
        Some(self.count)
    }

    #[stoppable(or = Self::LIMIT)]
    fn or_self(&self) -> u32 {
        blocking!(self.socket.recv(&mut [0])).unwrap_or(0) as u32
    }
}

trait Service {
    fn socket(&self) -> &UnixDatagram;

    #[stoppable]
    fn serve(&self) -> io::Result<usize> {
        #[blocking]
        self.socket().recv(&mut [0])
    }
}

impl Service for Server {
    fn socket(&self) -> &UnixDatagram {
        &self.socket
    }

    #[stoppable]
    fn serve(&self) -> io::Result<usize> {
        blocking!(self.socket.recv(&mut [0]))
    }
}

#[stoppable]
fn nested(socket: &UnixDatagram) {
    #[stoppable]
    fn inner(socket: &UnixDatagram) -> io::Result<usize> {
        #[blocking]
        socket.recv(&mut [0])
    }
    struct Inner;
    impl Inner {
        #[stoppable]
        fn inner(&self, socket: &UnixDatagram) -> io::Result<usize> {
            #[blocking]
            socket.recv(&mut [0])
        }
    }
    #[blocking(as_is)]
    inner(socket).unwrap();
    let _ = blocking!(as_is, Inner.inner(socket));
}

macro_rules! service {
    ($name:ident, $call:expr) => {
        #[stoppable]
        fn $name(socket: &UnixDatagram) -> io::Result<usize> {
            let receive = $call;
            #[blocking(as_is)]
            let length = receive(socket)?;
            loop {
                #[blocking(as_is)]
                let _more = ($call)(socket)?;
            }
            Ok(length)
        }
    };
}

service!(made_by_a_macro, |socket: &UnixDatagram| nested_call(socket));

fn nested_call(socket: &UnixDatagram) -> io::Result<usize> {
    socket.recv(&mut [0])
}

#[stoppable]
fn with_impl(socket: impl Fn() -> io::Result<UnixDatagram>) -> io::Result<()> {
    let socket = socket()?;
    #[blocking]
    socket.recv(&mut [0])?;
    Ok(())
}

fn main() {
    let _ = (documented, generic::<u8, 4>, extern_fn, nested, made_by_a_macro);
    let _ = (Server::by_mut, Server::by_value, Server::boxed, Server::or_self);
    let _ = <Server as Service>::serve;
    let _ = |path: &str| with_impl(|| UnixDatagram::bind(path));
    // SAFETY: the function asks for nothing.
    let _ = |socket: &UnixDatagram| unsafe { unsafe_fn(socket) };
}
