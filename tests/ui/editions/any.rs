//! Marks in a module, in every edition: in that of 2015 an import begins at the root.
#![deny(warnings)]

extern crate libc;
extern crate stopruntime;

mod inner {
    use std::io::{self, Read};
    use std::net::TcpStream;
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
        unsafe {
            libc::pause()
        };
        #[blocking]
        io::copy(stream, out)
    }
}

fn main() {
    let _ = inner::work;
}
