//! Marks in a module, in every edition: in that of 2015 an import begins at the root.
#![deny(warnings)]

extern crate libc;
extern crate stopruntime;

mod inner {
    use std::io::{self, Read};
    use std::net::{Shutdown, TcpStream};
    use std::thread;
    use std::time::Duration;
    use stopruntime::stoppable;

    #[stoppable]
    pub fn work(stream: &mut TcpStream, out: &mut Vec<u8>) -> io::Result<u64> {
        #[blocking]
        thread::sleep(Duration::new(0, 0));
        #[blocking]
        Read::read(stream, &mut [0; 1])?;
        #[blocking(readable)]
        stream.read(&mut [0; 1])?;
        #[blocking(foreign)]
        stream.set_nodelay(true)?;
        #[blocking(within = Duration::from_secs(1))]
        stream.read_exact(&mut [0; 1])?;
        #[blocking]
        // SAFETY: it takes nothing and touches no memory.
        unsafe {
            libc::pause()
        };
        #[blocking]
        io::copy(stream, out)
    }

    pub struct Session {
        handle: TcpStream,
        device: TcpStream,
        line: String,
    }

    impl Session {
        /// The closures of the expansion borrow the fields that they name, and not all of
        /// `self`, also before 2021.
        #[stoppable]
        pub fn line(&mut self) -> io::Result<usize> {
            #[blocking(unblock = self.handle.shutdown(Shutdown::Both))]
            self.device.read_to_string(&mut self.line)
        }
    }
}

fn main() {
    let _ = inner::work;
    let _ = inner::Session::line;
}
